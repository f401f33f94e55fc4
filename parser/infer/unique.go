package infer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// passedCond is a conjunct of WHERE or ON; bounds and all are as in [equality].
type passedCond struct {
	expr   query.Expr
	bounds query.Relids
	all    bool
}

// keyBound says which unique index of a table bounds its rows to one; "" for
// none. All columns of the index must be compared with values that are the same
// for every row, and WHERE must imply the predicate of a partial one.
func (s *scope) keyBound(i int, rte *query.RangeTblEntry, equal []equality, passed []passedCond, single map[int]string) string {
	t := s.cat.Table(rte.Relation)
	if t == nil || t.Kind == catalog.KindView || rte.Inherit && len(t.Children) > 0 && t.Kind != catalog.KindPartitioned {
		return ""
	}
	for _, x := range t.Indexes {
		if !x.Unique || !x.Valid || !x.Immediate || x.NumKeys == 0 {
			continue
		}
		all := true
		var cols []string
		for _, k := range x.Keys[:x.NumKeys] {
			if k.Column != 0 {
				all = s.columnBound(i, k.Column, k.Family, k.Collation, equal, single)
			} else {
				all = s.exprBound(i, k, equal, single)
			}
			if !all {
				break
			}
			cols = append(cols, k.Name)
		}
		if !all {
			continue
		}
		partial := ""
		if len(x.Predicate) > 0 {
			if !s.implied(i, x.Predicate, equal, passed) {
				continue
			}
			partial = ", its predicate too,"
		}
		return fmt.Sprintf("unique key %s (%s) of %s%s is bound", x.Name, strings.Join(cols, ", "), rte.ERef.Name, partial)
	}
	return ""
}

// columnBound reports whether a column is compared with what is the same for
// every row, by what is equality to an operator family and a collation: citext's
// and bpchar's equality of a text column leave more than one value of it, and so
// does a nondeterministic collation.
func (s *scope) columnBound(i, attno int, family, coll pgtype.OID, equal []equality, single map[int]string) bool {
	for _, e := range equal {
		if e.expr == nil && e.col == (column{i, attno}) && e.applies(i) && s.fixed(e.other, single) &&
			s.cat.OpFamilyStrategy(e.op.Op, family) == catalog.BTEqual && s.asFine(e.op.InputColl, coll) {
			return true
		}
	}
	return false
}

// asFine reports whether what a collation calls equal is equal in another.
func (s *scope) asFine(coll, of pgtype.OID) bool {
	if coll == 0 || coll == of {
		return true
	}
	c := s.cat.Collation(coll)
	return c != nil && c.Deterministic
}

// exprBound is columnBound for an expression of an index.
func (s *scope) exprBound(i int, k catalog.IndexKey, equal []equality, single map[int]string) bool {
	for _, e := range equal {
		if e.expr == nil || !e.applies(i) || !s.fixed(e.other, single) ||
			s.cat.OpFamilyStrategy(e.op.Op, k.Family) != catalog.BTEqual || k.Collation != 0 && e.op.InputColl != k.Collation {
			continue
		}
		if x := overTable(e.expr, i); x != nil && k.Expr != nil && query.Equal(plainCast(x), plainCast(k.Expr)) {
			return true
		}
	}
	return false
}

func plainCast(e query.Expr) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			return e
		}
		e = r.Arg
	}
}

// applies reports whether every row of a relation has passed the comparison.
func (e *equality) applies(i int) bool { return e.all || e.bounds.Has(i) }

// fixed reports whether a value is the same for every row of relations that are
// not single.
func (s *scope) fixed(e query.Expr, single map[int]string) bool {
	free := true
	query.Walk(e, func(x query.Expr) bool {
		if v, ok := x.(*query.Var); ok && v.LevelsUp == 0 && single[v.VarNo] == "" {
			free = false
		}
		switch n := x.(type) {
		case *query.SubLink, *query.NextValueExpr:
			free = false // it may differ from row to row
		case *query.FuncExpr:
			if f := s.cat.Func(n.Func); f == nil || f.Volatile == 'v' {
				free = false
			}
		case *query.OpExpr:
			o := s.cat.Operator(n.Op)
			if o == nil {
				free = false
			} else if f := s.cat.Func(o.Func); f == nil || f.Volatile == 'v' {
				free = false
			}
		}
		return free
	})
	return free
}

// implied reports whether the conditions that rows have passed contain each
// conjunct of a partial index's predicate. Proofs beyond that are not tried, but
// that a column compared with = is not null.
func (s *scope) implied(i int, predicate []query.Expr, equal []equality, passed []passedCond) bool {
	for _, p := range predicate {
		found := false
		for _, c := range passed {
			if c.all || c.bounds.Has(i) {
				x := overTable(c.expr, i)
				found = found || x != nil && query.Equal(x, p)
			}
		}
		if n, ok := p.(*query.NullTest); ok && n.Not && !found {
			if v, ok := n.Arg.(*query.Var); ok {
				found = slices.ContainsFunc(equal, func(e equality) bool {
					return e.expr == nil && e.col == (column{i, v.AttNo}) && e.applies(i) && s.strictOp(e.op.Op)
				})
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// overTable makes an expression over relation i one over its table alone, nil
// where it needs others.
func overTable(e query.Expr, i int) query.Expr {
	good := true
	out := query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		switch v := x.(type) {
		case *query.Var:
			good = good && v.VarNo == i && v.LevelsUp == 0
			return &query.Var{
				Header: query.Header{Typ: v.Typ, Mod: v.Mod, Coll: v.Coll}, VarNo: 1, AttNo: v.AttNo, SynNo: 1, SynAttNo: v.AttNo,
			}, true
		case *query.SubLink:
			good = false
			return x, true
		}
		return x, false
	})
	if !good {
		return nil
	}
	return out
}

// groupBound says that a subquery or view grouped by some columns has one row,
// because all of them are compared with fixed values; "" if not.
func (s *scope) groupBound(i int, q *query.Query, equal []equality, single map[int]string) string {
	if q.Command != query.CmdSelect || len(q.GroupClause) == 0 || len(q.GroupingSets) > 0 || q.SetOperations != nil || q.HasTargetSRFs {
		return ""
	}
	var names []string
	for _, g := range q.GroupClause {
		found := false
		for _, te := range q.TargetList {
			if te.SortGroupRef != g.Ref || te.Junk {
				continue
			}
			if s.groupColumn(i, te, g.EqOp, equal, single) {
				found = true
				names = append(names, te.Name)
			}
		}
		if !found {
			return ""
		}
	}
	return fmt.Sprintf("%s has a row for each %s, which is bound", s.q.RTE(i).ERef.Name, strings.Join(names, ", "))
}

func (s *scope) groupColumn(i int, te *query.TargetEntry, eq pgtype.OID, equal []equality, single map[int]string) bool {
	for _, family := range s.cat.MergeJoinFamilies(eq) {
		if s.columnBound(i, te.ResNo, family, te.Expr.ResultCollation(), equal, single) {
			return true
		}
	}
	return false
}
