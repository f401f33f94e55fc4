package infer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// RowLock is FOR UPDATE and its kin on the rows of one table.
type RowLock struct {
	Table    string // schema.name
	Strength query.LockClauseStrength
	Wait     query.LockWaitPolicy
}

// String returns the lock as SQL writes it, behind the table's name.
func (l RowLock) String() string {
	text := map[query.LockClauseStrength]string{
		query.LockForKeyShare: " FOR KEY SHARE", query.LockForShare: " FOR SHARE",
		query.LockForNoKeyUpdate: " FOR NO KEY UPDATE", query.LockForUpdate: " FOR UPDATE",
	}[l.Strength]
	wait := map[query.LockWaitPolicy]string{query.LockWaitSkip: " SKIP LOCKED", query.LockWaitError: " NOWAIT"}[l.Wait]
	return l.Table + text + wait
}

// effects collects what a statement reads, writes, locks and calls: through views,
// SQL functions, the actions of foreign keys and the policies of row-level
// security. The tables that a foreign key looks into to check a row are not reads:
// the result does not depend on them. The target of a statement is a write alone.
type effects struct {
	cat   *catalog.Catalog
	facts *Facts
	// calls are the functions whose bodies are being looked at.
	calls []pgtype.OID
	// acted holds the tables and events whose triggers and foreign keys were
	// followed, policed the tables and commands whose policies were.
	acted   map[action]bool
	policed map[action]bool
}

type action struct {
	table pgtype.OID
	event string
}

// inferEffects fills in all of Facts but columns and rows.
func inferEffects(cat *catalog.Catalog, q *query.Query, f *Facts) {
	e := &effects{cat: cat, facts: f, acted: map[action]bool{}, policed: map[action]bool{}}
	e.query(q)
	for _, list := range []*[]string{&f.Reads, &f.Writes, &f.Unknown, &f.ReadsUnknown, &f.VolatilityWhy, &f.WritesWhy, &f.Triggers} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.SortFunc(f.RowLocks, func(a, b RowLock) int {
		return cmp.Or(strings.Compare(a.Table, b.Table), cmp.Compare(a.Strength, b.Strength), cmp.Compare(a.Wait, b.Wait))
	})
	f.RowLocks = slices.Compact(f.RowLocks)
	f.Locks = len(f.RowLocks) > 0
}

func tableName(t *catalog.Table) string { return t.Schema + "." + t.Name }

func (e *effects) query(q *query.Query) {
	f := e.facts
	if q.Command == query.CmdUtility {
		e.raise(Volatile, cmp.Or(q.Utility, "a utility statement"))
		f.Unknown = append(f.Unknown, cmp.Or(q.Utility, "a utility statement"))
		return
	}
	for _, m := range q.RowMarks {
		// A transaction that reads alone refuses it though there be no table to lock.
		f.impure = true
		e.lock(q.RTE(m.Index), m)
	}
	for i, rte := range q.RangeTable {
		t := e.cat.Table(rte.Relation)
		if rte.Kind != query.RTERelation || t == nil {
			continue
		}
		switch {
		case i+1 == q.ResultRelation:
			e.target(q, t)
		case q.OnConflict != nil && q.OnConflict.ExclRelIndex == i+1:
		default:
			e.reads(t, rte.Inherit)
		}
	}
	q.EachExpr(func(x *query.Expr) {
		query.Walk(*x, func(n query.Expr) bool {
			e.expr(n)
			return true
		})
	})
	for _, c := range slices.Concat(q.GroupClause, q.Distinct, q.SortClause) {
		for _, op := range []pgtype.OID{c.EqOp, c.SortOp} {
			e.call(opFunc(e.cat, op), e.operator(op))
		}
	}
	q.Subqueries(e.query)
}

// reads follows a table or view that is read.
func (e *effects) reads(t *catalog.Table, inherit bool) {
	f := e.facts
	switch {
	case t.Kind == catalog.KindView && t.View != nil:
		e.query(t.View)
		return
	case t.Kind == catalog.KindView:
		f.Unknown = append(f.Unknown, "view "+tableName(t))
		return
	}
	f.Reads = append(f.Reads, tableName(t))
	f.onPrimary = f.onPrimary || t.Unlogged || t.Temp
	e.policies(t, "select")
	if inherit && t.Kind != catalog.KindPartitioned {
		for _, o := range t.Children {
			if child := e.cat.Table(o); child != nil {
				e.reads(child, true)
			}
		}
	}
}

