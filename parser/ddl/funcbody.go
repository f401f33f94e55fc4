package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// bodyText reads the AS clause (interpret_AS_clause, functioncmds.c) and
// analyses a body that is written as SQL.
func (a *applier) bodyText(f *catalog.Func, s *pg.CreateFunctionStmt, as *pg.DefElem) {
	switch {
	case s.SqlBody == nil && as == nil:
		a.fail("42P13", noLoc, "no function body specified")
	case s.SqlBody != nil && as != nil:
		a.fail("42P13", noLoc, "duplicate function body specified")
	case s.SqlBody != nil && f.Language != "sql":
		a.fail("42P13", noLoc, "inline SQL function body only valid for language SQL")
	case s.SqlBody != nil:
		a.inlineBody(f, s.SqlBody)
		return
	}
	parts := strs(nameParts(as.Arg))
	switch {
	case f.Language == "c":
		f.Source = parts[len(parts)-1]
		if len(parts) == 1 || f.Source == "-" {
			f.Source = f.Name
		}
	case len(parts) != 1:
		a.fail("42P13", noLoc, "only one AS item needed for language %q", f.Language)
	default:
		f.Source = parts[0]
	}
}

// inlineBody analyses RETURN … or BEGIN ATOMIC … END.
func (a *applier) inlineBody(f *catalog.Func, body *pg.Node) {
	if slices.ContainsFunc(f.Args, isPolymorphic) {
		a.fail("42P13", noLoc, "SQL function with unquoted function body cannot have polymorphic arguments")
	}
	stmts := []*pg.Node{body}
	if l := body.GetList(); l != nil {
		stmts = l.Items[0].GetList().GetItems()
	}
	f.InlineBody = true
	a.sqlResult(f)
	got, err := analyze.Function(a.cat, analyze.SQLFunction{Text: a.stmt.Text, Stmts: stmts, Func: f})
	if err != nil {
		a.orWarn(err)
		return
	}
	for i, q := range got {
		if q.Command == query.CmdUtility {
			a.fail("0A000", noLoc, "%s is not yet supported in unquoted SQL function body", utilityName(stmts[i]))
		}
	}
	f.Body = got
}

// utilityName is the command tag of a statement that is no query (CreateCommandTag,
// utility.c), as far as its grammar node spells it.
func utilityName(n *pg.Node) string {
	name := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", n.Node), "*pg_query.Node_"), "Stmt")
	if name == "Create" {
		return "CREATE TABLE"
	}
	var b strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String())
}

func isPolymorphic(t pgtype.OID) bool { return polymorphicInputs(t) != nil }

// sqlResult refuses pseudo-types that a SQL function may not have
// (fmgr_sql_validator, pg_proc.c).
func (a *applier) sqlResult(f *catalog.Func) {
	pseudo := func(oid pgtype.OID) bool {
		t := a.cat.Type(oid)
		return t != nil && t.Kind == 'p' && !isPolymorphic(oid)
	}
	if pseudo(f.Result) && f.Result != pgtype.RecordOID && f.Result != pgtype.VoidOID {
		a.fail("42P13", noLoc, "SQL functions cannot return type %s", a.typeWord(f.Result))
	}
	for _, t := range f.Args {
		if pseudo(t) {
			a.fail("42P13", noLoc, "SQL functions cannot have arguments of type %s", a.typeWord(t))
		}
	}
}

// functionBody checks a body that is written as a string, as the language's
// validator does, and keeps what it does.
func (a *applier) functionBody(f *catalog.Func, s *pg.CreateFunctionStmt, as *pg.DefElem) {
	switch {
	case f.Language == "sql" && s.SqlBody == nil:
		a.sqlResult(f)
		if !a.cat.SkipBodies {
			a.checkSQLBody(f, a.literal(as, f.Source))
		}
	case f.Language == "plpgsql" && !a.cat.SkipBodies:
		a.checkBlock(f, a.literal(as, f.Source))
	}
}

// checkSQLBody parses and analyses the body of a SQL function; lit is the text as
// it stands in the file.
func (a *applier) checkSQLBody(f *catalog.Func, lit *parser.Statement) {
	tree, err := pg.Parse(lit.Text)
	if err != nil {
		panic(failure{a.bodySyntax(lit, err)})
	}
	// Types are known only where the function is called.
	if slices.ContainsFunc(f.Args, isPolymorphic) {
		return
	}
	defer a.withPath(f)()
	got, bad := analyze.Function(a.cat, analyze.SQLFunction{Text: lit.Text, Stmts: rawStmts(tree), Func: f})
	if bad != nil {
		a.within(lit, func() { a.orWarn(bad) })
		return
	}
	f.Body = got
}

func rawStmts(tree *pg.ParseResult) []*pg.Node {
	out := make([]*pg.Node, len(tree.Stmts))
	for i, s := range tree.Stmts {
		out[i] = s.Stmt
	}
	return out
}

