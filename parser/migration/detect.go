package migration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// What the tools' files are known by.
var (
	gooseLine      = regexp.MustCompile(`(?im)^[ \t]*--[ \t]*\+goose\b`)
	sqlMigrateLine = regexp.MustCompile(`(?im)^--[ \t]*\+migrate\b`)
	dbmateLine     = regexp.MustCompile(`(?m)^--[ \t]*migrate:(up|down)\b`)
	nodeLine       = regexp.MustCompile(`(?im)^--[ \t-]*up[ \t]+migration\b`)
	ternLine       = regexp.MustCompile(`(?m)^---- (create above / drop below ----|tern: )`)
	atlasLine      = regexp.MustCompile(`(?m)^-- atlas:(checkpoint|delimiter|txtar)\b`)
	upDownName     = regexp.MustCompile(`^[0-9]+_.*\.(up|down)\.sql$`)
	flywayName     = regexp.MustCompile(`^([VUB][0-9]+([._][0-9]+)*|R)__.*\.sql$`)
	gooseGoName    = regexp.MustCompile(`^[0-9]+_.*\.go$`)
	flywayJavaName = regexp.MustCompile(`^([VB][0-9]+([._][0-9]+)*|R)__.*\.(java|kt)$`)
	nodeProgram    = regexp.MustCompile(`^[0-9]+_.*\.([mc]?js|ts)$`)
)

// sign is what one file shows of its format.
type sign struct {
	format Format
	file   *source.File
	span   source.Span
}

// detect finds the format of a group of files from their names and contents. Two
// formats side by side are an error.
func detect(g group, files []*source.File) (Format, diag.List) {
	var signs []sign
	for _, f := range files {
		if s, ok := signOf(f); ok {
			signs = append(signs, s)
		}
	}
	switch {
	case g.folders:
		return Folders, nil
	case len(signs) == 0 && slices.Contains(g.others, "atlas.sum"):
		return Atlas, nil
	case len(signs) == 0:
		return Plain, nil
	}
	first := signs[0]
	var diags diag.List
	for _, s := range signs {
		if s.format != first.format {
			d := problem(s.file, s.span, "migrations of %s and %s in one place", first.format, s.format)
			d.Related = []diag.Related{{
				File: first.file, Span: first.span, Message: fmt.Sprintf("a migration of %s", first.format),
			}}
			diags.Add(d)
			return "", diags
		}
	}
	return first.format, nil
}

// programs reports the migrations beside the files that are programs.
func programs(format Format, g group) diag.List {
	var diags diag.List
	for _, name := range g.others {
		what := ""
		switch {
		case format == Goose && gooseGoName.MatchString(name) && !strings.HasSuffix(name, "_test.go"):
			what = "Go"
		case format == Flyway && flywayJavaName.MatchString(name):
			what = "Java"
		case format == NodePgMigrate && nodeProgram.MatchString(name):
			what = "JavaScript"
		default:
			continue
		}
		d := problem(source.NewFile(g.path+"/"+name, ""), source.Span{}, "not supported yet: the %s migration %s", what, name)
		d.Hint = "what a " + what + " migration does to the schema cannot be read; give its DDL as a schema file of its own"
		diags.Add(d)
	}
	return diags
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
	base := baseName(f.Name)
	// A file of either direction alone is golang-migrate's, whatever heads it.
	if span, ok := at(dbmateLine); ok && (!upDownName.MatchString(base) || bothWays(f.Text)) {
		return sign{format: Dbmate, file: f, span: span}, true
	}
	if span, ok := at(sqlMigrateLine); ok {
		return sign{format: SQLMigrate, file: f, span: span}, true
	}
	if span, ok := at(ternLine); ok {
		return sign{format: Tern, file: f, span: span}, true
	}
	if span, ok := at(nodeLine); ok {
		return sign{format: NodePgMigrate, file: f, span: span}, true
	}
	if span, ok := at(atlasLine); ok {
		return sign{format: Atlas, file: f, span: span}, true
	}
	switch {
	case upDownName.MatchString(base):
		return sign{format: GolangMigrate, file: f}, true
	case flywayName.MatchString(base):
		return sign{format: Flyway, file: f}, true
	}
	return sign{}, false
}

// bothWays reports whether a file has the marks of dbmate for both directions.
func bothWays(text string) bool {
	seen := map[string]bool{}
	for _, m := range dbmateLine.FindAllStringSubmatch(text, -1) {
		seen[m[1]] = true
	}
	return len(seen) == 2
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
