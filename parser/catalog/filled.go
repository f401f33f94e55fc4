package catalog

import "github.com/dbgen/dbgen/parser/pgtype"

// Filled is what a schema guaranteed when a materialised view was filled last. What was
// declared since does not hold for the rows that it keeps.
type Filled struct {
	// At is the newest object that there was then, see [Catalog.Newest].
	At pgtype.OID
	// NotNull are the columns that were NOT NULL, by table, of all tables that the
	// view reads.
	NotNull map[pgtype.OID][]int
	// Holds are the validated constraints and valid indexes of these tables.
	Holds map[pgtype.OID]bool
}

// Newest returns the OID of the object that was made last: those with a higher one
// come later.
func (c *Catalog) Newest() pgtype.OID { return c.nextOID - 1 }
