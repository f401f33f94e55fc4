package stats

import _ "embed"

//go:embed dbgen-stats-1.schema.json
var schemaJSON string

// Schema returns the JSON Schema (draft 2020-12) of the format, for editors and
// other readers. [Read] checks more than a schema can say.
func Schema() string { return schemaJSON }
