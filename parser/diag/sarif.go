package diag

import (
	"cmp"
	"io"
	"net/url"
	"slices"

	"github.com/dbgen/dbgen/parser/source"
)

// The part of SARIF 2.1.0 (OASIS, 2020) that dbgen writes; names are the
// standard's.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID           string          `json:"ruleId"`
		RuleIndex        int             `json:"ruleIndex"`
		Level            string          `json:"level"`
		Message          sarifMessage    `json:"message"`
		Locations        []sarifLocation `json:"locations"`
		RelatedLocations []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
		Message          *sarifMessage `json:"message,omitempty"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
)

// SARIF writes the list as one run of a SARIF 2.1.0 log, for code scanning. The
// rule of a result is its SQLSTATE or code. It returns the writer's error.
func (l List) SARIF(w io.Writer) error {
	rules := []sarifRule{}
	for i := range l {
		rules = append(rules, sarifRule{l[i].rule()})
	}
	slices.SortFunc(rules, func(a, b sarifRule) int { return cmp.Compare(a.ID, b.ID) })
	rules = slices.Compact(rules)
	results := make([]sarifResult, 0, len(l))
	for i := range l {
		d := &l[i]
		index, _ := slices.BinarySearchFunc(rules, d.rule(), func(r sarifRule, id string) int {
			return cmp.Compare(r.ID, id)
		})
		text := d.Message
		for _, more := range []string{d.Detail, d.advice()} {
			if more != "" {
				text += "\n" + more
			}
		}
		result := sarifResult{
			RuleID:    d.rule(),
			RuleIndex: index,
			Level:     sarifLevel(d.Severity),
			Message:   sarifMessage{text},
			Locations: []sarifLocation{},
		}
		if d.File != nil {
			result.Locations = append(result.Locations, sarifPlace(d.File, d.Span))
		}
		for _, r := range d.Related {
			if r.File == nil {
				continue
			}
			place := sarifPlace(r.File, r.Span)
			place.Message = &sarifMessage{r.Message}
			result.RelatedLocations = append(result.RelatedLocations, place)
		}
		results = append(results, result)
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://json.schemastore.org/sarif-2.1.0.json",
		Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:       sarifTool{sarifDriver{Name: "dbgen", Rules: rules}},
			ColumnKind: "unicodeCodePoints",
			Results:    results,
		}},
	})
}

// rule is what a diagnostic is filed under where every one needs a code.
func (d *Diagnostic) rule() string {
	return cmp.Or(d.SQLState, d.Code, d.Severity.String())
}

func sarifPlace(f *source.File, span source.Span) sarifLocation {
	place := sarifLocation{PhysicalLocation: sarifPhysical{
		ArtifactLocation: sarifArtifact{URI: (&url.URL{Path: f.Name}).String()},
	}}
	if line, column, endLine, endColumn := region(f, span); line > 0 {
		place.PhysicalLocation.Region = &sarifRegion{line, column, endLine, endColumn}
	}
	return place
}

func sarifLevel(s Severity) string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}