// bodySyntax is a syntax error in text that a statement quotes.
func (a *applier) bodySyntax(lit *parser.Statement, err error) diag.Diagnostic {
	return annotation.SyntaxError(err, lit.Text, lit.File, func(at int) source.Span {
		if at >= len(lit.Text) {
			// The end of the body: the quote that closes it.
			end := lit.Map.Original(len(lit.Text))
			return source.Span{Start: end, End: end + 1}
		}
		return lit.Place(at)
	})
}

// within runs fn with text that the current statement quotes as the current one.
func (a *applier) within(lit *parser.Statement, fn func()) {
	outer := a.stmt
	a.stmt = lit
	defer func() { a.stmt = outer }()
	fn()
}

// withPath sets the search path that a function fixes, and returns what sets the
// session's again.
func (a *applier) withPath(f *catalog.Func) (undo func()) {
	path := a.cat.SearchPath
	if v, ok := settingOf(f, "search_path"); ok {
		a.setPath(pathItems(v))
	}
	return func() { a.cat.SearchPath = path }
}

// pathItems divides a search path as SHOW prints it.
func pathItems(v string) []string {
	var path []string
	for _, p := range strings.Split(v, ",") {
		path = append(path, strings.Trim(strings.TrimSpace(p), `"`))
	}
	return path
}

// literal is the constant behind AS (or DO) as a text of its own whose places
// lead to the file (match_prosrc_to_query, pg_proc.c).
func (a *applier) literal(as *pg.DefElem, value string) *parser.Statement {
	return a.literalAt(int(as.GetLocation()), value)
}

// literalAt finds the constant with a value at or behind an offset of the
// statement's text. Where its places cannot be told, all lead to the whole of it.
func (a *applier) literalAt(at int, value string) *parser.Statement {
	text := a.stmt.Text
	lit := &parser.Statement{File: a.stmt.File, Span: a.stmt.Span, Text: value}
	whole := a.stmt.Span
	lexer := source.NewLexer(text, max(at, 0))
	escapes := false
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		switch p.Kind {
		case source.DollarString:
			tag := strings.IndexByte(text[p.Span.Start+1:], '$') + 2
			if text[p.Span.Start+tag:p.Span.End-tag] == value {
				start := a.stmt.Map.Original(p.Span.Start + tag)
				lit.Map.Replace(0, 0, source.Span{Start: start, End: start})
				return lit
			}
		case source.Word:
			escapes = strings.EqualFold(text[p.Span.Start:p.Span.End], "e")
		case source.StringConst:
			whole = a.stmt.FileSpan(p.Span)
			if m, ok := a.quotedMap(text[p.Span.Start+1:p.Span.End-1], p.Span.Start+1, value, escapes); ok {
				lit.Map = m
				return lit
			}
		}
	}
	lit.Map.Replace(0, len(value), whole)
	return lit
}

// quotedMap leads from the value of a constant in single quotes to its text,
// which stands at an offset of the statement; ok is false where the text does not
// make the value. Of escapes those of one character are known.
func (a *applier) quotedMap(text string, at int, value string, escapes bool) (m source.Map, ok bool) {
	start := a.stmt.Map.Original(at)
	m.Replace(0, 0, source.Span{Start: start, End: start})
	n := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\'' || c == '\\' && escapes {
			if i+1 == len(text) {
				return m, false
			}
			from := a.stmt.Map.Original(at + i)
			m.Replace(n, 1, source.Span{Start: from, End: from + 2})
			i++
			if c = text[i]; text[i-1] == '\\' {
				if j := strings.IndexByte("nrtbf", c); j >= 0 {
					c = "\n\r\t\b\f"[j]
				}
			}
		}
		if n >= len(value) || value[n] != c {
			return m, false
		}
		n++
	}
	return m, n == len(value)
}

// finishBodies analyses the bodies of SQL functions again, now that everything
// they may name is there: a body that is a string is read when the function is
// called. Those of extensions are left alone. One that cannot be analysed stays unknown.
func (a *applier) finishBodies() {
	for _, f := range a.cat.Funcs() {
		if f.Language == "sql" && !f.InlineBody && f.Kind != 'a' && f.Decl.File != nil {
			f.Body = a.lateBody(f)
		}
	}
}

// lateBody is what a string body means now, nil where that is not known.
func (a *applier) lateBody(f *catalog.Func) []*query.Query {
	if slices.ContainsFunc(f.Args, isPolymorphic) {
		return nil
	}
	tree, err := pg.Parse(f.Source)
	if err != nil {
		return nil
	}
	defer a.withPath(f)()
	got, bad := analyze.Function(a.cat, analyze.SQLFunction{Text: f.Source, Stmts: rawStmts(tree), Func: f})
	if bad != nil {
		return nil
	}
	return got
}
