package ddl

import (
	"fmt"
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// doBlock runs the DDL of a DO block as far as the text and the catalog tell what
// is run: plain statements, the arms of conditions that can be decided, loops
// over constants, and texts made of constants. What cannot be told is reported at
// its place.
func (a *applier) doBlock(s *pg.DoStmt) {
	code, language := "", "plpgsql"
	for _, n := range s.Args {
		switch d := n.GetDefElem(); d.Defname {
		case "as":
			code = defString(d)
		case "language":
			language = defString(d)
		}
	}
	lit := a.literalAt(0, code)
	if language != "plpgsql" {
		a.unsupported(noLoc, "a DO block in %s: what it does to the schema is not known", language)
		a.cat.AddUnfollowed(catalog.Unfollowed{Place: a.decl(noLoc), Text: code})
		return
	}
	block, offset, ok := readBlock(code)
	if !ok {
		a.badBlock(lit, offset)
		return
	}
	a.within(lit, func() {
		d := &doRun{applier: a, lit: lit, vars: map[string]value{"found": false}}
		d.block(block)
	})
}

// badBlock reports text that is no PL/pgSQL: as a syntax error where the server's
// own grammar says so too.
func (a *applier) badBlock(lit *parser.Statement, offset int) {
	outer := a.stmt
	_, err := pg.ParsePlPgSqlToJSON(outer.Text)
	a.within(lit, func() {
		end := lit.Map.Original(len(lit.Text))
		place := source.Span{Start: end, End: end + 1}
		if offset < len(lit.Text) {
			place = lit.Place(offset)
		}
		d := diag.Diagnostic{
			Severity: diag.Warning, Code: "unsupported", File: lit.File, Span: place,
			Message: "not supported yet: this text of PL/pgSQL is not understood",
		}
		if err != nil && strings.HasPrefix(err.Error(), "syntax error") {
			d.Severity, d.Code, d.SQLState, d.Message = diag.Error, "syntax", "42601", err.Error()
		}
		a.diags.Add(d)
	})
}

// doRun is one run of a DO block.
type doRun struct {
	*applier
	lit  *parser.Statement
	vars map[string]value
	// returned is set by RETURN, failed by an error that a handler may take.
	returned bool
	// reported holds the statements in doubt, so that each is named once.
	reported map[*plStmt]bool
	steps    int
}

// maxSteps bounds how much a block may run; loops over constants are short.
const maxSteps = 10000

// block runs a block; an error in it that its EXCEPTION clause names ends it and
// runs the handler.
func (d *doRun) block(b *plStmt) {
	for _, v := range b.decls {
		d.vars[v.name] = nil
		if !v.expr.IsZero() {
			d.vars[v.name] = d.eval(v.expr)
		}
	}
	if len(b.handlers) == 0 {
		d.stmts(b.body)
		return
	}
	before := len(d.diags)
	for i, s := range b.body {
		d.stmts([]*plStmt{s})
		h := d.caught(b, before)
		if h == nil {
			continue
		}
		d.diags = d.diags[:before]
		if i > 0 && slices.ContainsFunc(b.body[:i], d.changes) {
			d.doubt(s, "a statement of a block fails behind others, whose undoing is not followed")
		}
		d.stmts(h.body)
		return
	}
}

// caught is the handler for the first error since, nil for none.
func (d *doRun) caught(b *plStmt, since int) *plHandler {
	for _, x := range d.diags[since:] {
		if x.Severity != diag.Error {
			continue
		}
		for i := range b.handlers {
			if slices.ContainsFunc(b.handlers[i].conditions, func(c string) bool { return catches(c, x.SQLState) }) {
				return &b.handlers[i]
			}
		}
		return nil
	}
	return nil
}

// catches reports whether a condition of an EXCEPTION clause names an error
// (plpgsql's list in plerrcodes.h, as far as DDL raises them).
func catches(condition, state string) bool {
	switch condition {
	case "others":
		return true
	case state, strings.ToLower(state):
		return true
	}
	states := map[string]string{
		"duplicate_object": "42710", "duplicate_table": "42P07", "duplicate_column": "42701",
		"duplicate_schema": "42P06", "duplicate_function": "42723", "duplicate_alias": "42712",
		"duplicate_database": "42P04", "duplicate_cursor": "42P03",
		"undefined_table": "42P01", "undefined_object": "42704", "undefined_column": "42703",
		"undefined_function": "42883", "undefined_parameter": "42P02", "invalid_schema_name": "3F000",
		"invalid_table_definition": "42P16", "invalid_object_definition": "42P17",
		"invalid_column_definition": "42611", "invalid_function_definition": "42P13",
		"invalid_column_reference": "42P10", "invalid_foreign_key": "42830",
		"dependent_objects_still_exist": "2BP01", "wrong_object_type": "42809",
		"datatype_mismatch": "42804", "feature_not_supported": "0A000", "syntax_error": "42601",
		"cannot_coerce": "42846", "reserved_name": "42939", "ambiguous_function": "42725",
		"invalid_parameter_value": "22023", "object_not_in_prerequisite_state": "55000",
		"invalid_text_representation": "22P02", "ambiguous_column": "42702",
	}
	classes := map[string]string{
		"syntax_error_or_access_rule_violation": "42", "data_exception": "22",
		"dependent_privilege_descriptors_still_exist": "2B",
	}
	if c, ok := classes[condition]; ok && strings.HasPrefix(state, c) {
		return true
	}
	return states[condition] == state
}

func (d *doRun) stmts(list []*plStmt) {
	for _, s := range list {
		if d.returned {
			return
		}
		if d.steps++; d.steps > maxSteps {
			d.doubt(s, "a block that runs this long is not followed")
			d.returned = true
			return
		}
		before := len(d.diags)
		d.stmt(s)
		if d.diags[before:].HasErrors() {
			return
		}
	}
}

func (d *doRun) stmt(s *plStmt) {
	switch s.kind {
	case plBlock:
		d.block(s)
	case plIf:
		d.branch(s)
	case plLoop:
		d.loop(s)
	case plAssign:
		if s.target != "" {
			d.vars[s.target] = d.eval(s.expr)
		}
	case plReturn, plRaise:
		d.returned = true
	case plPerform:
		d.row("SELECT "+d.text(s.expr), nil)
		d.calls(s, "SELECT "+d.text(s.expr))
	case plSQL:
		d.sql(s)
	case plExecute:
		if text, ok := d.eval(s.expr).(string); ok {
			d.execute(s, text)
			return
		}
		if dataText(d.text(s.expr)) {
			return
		}
		d.doubt(s, "EXECUTE of a text that is made at run time: what it does to the schema is not known")
	}
}

func (d *doRun) text(span source.Span) string { return d.lit.Text[span.Start:span.End] }

// branch runs the first arm whose condition holds. Where that cannot be decided,
// no arm is run, and it is said if one would change the schema.
func (d *doRun) branch(s *plStmt) {
	for _, arm := range s.arms {
		hold := value(true)
		switch {
		case arm.cond.IsZero():
		case s.simple:
			hold = d.evalText("(" + d.text(s.expr) + ") IN (" + d.text(arm.cond) + ")")
		default:
			hold = d.eval(arm.cond)
		}
		switch hold {
		case true:
			d.stmts(arm.body)
			return
		case false, nil:
			continue
		}
		for _, x := range s.arms {
			if slices.ContainsFunc(x.body, d.changes) {
				d.doubtAt(s, arm.cond, "whether this condition holds is not known: the DDL that depends on it is not applied")
				break
			}
		}
		d.forget(s)
		return
	}
}

// loop runs FOREACH over constants; another loop is reported if it would change
// the schema.
func (d *doRun) loop(s *plStmt) {
	if s.array && s.target != "" {
		if list, ok := d.eval(s.expr).([]value); ok {
			for _, v := range list {
				d.vars[s.target] = v
				d.stmts(s.body)
				if d.returned {
					return
				}
			}
			return
		}
	}
	if slices.ContainsFunc(s.body, d.changes) {
		d.doubt(s, "a loop: the DDL in it is not applied")
	}
	d.forget(s)
}

// forget makes the variables that a statement may set unknown.
func (d *doRun) forget(s *plStmt) {
	eachStmt(s, func(x *plStmt) {
		if x.target != "" {
			d.vars[x.target] = unknown{}
		}
	})
	d.vars["found"] = unknown{}
}

// sql applies a statement.
func (d *doRun) sql(s *plStmt) {
	sub := part(d.lit, s.span, "", s.into)
	if s.into.IsZero() {
		d.run(sub)
	} else {
		d.row(sub.Text, &s.target)
	}
	d.calls(s, sub.Text)
}

// part is a part of a text as a statement of its own, with a keyword put in front
// and one clause, which may be zero, left out.
func part(lit *parser.Statement, span source.Span, lead string, without source.Span) *parser.Statement {
	text := []byte(lit.Text[span.Start:span.End])
	for i := without.Start; i < without.End; i++ {
		text[i-span.Start] = ' '
	}
	return &parser.Statement{
		File: lit.File, Span: lit.FileSpan(span), Text: lead + string(text), Map: lit.Map.From(span.Start, len(lead)),
	}
}

// run applies the statements of a text.
func (d *doRun) run(sub *parser.Statement) {
	tree, err := pg.Parse(sub.Text)
	if err != nil {
		d.diags.Add(d.bodySyntax(sub, err))
		return
	}
	for _, raw := range tree.Stmts {
		sel := raw.Stmt.GetSelectStmt()
		if sel != nil && sel.IntoClause != nil {
			// INTO names a variable here.
			continue
		}
		d.within(sub, func() { d.try(func() { d.statement(raw.Stmt) }) })
	}
}

// execute applies a text that EXECUTE is given.
func (d *doRun) execute(s *plStmt, text string) {
	sub := part(d.lit, s.expr, "", source.Span{})
	var at *parser.Statement
	d.within(sub, func() { at = d.literalAt(0, text) })
	at.Span = sub.Span
	d.run(at)
}

// row looks at the rows of a query over the catalog: FOUND is known then, and
// the variable that INTO names.
func (d *doRun) row(text string, target *string) {
	d.vars["found"] = unknown{}
	if target != nil && *target != "" {
		d.vars[*target] = unknown{}
	}
	tree, err := pg.Parse(text)
	if err != nil || len(tree.Stmts) != 1 {
		return
	}
	sel := tree.Stmts[0].Stmt.GetSelectStmt()
	if sel == nil {
		return
	}
	d.setConfig(sel)
	e := &evaluator{a: d.applier, vars: d.vars}
	rows, known := e.rows(sel, 1)
	if !known {
		return
	}
	d.vars["found"] = len(rows) > 0
	if target == nil || *target == "" {
		return
	}
	d.vars[*target] = nil
	if len(rows) > 0 && len(rows[0]) == 1 {
		d.vars[*target] = rows[0][0]
	}
}

func (d *doRun) eval(span source.Span) value { return d.evalText(d.text(span)) }

func (d *doRun) evalText(text string) value {
	tree, err := pg.Parse("SELECT " + text)
	if err != nil || len(tree.Stmts) != 1 {
		return unknown{}
	}
	sel := tree.Stmts[0].Stmt.GetSelectStmt()
	if sel == nil {
		return unknown{}
	}
	e := &evaluator{a: d.applier, vars: d.vars}
	rows, known := e.rows(sel, 1)
	switch {
	case !known:
		return unknown{}
	case len(rows) == 0:
		return nil
	}
	return rows[0][0]
}

// calls reports a call of a function whose body changes the schema.
func (d *doRun) calls(s *plStmt, text string) {
	tree, err := pg.Parse(text)
	if err != nil {
		return
	}
	for _, raw := range tree.Stmts {
		if f := d.ddlCall(raw.Stmt); f != nil {
			d.doubt(s, fmt.Sprintf("the function %s changes the schema when it is called; that is not followed", d.signature(f)))
		}
	}
}

// doubt reports a statement whose effect is not known, once.
func (d *doRun) doubt(s *plStmt, why string) { d.doubtAt(s, s.span, why) }

func (d *doRun) doubtAt(s *plStmt, span source.Span, why string) {
	if d.reported[s] {
		return
	}
	if d.reported == nil {
		d.reported = map[*plStmt]bool{}
	}
	d.reported[s] = true
	d.cat.AddUnfollowed(catalog.Unfollowed{
		Place: catalog.Place{File: d.lit.File, Span: d.lit.FileSpan(span)}, Text: d.lit.Text,
	})
	d.diags.Add(diag.Diagnostic{
		Severity: diag.Warning, Code: "unsupported", Message: "not supported yet: " + why,
		File: d.lit.File, Span: d.lit.FileSpan(span),
	})
}

// changes reports whether a statement, or one in it, may change the schema.
func (d *doRun) changes(s *plStmt) bool {
	found := false
	eachStmt(s, func(x *plStmt) {
		switch x.kind {
		case plExecute:
			// A text whose beginning is known to be data's is none of the
			// schema's business.
			found = found || !dataText(d.text(x.expr))
		case plSQL:
			found = found || changesSchema(d.text(x.span))
		}
	})
	return found
}

// dataText reports whether an expression of EXECUTE begins with a constant that
// names a statement of data.
func dataText(expr string) bool {
	i := strings.IndexByte(expr, '\'')
	if i < 0 || strings.Trim(strings.ToLower(expr[:i]), " \t\r\n(e") != "" &&
		strings.Trim(strings.ToLower(expr[:i]), " \t\r\n(") != "format" {
		return false
	}
	return !changesSchema(expr[i+1:])
}

// changesSchema reports whether a text begins as a statement that may change the
// schema.
func changesSchema(text string) bool {
	lexer := source.NewLexer(text, 0)
	var words []string
	for p, ok := lexer.Next(); ok && len(words) < 2; p, ok = lexer.Next() {
		if p.Kind == source.Word {
			words = append(words, strings.ToUpper(text[p.Span.Start:p.Span.End]))
		} else if p.Kind != source.Space && p.Kind != source.LineComment && p.Kind != source.BlockComment {
			break
		}
	}
	if len(words) == 0 {
		return true
	}
	switch words[0] {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TRUNCATE", "GRANT", "REVOKE", "LOCK",
		"ANALYZE", "VACUUM", "REINDEX", "CLUSTER", "REFRESH", "COPY", "NOTIFY", "SET", "RESET", "CALL", "COMMENT",
		"EXPLAIN", "REASSIGN", "LISTEN", "DISCARD", "SECURITY":
		return false
	}
	if len(words) == 2 && slices.Contains([]string{"CREATE", "ALTER", "DROP"}, words[0]) {
		switch words[1] {
		case "ROLE", "USER", "GROUP", "DATABASE", "PUBLICATION", "SUBSCRIPTION", "SERVER", "EVENT", "TABLESPACE",
			"SYSTEM", "DEFAULT", "STATISTICS":
			return false
		}
	}
	return true
}

// eachStmt calls fn for a statement and all in it.
func eachStmt(s *plStmt, fn func(*plStmt)) {
	fn(s)
	each := func(list []*plStmt) {
		for _, x := range list {
			eachStmt(x, fn)
		}
	}
	each(s.body)
	for _, arm := range s.arms {
		each(arm.body)
	}
	for _, h := range s.handlers {
		each(h.body)
	}
}

// ddlCall finds a call of a user's function whose body changes the schema.
func (a *applier) ddlCall(n *pg.Node) *catalog.Func {
	var hit *catalog.Func
	eachCall(n, func(c *pg.FuncCall) {
		schema, name := split(c.Funcname)
		for _, f := range a.cat.FuncsByName(schema, name) {
			if f.OID >= pgtype.FirstNormalOID && hit == nil && a.hasDDL(f) {
				hit = f
			}
		}
	})
	return hit
}

// hasDDL reports whether a function's own text changes the schema.
func (a *applier) hasDDL(f *catalog.Func) bool {
	switch f.Language {
	case "plpgsql":
		block, _, ok := readBlock(f.Source)
		if !ok {
			return false
		}
		d := &doRun{applier: a, lit: &parser.Statement{Text: f.Source}}
		return d.changes(block)
	case "sql":
		for _, q := range f.Body {
			if q.Utility != "" && changesSchema(q.Utility+" ") {
				return true
			}
		}
	}
	return false
}
