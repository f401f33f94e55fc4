package upper

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// System columns that planning adds (access/sysattr.h).
const (
	ctidColumn     = -1
	tableoidColumn = -6
)

// preprocessTargetList brings the target list into the form that execution
// needs: all columns for INSERT, and the junk columns by which UPDATE, DELETE
// and row locks find their rows (preprocess_targetlist, preptlist.c).
func preprocessTargetList(root *rel.PlannerInfo) {
	q := root.Parse
	list := append([]*query.TargetEntry(nil), q.TargetList...)
	var t *catalog.Table
	if q.ResultRelation != 0 {
		t = root.Global.Catalog.Table(q.RTE(q.ResultRelation).Relation)
		if t == nil {
			root.Global.NotSupported("a target that is no table")
			return
		}
	}
	switch q.Command {
	case query.CmdInsert:
		list = insertList(root, list, t)
	case query.CmdUpdate:
		list = updateList(root, list)
	}
	junk := func(e query.Expr, name string) {
		list = append(list, &query.TargetEntry{Expr: e, ResNo: len(list) + 1, Name: name, Junk: true})
	}
	if q.Command == query.CmdUpdate || q.Command == query.CmdDelete || q.Command == query.CmdMerge {
		if !q.RTE(q.ResultRelation).Inherit {
			junk(systemVar(q.ResultRelation, ctidColumn, pgtype.TidOID), "ctid")
		}
		if t.Kind == catalog.KindForeign || t.Kind == catalog.KindView {
			root.Global.NotSupported("changing a foreign table or a view")
		}
	}
	for _, a := range q.MergeActions {
		// What the actions need of the source.
		exprs := eval.AndList(a.Qual)
		for _, te := range a.TargetList {
			exprs = append(exprs, te.Expr)
		}
		for _, x := range exprs {
			for _, e := range eval.PullVars(x, eval.IncludePlaceHolders) {
				if v, ok := e.(*query.Var); ok && v.VarNo == q.ResultRelation || inList(e, list) {
					continue
				}
				junk(e, "")
			}
		}
	}
	for i, m := range root.RowMarks {
		rte := q.RTE(m.Index)
		if rte.Kind == query.RTERelation {
			junk(systemVar(m.Index, ctidColumn, pgtype.TidOID), fmt.Sprintf("ctid%d", i+1))
		} else {
			junk(wholeRow(root, rte, m.Index), fmt.Sprintf("wholerow%d", i+1))
		}
		if m.IsParent {
			junk(systemVar(m.Index, tableoidColumn, pgtype.OidOID), fmt.Sprintf("tableoid%d", i+1))
		}
	}
	if len(q.Returning) > 0 && len(q.RangeTable) > 1 {
		for _, te := range q.Returning {
			for _, e := range eval.PullVars(te.Expr, eval.RecurseAggregates|eval.RecurseWindowFuncs|eval.IncludePlaceHolders) {
				if v, ok := e.(*query.Var); ok && v.VarNo == q.ResultRelation || inList(e, list) {
					continue
				}
				junk(e, "")
			}
		}
	}
	root.ProcessedTargetList = list
}

func systemVar(varno, attno int, typ pgtype.OID) *query.Var {
	return &query.Var{
		Header: query.Header{Typ: typ, Mod: pgtype.NoTypmod}, VarNo: varno, AttNo: attno, SynNo: varno, SynAttNo: attno,
	}
}

// wholeRow is a range table entry's row as a value (makeWholeRowVar,
// makefuncs.c).
func wholeRow(root *rel.PlannerInfo, rte *query.RangeTblEntry, varno int) *query.Var {
	cat := root.Global.Catalog
	v := systemVar(varno, 0, pgtype.RecordOID)
	if rte.Kind == query.RTEFunction && len(rte.Functions) == 1 && !rte.Ordinality {
		typ := rte.Functions[0].Expr.ResultType()
		if t := cat.Type(cat.BaseType(typ)); t != nil && t.Kind == 'c' {
			v.Typ = typ
		}
	}
	if rte.Kind == query.RTESubquery && rte.FromView != 0 {
		if t := cat.Table(rte.FromView); t != nil {
			v.Typ = t.RowType
		}
	}
	return v
}

// updateList numbers the assignments of UPDATE and notes their columns
// (extract_update_targetlist_colnos, preptlist.c).
func updateList(root *rel.PlannerInfo, list []*query.TargetEntry) []*query.TargetEntry {
	root.UpdateColumns = nil
	out := make([]*query.TargetEntry, len(list))
	for i, te := range list {
		if !te.Junk {
			root.UpdateColumns = append(root.UpdateColumns, te.ResNo)
		}
		c := *te
		c.ResNo = i + 1
		out[i] = &c
	}
	return out
}

// insertList fills in a NULL for every column that INSERT gives no value
// (expand_insert_targetlist, preptlist.c).
func insertList(root *rel.PlannerInfo, list []*query.TargetEntry, t *catalog.Table) []*query.TargetEntry {
	var out []*query.TargetEntry
	for _, c := range t.Columns {
		if len(list) > 0 && !list[0].Junk && list[0].ResNo == c.Number {
			out = append(out, list[0])
			list = list[1:]
			continue
		}
		out = append(out, &query.TargetEntry{Expr: nullColumn(root, c), ResNo: c.Number, Name: c.Name})
	}
	for _, te := range list {
		if !te.Junk {
			root.Global.NotSupported("an INSERT whose columns are not in order")
		}
		j := *te
		j.ResNo = len(out) + 1
		out = append(out, &j)
	}
	return out
}

// nullColumn is the NULL that stands in a column without a value; that of a
// domain is checked.
func nullColumn(root *rel.PlannerInfo, c *catalog.Column) query.Expr {
	cat := root.Global.Catalog
	if c.Dropped {
		return nullConst(cat, pgtype.Int4OID, pgtype.NoTypmod, 0)
	}
	base, mod := cat.BaseTypeAndTypmod(c.Type, c.Typmod)
	n := nullConst(cat, base, mod, c.Collation)
	if base == c.Type || c.Generated != 0 {
		return n
	}
	return eval.Fold(root.Global, &query.CoerceToDomain{
		Header: query.Header{Typ: c.Type, Mod: pgtype.NoTypmod, Coll: c.Collation}, Arg: n, Form: query.CoerceImplicitCast,
	})
}

func nullConst(cat *catalog.Catalog, typ pgtype.OID, mod pgtype.Typmod, collation pgtype.OID) *query.Const {
	n := &query.Const{Header: query.Header{Typ: typ, Mod: mod, Coll: collation}, Null: true}
	if t := cat.Type(typ); t != nil {
		n.Len, n.ByVal = t.Len, t.ByVal
	}
	return n
}
