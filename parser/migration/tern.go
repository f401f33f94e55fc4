package migration

import (
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

var (
	ternName      = regexp.MustCompile(`^[0-9]+_.+\.sql$`)
	ternDisableTx = regexp.MustCompile(`(?m)^---- tern: disable-tx ----$`)
)

// ternDivider stands between what a migration of tern creates and what drops it
// again; tern looks for the text wherever it is.
const ternDivider = "---- create above / drop below ----"

// readTern takes what stands above the divider. tern runs a file as a template
// first; one with an action in that part cannot be read without doing so.
func readTern(step *Step) diag.List {
	var diags diag.List
	f := step.File
	start, end := f.TextStart(), len(f.Text)
	if i := strings.Index(f.Text, ternDivider); i >= 0 {
		end = i
	}
	if i := strings.Index(f.Text[:end], "{{"); i >= 0 {
		span := source.Span{Start: i, End: i + 2}
		if j := strings.Index(f.Text[i:], "}}"); j >= 0 {
			span.End = i + j + 2
		}
		d := problem(f, span, "not supported yet: the template of tern in %s", baseName(f.Name))
		d.Hint = "what a template comes to is not known before it is run; give the SQL that it makes as a schema file"
		diags.Add(d)
		return diags
	}
	step.Spans = []source.Span{{Start: start, End: end}}
	step.NoTransaction = ternDisableTx.MatchString(f.Text[:end])
	return diags
}

// checkTern reports versions that tern would miss: they go from 1 without a gap.
func checkTern(dir *Dir) diag.List {
	var diags diag.List
	want := int64(1)
	for _, s := range dir.Steps {
		if s.Version > want {
			diags.Add(problem(s.File, source.Span{}, "tern wants versions without a gap: %d is missing before %s", want, baseName(s.File.Name)))
		}
		want = s.Version + 1
	}
	return diags
}
