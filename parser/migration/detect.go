package migration

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// What the tools' files are known by.
var (
	gooseLine      = regexp.MustCompile(`(?im)^[ \t]*--[ \t]*\+goose\b`)
	sqlMigrateLine = regexp.MustCompile(`(?im)^--[ \t]*\+migrate\b`)
	dbmateLine     = regexp.MustCompile(`(?m)^--[ \t]*migrate:(up|down)\b`)
	ternLine       = regexp.MustCompile(`(?m)^---- (create above / drop below ----|tern: )`)
	atlasLine      = regexp.MustCompile(`(?m)^-- atlas:(checkpoint|delimiter|txtar)\b`)
	upDownName     = regexp.MustCompile(`^[0-9]+_.*\.(up|down)\.sql$`)
	flywayName     = regexp.MustCompile(`^([VUB][0-9]+([._][0-9]+)*|R)__.*\.sql$`)
	gooseGoName    = regexp.MustCompile(`^[0-9]+_.*\.go$`)
)

// sign is what one file shows of its format.
type sign struct {
	format Format
	tool   string // of a format that is not read
	file   *source.File
	span   source.Span
	why    string
}

// detect finds the format of a group of files from their names and contents. Two
// formats side by side, and one that is not read, are errors.
func detect(g group, files []*source.File) (Format, diag.List) {
	var signs []sign
	for _, f := range files {
		if s, ok := signOf(f); ok {
			signs = append(signs, s)
		}
	}
	if len(signs) == 0 {
		return Plain, nil
	}
	first := signs[0]
	var diags diag.List
	for _, s := range signs {
		if s.tool != "" {
			d := problem(s.file, s.span, "not supported yet: migrations of %s", s.tool)
			d.Hint = s.why
			diags.Add(d)
			return "", diags
		}
		if s.format != first.format {
			d := problem(s.file, s.span, "migrations of %s and %s in one place", first.format, s.format)
			d.Related = []diag.Related{{
				File: first.file, Span: first.span, Message: fmt.Sprintf("a migration of %s", first.format),
			}}
			diags.Add(d)
			return "", diags
		}
	}
	if first.format == Goose {
		for _, name := range g.others {
			if gooseGoName.MatchString(name) && !strings.HasSuffix(name, "_test.go") {
				d := problem(source.NewFile(g.path+"/"+name, ""), source.Span{},
					"not supported yet: the Go migration %s", name)
				d.Hint = "what a Go migration does to the schema cannot be read; give its DDL as a schema file of its own"
				diags.Add(d)
			}
		}
	}
	if diags.HasErrors() {
		return "", diags
	}
	return first.format, nil
}

func signOf(f *source.File) (sign, bool) {
	at := func(re *regexp.Regexp) (source.Span, bool) {
		start := f.TextStart()
		m := re.FindStringIndex(f.Text[start:])
		if m == nil {
			return source.Span{}, false
		}
		for f.Text[start+m[0]] != '-' {
			m[0]++
		}
		if !isComment(f, start+m[0]) {
			return source.Span{}, false
		}
		return source.Span{Start: start + m[0], End: start + m[1]}, true
	}
	if span, ok := at(gooseLine); ok {
		return sign{format: Goose, file: f, span: span}, true
	}
	if span, ok := at(dbmateLine); ok {
		return sign{format: Dbmate, file: f, span: span}, true
	}
	if span, ok := at(sqlMigrateLine); ok {
		return sign{tool: "sql-migrate", file: f, span: span}, true
	}
	if span, ok := at(ternLine); ok {
		return sign{
			tool: "tern", file: f, span: span,
			why: "the files of tern are templates, which must be run to be read",
		}, true
	}
	if span, ok := at(atlasLine); ok {
		return sign{
			tool: "atlas with " + strings.TrimPrefix(f.Text[span.Start:span.End], "-- "), file: f, span: span,
			why: "plain files of atlas are read",
		}, true
	}
	base := baseName(f.Name)
	switch {
	case upDownName.MatchString(base):
		return sign{format: GolangMigrate, file: f}, true
	case flywayName.MatchString(base):
		return sign{tool: "Flyway", file: f}, true
	}
	return sign{}, false
}

// isComment reports whether a line comment begins at at, not text inside a
// constant or another comment.
func isComment(f *source.File, at int) bool {
	lexer := source.NewLexer(f.Text, f.TextStart())
	for p, ok := lexer.Next(); ok && p.Span.Start <= at; p, ok = lexer.Next() {
		if p.Span.Start == at {
			return p.Kind == source.LineComment
		}
	}
	return false
}