// lock notes a row lock; one on a subquery or view is on all its tables.
func (e *effects) lock(rte *query.RangeTblEntry, m *query.RowMarkClause) {
	switch rte.Kind {
	case query.RTERelation:
		if t := e.cat.Table(rte.Relation); t != nil && t.Kind == catalog.KindView && t.View != nil {
			for _, in := range t.View.RangeTable {
				e.lock(in, m)
			}
		} else if t != nil {
			e.facts.RowLocks = append(e.facts.RowLocks, RowLock{tableName(t), m.Strength, m.Wait})
		}
	case query.RTESubquery:
		for _, in := range rte.Subquery.RangeTable {
			e.lock(in, m)
		}
	}
}

// policies follows the conditions of row-level security, which hold for all roles
// but the table's owner, superusers and those with BYPASSRLS.
func (e *effects) policies(t *catalog.Table, command string) {
	at := action{t.OID, command}
	if !t.RowSecurity || e.policed[at] {
		return
	}
	e.policed[at] = true
	for _, p := range t.Policies {
		if p.Command != "" && !strings.EqualFold(p.Command, "all") && !strings.EqualFold(p.Command, command) {
			continue
		}
		for _, x := range []query.Expr{p.Using, p.Check} {
			query.Walk(x, func(n query.Expr) bool {
				e.expr(n)
				if s, ok := n.(*query.SubLink); ok {
					e.query(s.Subselect)
				}
				return true
			})
		}
	}
}

// expr follows what evaluating one node calls.
func (e *effects) expr(x query.Expr) {
	switch n := x.(type) {
	case *query.SQLValueFunction:
		e.raise(Stable, n.Name)
		return
	case *query.NextValueExpr:
		e.raise(Volatile, "nextval")
		e.facts.impure = true
		return
	case *query.JSONExpr:
		for _, a := range n.Args {
			if !e.fixedText(a.ResultType()) {
				e.raise(Stable, strings.ToLower(n.Op))
			}
		}
	case *query.XMLExpr:
		e.raise(Stable, strings.ToLower(n.Op))
	}
	name := ""
	switch n := x.(type) {
	case *query.CoerceViaIO:
		name = "cast to " + e.cat.SQLType(n.Typ)
	case *query.OpExpr:
		name = e.operator(n.Op)
	case *query.ScalarArrayOpExpr:
		name = e.operator(n.Op)
	}
	for _, oid := range calledBy(e.cat, x) {
		e.call(oid, name)
	}
}

// operator names an operator with the types that tell it from its namesakes.
func (e *effects) operator(op pgtype.OID) string {
	o := e.cat.Operator(op)
	switch {
	case o == nil:
		return ""
	case o.Left == 0:
		return o.Name + " " + e.cat.SQLType(o.Right)
	}
	return e.cat.SQLType(o.Left) + " " + o.Name + " " + e.cat.SQLType(o.Right)
}

// fixedText reports whether the text of a type's values hangs on no setting
// (to_json_is_immutable, json.c).
func (e *effects) fixedText(typ pgtype.OID) bool {
	t := e.cat.Type(e.cat.BaseType(typ))
	if t == nil {
		return false
	}
	f := e.cat.Func(t.Output)
	return t.Kind != 'c' && !t.IsArray() && f != nil && f.Volatile == 'i' || t.Kind == 'e'
}

