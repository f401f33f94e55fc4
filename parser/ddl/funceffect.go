package ddl

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// finishEffects works out what the user's functions read and write, from the
// statements that stand in their text.
func (a *applier) finishEffects() {
	for _, f := range a.cat.Funcs() {
		switch {
		case f.Kind == 'a' || f.Decl.File == nil:
		case f.Language == "sql" && f.InlineBody:
			f.Effects = a.inlineEffects(f)
		case f.Language == "sql":
			e := newEffects(a, f)
			e.text(f.Source)
			f.Effects = e.done()
		case f.Language == "plpgsql":
			f.Effects = a.blockEffects(f)
		}
	}
}

// effects gathers what statements read and write.
type effects struct {
	a                    *applier
	undo                 func()
	reads, writes, calls map[pgtype.OID]bool
	// own are the relations that the text creates itself.
	own             map[string]bool
	known, volatile bool
}

func newEffects(a *applier, f *catalog.Func) *effects {
	return &effects{
		a: a, undo: a.withPath(f), known: true, own: map[string]bool{},
		reads: map[pgtype.OID]bool{}, writes: map[pgtype.OID]bool{}, calls: map[pgtype.OID]bool{},
	}
}

func (e *effects) done() *catalog.Effects {
	e.undo()
	return &catalog.Effects{Reads: oids(e.reads), Writes: oids(e.writes), Calls: oids(e.calls), Known: e.known, Volatile: e.volatile}
}

func oids(m map[pgtype.OID]bool) []pgtype.OID {
	var out []pgtype.OID
	for oid := range m {
		out = append(out, oid)
	}
	slices.Sort(out)
	return out
}

// inlineEffects reads the analysed statements of a body that is written as SQL.
func (a *applier) inlineEffects(f *catalog.Func) *catalog.Effects {
	e := newEffects(a, f)
	e.known = f.Body != nil
	for _, q := range f.Body {
		e.query(q)
		r := newReads()
		r.query(q, nil)
		for oid := range r.relations {
			if oid >= pgtype.FirstNormalOID && !e.writes[oid] {
				e.reads[oid] = true
			}
		}
		for oid := range r.funcs {
			e.mayCall(a.cat.Func(oid))
		}
	}
	return e.done()
}

// query notes the targets of a statement and of those in its WITH.
func (e *effects) query(q *query.Query) {
	if q.ResultRelation > 0 {
		e.writes[q.RTE(q.ResultRelation).Relation] = true
	}
	for _, c := range q.CTEs {
		e.query(c.Query)
	}
}

// blockEffects reads the statements and expressions of a body in PL/pgSQL.
func (a *applier) blockEffects(f *catalog.Func) *catalog.Effects {
	e := newEffects(a, f)
	block, _, ok := readBlock(f.Source)
	if !ok {
		e.known = false
		return e.done()
	}
	at := func(span, without source.Span) string {
		text := []byte(f.Source[span.Start:span.End])
		for i := without.Start; i < without.End; i++ {
			text[i-span.Start] = ' '
		}
		return string(text)
	}
	expr := func(span source.Span) {
		if !span.IsZero() {
			e.text("SELECT " + at(span, source.Span{}))
		}
	}
	eachStmt(block, func(s *plStmt) {
		for _, v := range s.decls {
			if v.query {
				e.text(at(v.expr, source.Span{}))
			} else {
				expr(v.expr)
			}
		}
		for _, arm := range s.arms {
			if !s.simple {
				expr(arm.cond)
			}
		}
		switch {
		case s.dynamic:
			e.known = false
		case s.kind == plSQL:
			e.text(at(s.span, s.into))
		case s.query:
			e.text(at(s.expr, source.Span{}))
		case s.kind == plLoop && strings.Contains(f.Source[s.expr.Start:s.expr.End], ".."):
			// Bounds of an integer loop.
			for _, bound := range strings.Split(strings.TrimPrefix(at(s.expr, source.Span{}), "reverse "), "..") {
				e.text("SELECT " + strings.Split(bound, " by ")[0])
			}
		default:
			expr(s.expr)
		}
	})
	return e.done()
}

// text reads the statements of a text.
func (e *effects) text(sql string) {
	tree, err := pg.Parse(sql)
	if err != nil {
		e.known = false
		return
	}
	for _, raw := range tree.Stmts {
		e.stmt(raw.Stmt)
	}
}

func (e *effects) stmt(n *pg.Node) {
	switch s := n.Node.(type) {
	case *pg.Node_SelectStmt, *pg.Node_InsertStmt, *pg.Node_UpdateStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt,
		*pg.Node_CallStmt, *pg.Node_ReturnStmt:
	case *pg.Node_TruncateStmt:
		for _, r := range s.TruncateStmt.Relations {
			e.relation(r.GetRangeVar(), e.writes)
		}
		return
	case *pg.Node_CreateStmt:
		e.own[s.CreateStmt.Relation.Relname] = true
		return
	case *pg.Node_CreateTableAsStmt:
		e.own[s.CreateTableAsStmt.Into.Rel.Relname] = true
		e.stmt(s.CreateTableAsStmt.Query)
		return
	case *pg.Node_VariableSetStmt, *pg.Node_NotifyStmt, *pg.Node_LockStmt, *pg.Node_TransactionStmt:
		return
	default:
		e.known = false
		return
	}
	ctes := map[string]bool{}
	eachMessage(n.ProtoReflect(), func(m proto.Message) bool {
		if c, ok := m.(*pg.CommonTableExpr); ok {
			ctes[c.Ctename] = true
		}
		return true
	})
	targets := map[*pg.RangeVar]bool{}
	eachMessage(n.ProtoReflect(), func(m proto.Message) bool {
		switch x := m.(type) {
		case *pg.InsertStmt:
			targets[x.Relation] = true
		case *pg.UpdateStmt:
			targets[x.Relation] = true
		case *pg.DeleteStmt:
			targets[x.Relation] = true
		case *pg.MergeStmt:
			targets[x.Relation] = true
		case *pg.IntoClause:
			return false
		case *pg.RangeVar:
			switch {
			case targets[x]:
				e.relation(x, e.writes)
			case x.Schemaname != "" || !ctes[x.Relname]:
				e.relation(x, e.reads)
			}
		case *pg.FuncCall:
			e.call(x)
		}
		return true
	})
}

func (e *effects) relation(r *pg.RangeVar, into map[pgtype.OID]bool) {
	t := e.a.cat.TableByName(r.Schemaname, r.Relname)
	switch {
	case t != nil && t.OID >= pgtype.FirstNormalOID:
		into[t.OID] = true
	case t == nil && !e.own[r.Relname] && r.Schemaname != "information_schema":
		e.known = false
	}
}

// call notes the user's functions that a call could mean.
func (e *effects) call(c *pg.FuncCall) {
	schema, name := split(c.Funcname)
	for _, f := range e.a.cat.FuncsByName(schema, name) {
		if len(c.Args) <= max(len(f.Args), len(f.AllArgs)) || f.Variadic != 0 {
			e.mayCall(f)
		}
	}
}

// mayCall notes one function that may be called.
func (e *effects) mayCall(f *catalog.Func) {
	switch {
	case f == nil:
	case f.OID >= pgtype.FirstNormalOID:
		e.calls[f.OID] = true
	case f.Volatile == 'v':
		e.volatile = true
	}
}
