// Package parser turns SQL files into statements: each with its place in the
// file, its annotation, its parameters and PostgreSQL's own parse tree.
//
// A file is divided at its semicolons ([ParseFiles]); each statement is then
// rewritten by package annotation, so that it has $n where the file has names,
// and parsed by itself, so that one run reports every syntax error. All places in
// a tree are byte offsets into [Statement.Text]; [Statement.Place] and
// [Statement.FileSpan] lead from there to the file.
//
// The package imports parser/source, parser/diag, parser/annotation and pg_query.
package parser

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// Mode says what files are read for.
type Mode int

const (
	// Queries are files of annotated statements with named arguments.
	Queries Mode = iota
	// Schema are files of DDL: comments mean nothing, nothing is rewritten, and
	// what only psql handles (\restrict, the data of COPY) is passed over.
	Schema
)

// ParseFiles returns the statements of files in their order, and everything that
// is wrong with them. A statement with an error is not returned; the others are.
// In mode Queries two statements with one name, over all files, are an error.
// The time is linear in the size of the input; files are parsed side by side.
func ParseFiles(files []*source.File, mode Mode) ([]*Statement, diag.List) {
	type result struct {
		statements []*Statement
		diags      diag.List
	}
	results := make([]result, len(files))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(files); i = int(next.Add(1)) - 1 {
				results[i].statements, results[i].diags = parseFile(files[i], mode)
			}
		})
	}
	wait.Wait()
	var statements []*Statement
	var diags diag.List
	for _, r := range results {
		statements = append(statements, r.statements...)
		diags.Append(r.diags)
	}
	if mode == Queries {
		statements = unique(statements, &diags)
	}
	return statements, diags
}

// unique drops the statements whose name is taken.
func unique(statements []*Statement, diags *diag.List) []*Statement {
	first := map[string]*Statement{}
	kept := statements[:0]
	for _, s := range statements {
		if s.Annotation == nil {
			kept = append(kept, s)
			continue
		}
		name := s.Annotation.Name
		other := first[name]
		if other == nil {
			first[name] = s
			kept = append(kept, s)
			continue
		}
		at := other.File.Position(other.Annotation.NameSpan.Start)
		diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: annotation.Code, File: s.File, Span: s.Annotation.NameSpan, Query: name,
			Message: fmt.Sprintf("query %q is already defined at %s:%d:%d", name, other.File.Name, at.Line, at.Column),
			Related: []diag.Related{{File: other.File, Span: other.Annotation.NameSpan, Message: "first defined here"}},
		})
	}
	return kept
}

func parseFile(f *source.File, mode Mode) ([]*Statement, diag.List) {
	var diags diag.List
	if d, bad := checkBytes(f); bad {
		diags.Add(d)
		return nil, diags
	}
	s := splitter{file: f, mode: mode}
	chunks := s.split()
	diags.Append(s.diags)
	var statements []*Statement
	for _, c := range chunks {
		if statement := parseChunk(f, c, mode, &diags); statement != nil {
			statements = append(statements, statement)
		}
	}
	return statements, diags
}

// checkBytes refuses what is no text in UTF-8.
func checkBytes(f *source.File) (diag.Diagnostic, bool) {
	d := diag.Diagnostic{Severity: diag.Error, Code: "syntax", SQLState: "22021", File: f}
	if strings.HasPrefix(f.Text, "\xff\xfe") || strings.HasPrefix(f.Text, "\xfe\xff") {
		d.Message, d.Hint = "the file is in UTF-16", "save it as UTF-8"
		return d, true
	}
	if i := strings.IndexByte(f.Text, 0); i >= 0 {
		d.Message = "not a text file: it has a zero byte"
		d.Span = source.Span{Start: i, End: i + 1}
		return d, true
	}
	for i := 0; i < len(f.Text); {
		r, size := utf8.DecodeRuneInString(f.Text[i:])
		if r == utf8.RuneError && size == 1 {
			d.Message = fmt.Sprintf(`invalid byte sequence for encoding "UTF8": 0x%02x`, f.Text[i])
			d.Hint = "save the file as UTF-8"
			d.Span = source.Span{Start: i, End: i + 1}
			return d, true
		}
		i += size
	}
	return d, false
}

// parseChunk reads one statement; nil for none and for one with an error.
func parseChunk(f *source.File, c chunk, mode Mode, diags *diag.List) *Statement {
	s := &Statement{File: f, Span: c.span}
	good := true
	report := func(list diag.List) {
		for i := range list {
			if s.Annotation != nil && list[i].Query == "" {
				list[i].Query = s.Annotation.Name
			}
		}
		good = good && !list.HasErrors()
		diags.Append(list)
	}
	if mode == Queries {
		note, list := annotation.Read(f, c.lead, !c.span.IsZero())
		s.Annotation = note
		report(list)
	}
	if c.span.IsZero() {
		return nil
	}
	if mode == Queries {
		rewritten, list := annotation.Rewrite(f, c.span)
		report(list)
		report(annotation.InBody(f, rewritten.Comments))
		s.Text, s.Map = rewritten.Text, rewritten.Map
		s.Params, s.Embeds = rewritten.Params, rewritten.Embeds
		if list.HasErrors() {
			return nil
		}
	} else {
		s.Text = f.Text[c.span.Start:c.span.End]
		s.Map.Replace(0, 0, source.Span{Start: c.span.Start, End: c.span.Start})
	}
	s.tokens = sync.OnceValue(func() []source.Span { return scanTokens(s.Text) })
	tree, err := pg_query.Parse(s.Text)
	if err != nil {
		d := annotation.SyntaxError(err, s.Text, f, s.Place)
		explain(&d, s, err, c)
		report(diag.List{d})
		return nil
	}
	if c.cut {
		report(diag.List{missingSemicolon(f, c)})
		return nil
	}
	if len(tree.Stmts) != 1 {
		// The splitter divides as psql does; the grammar found more in it.
		report(diag.List{{
			Severity: diag.Error, Code: "syntax", SQLState: "42601", File: f, Span: firstToken(s),
			Message: "cannot divide this text into statements",
			Hint:    "put each statement on lines of its own, ended by a semicolon",
		}})
		return nil
	}
	if !good {
		return nil
	}
	s.Tree = tree.Stmts[0]
	return s
}

func firstToken(s *Statement) source.Span { return s.Place(0) }

func missingSemicolon(f *source.File, c chunk) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: "syntax", SQLState: "42601", File: f,
		Span:    source.Span{Start: c.span.End, End: c.span.End + 1},
		Message: "missing semicolon: an annotation follows in the middle of the statement",
		Label:   `put a ";" here`,
		Related: []diag.Related{{File: f, Span: c.cutBy, Message: "the annotation that follows"}},
	}
}
