package infer

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// effects collects what a statement reads, writes, locks and calls.
type effects struct {
	cat   *catalog.Catalog
	facts *Facts
}

func (e *effects) query(q *query.Query) {
	f := e.facts
	if len(q.RowMarks) > 0 {
		f.Locks = true
	}
	for i, rte := range q.RangeTable {
		if rte.Kind != query.RTERelation {
			continue
		}
		t := e.cat.Table(rte.Relation)
		if t == nil {
			continue
		}
		if i+1 == q.ResultRelation {
			e.writes(q, t)
			continue
		}
		if q.OnConflict != nil && q.OnConflict.ExclRelIndex == i+1 {
			continue
		}
		if t.View != nil && t.Kind == catalog.KindView {
			e.query(t.View)
			continue
		}
		f.Reads = append(f.Reads, t.Schema+"."+t.Name)
	}
	q.EachExpr(func(x *query.Expr) {
		query.Walk(*x, func(n query.Expr) bool {
			e.expr(n)
			return true
		})
	})
	q.Subqueries(e.query)
}

func (e *effects) writes(q *query.Query, t *catalog.Table) {
	f := e.facts
	f.Writes = append(f.Writes, t.Schema+"."+t.Name)
	event := map[query.CmdType]string{
		query.CmdInsert: "insert", query.CmdUpdate: "update", query.CmdDelete: "delete", query.CmdMerge: "merge",
	}[q.Command]
	for _, tr := range t.Triggers {
		for _, ev := range tr.Events {
			if ev == event || event == "merge" {
				f.Unknown = append(f.Unknown, fmt.Sprintf("trigger %s of %s", tr.Name, t.Name))
			}
		}
	}
	if q.Command != query.CmdDelete && q.Command != query.CmdUpdate {
		return
	}
	// Foreign keys of other tables act on a delete or a key update.
	for _, k := range e.cat.References(t.OID) {
		act := k.OnDelete
		if q.Command == query.CmdUpdate {
			act = k.OnUpdate
		}
		if o := e.cat.Table(k.Table); o != nil && (act == 'c' || act == 'n' || act == 'd') {
			f.Writes = append(f.Writes, o.Schema+"."+o.Name)
		}
	}
}

func (e *effects) expr(x query.Expr) {
	var fn pgtype.OID
	switch n := x.(type) {
	case *query.FuncExpr:
		fn = n.Func
	case *query.OpExpr:
		fn = e.opFunc(n.Op)
	case *query.DistinctExpr:
		fn = e.opFunc(n.Op)
	case *query.NullIfExpr:
		fn = e.opFunc(n.Op)
	case *query.ScalarArrayOpExpr:
		fn = e.opFunc(n.Op)
	case *query.Aggref:
		fn = n.Func
	case *query.WindowFunc:
		fn = n.Func
	case *query.SQLValueFunction:
		e.raise(Stable)
	case *query.NextValueExpr:
		e.raise(Volatile)
	case *query.CoerceViaIO:
		e.raise(Stable) // some I/O functions depend on settings
	}
	f := e.cat.Func(fn)
	if f == nil {
		return
	}
	switch f.Volatile {
	case 's':
		e.raise(Stable)
	case 'v':
		e.raise(Volatile)
	}
	if f.OID >= pgtype.FirstNormalOID && f.Volatile == 'v' {
		e.facts.Unknown = append(e.facts.Unknown, "function "+f.Name)
	}
}

func (e *effects) opFunc(op pgtype.OID) pgtype.OID {
	if o := e.cat.Operator(op); o != nil {
		return o.Func
	}
	return 0
}

func (e *effects) raise(v Volatility) { e.facts.Volatility = max(e.facts.Volatility, v) }