// call follows a call; name is what the text has for it, "" for the function's own
// name. Of a SQL function the body says what it does, of another
// one of the user's its volatility: one that is volatile may do anything, one that
// is stable may read anything.
func (e *effects) call(oid pgtype.OID, name string) {
	f := e.cat.Func(oid)
	if f == nil {
		return
	}
	name = cmp.Or(name, f.Name)
	known := f.Language == "sql" && f.Body != nil
	switch f.Volatile {
	case 's':
		e.raise(Stable, name)
	case 'v':
		e.raise(Volatile, name)
		e.facts.impure = e.facts.impure || !known
	}
	if f.OID < pgtype.FirstNormalOID {
		switch {
		case writesLargeObjects[f.Source]:
			e.facts.Writes = append(e.facts.Writes, "pg_catalog.pg_largeobject")
		case f.Source == "pg_current_xact_id":
			// Stable, but it gives the transaction an id, which a standby cannot.
			e.facts.impure = true
		case readsByName[f.Source]:
			e.facts.ReadsUnknown = append(e.facts.ReadsUnknown, "function "+f.Schema+"."+f.Name)
		}
		return
	}
	if f.Language == "c" && readsByName[f.Source] {
		e.facts.ReadsUnknown = append(e.facts.ReadsUnknown, "function "+f.Schema+"."+f.Name)
	}
	e.result(f)
	if !e.follow(f, "function "+f.Schema+"."+f.Name) {
		switch {
		case f.Volatile == 'v':
			e.facts.Unknown = append(e.facts.Unknown, "function "+f.Schema+"."+f.Name)
		case f.Volatile == 's' && f.Language != "c" && f.Language != "internal":
			e.facts.ReadsUnknown = append(e.facts.ReadsUnknown, "function "+f.Schema+"."+f.Name)
		}
	}
}

// result follows the CHECKs of a domain that a function of the user's returns.
func (e *effects) result(f *catalog.Func) {
	checks := calledByChecks(e.cat, f.Result, 0)
	if len(checks) == 0 || slices.Contains(e.calls, f.OID) {
		return
	}
	e.calls = append(e.calls, f.OID)
	defer func() { e.calls = e.calls[:len(e.calls)-1] }()
	for _, c := range checks {
		e.call(c, "")
	}
}

// follow looks into the body of a function: the statements of one in SQL, the
// tables that one in PL/pgSQL names; by says what calls it. It reports whether
// everything that the body does is known.
func (e *effects) follow(f *catalog.Func, by string) bool {
	if slices.Contains(e.calls, f.OID) {
		return true
	}
	e.calls = append(e.calls, f.OID)
	defer func() { e.calls = e.calls[:len(e.calls)-1] }()
	if f.Language == "sql" && f.Body != nil {
		volatility, why := e.facts.Volatility, e.facts.VolatilityWhy
		for _, q := range f.Body {
			e.query(q)
		}
		e.facts.Volatility, e.facts.VolatilityWhy = volatility, why
		return true
	}
	return e.named(f.Effects, by)
}

// named follows the tables and functions that a text names, nil for nothing known,
// and reports whether that is all.
func (e *effects) named(x *catalog.Effects, by string) bool {
	if x == nil {
		return false
	}
	known := x.Known
	e.facts.impure = e.facts.impure || x.Volatile
	for _, o := range x.Reads {
		if t := e.cat.Table(o); t != nil {
			e.reads(t, true)
		}
	}
	for _, o := range x.Writes {
		if t := e.cat.Table(o); t != nil {
			e.mayWrite(t, by)
		}
	}
	for _, o := range x.Calls {
		if c := e.cat.Func(o); c != nil {
			followed := e.follow(c, by)
			known = followed && known
			e.facts.impure = e.facts.impure || !followed && c.Volatile == 'v'
		}
	}
	return known
}

// writesLargeObjects are built-in functions, by their C names, that change large
// objects.
var writesLargeObjects = set(`be_lo_create be_lo_creat be_lo_unlink be_lo_import be_lo_import_with_oid
	be_lo_from_bytea be_lo_put be_lowrite be_lo_truncate be_lo_truncate64`)

// readsByName are functions of the server and of extensions, by their C names, that run
// a query which an argument gives or names the tables of.
var readsByName = set(`table_to_xml table_to_xml_and_xmlschema query_to_xml query_to_xml_and_xmlschema cursor_to_xml
	schema_to_xml schema_to_xml_and_xmlschema database_to_xml database_to_xml_and_xmlschema ts_stat1 ts_stat2 tsquery_rewrite_query
	crosstab crosstab_hash connectby_text connectby_text_serial xpath_table`)

// raise notes that something is as volatile as v.
func (e *effects) raise(v Volatility, why string) {
	f := e.facts
	if v > f.Volatility {
		f.Volatility, f.VolatilityWhy = v, nil
	}
	if v == f.Volatility && why != "" {
		f.VolatilityWhy = append(f.VolatilityWhy, why)
	}
}
