package infer

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// breaks is what can make a valid foreign key not hold for a query.
const breaks = ", which row-level security, deferred checks and session_replication_role can break"

// trust takes the outer joins for harmless that follow a foreign key to a row which
// must be there. One may make another's columns not null.
func (s *scope) trust() {
	s.trusted = map[int]string{}
	for again := true; again; {
		again = false
		for j, n := range s.joins {
			for _, side := range s.sides[j] {
				if side.IsSubset(s.present[j]) {
					continue
				}
				if k := s.joinKey(n); k != nil {
					s.present[j] = s.present[j].Union(side)
					s.trusted[j] = k.Name
					s.changed()
					again = true
				}
			}
		}
	}
}

// joinKey is the foreign key by which a LEFT or RIGHT JOIN always finds its row, nil
// for none.
func (s *scope) joinKey(n *query.JoinExpr) *catalog.Constraint {
	side := n.Right
	switch n.Type {
	case query.JoinLeft:
	case query.JoinRight:
		side = n.Left
	default:
		return nil
	}
	ref, ok := side.(*query.RangeTblRef)
	if !ok || n.Quals == nil {
		return nil
	}
	return s.foreignKey(ref.Index, conjuncts(n.Quals))
}

// foreignKey is the one whose columns the conditions compare, all of them and nothing
// else, with the columns of relation ref that it references: rows of the referencing
// side, whose columns are not null, have their row there.
func (s *scope) foreignKey(ref int, conds []query.Expr) *catalog.Constraint {
	rte := s.q.RTE(ref)
	if rte.Kind != query.RTERelation || rte.Sample != nil {
		return nil
	}
	type pair struct {
		own *query.Var
		op  pgOID
	}
	pairs := map[int]pair{}
	var from *query.Var
	for _, c := range conds {
		op, ok := c.(*query.OpExpr)
		if !ok || len(op.Args) != 2 {
			return nil
		}
		l, ok := plainCast(op.Args[0]).(*query.Var)
		r, ok2 := plainCast(op.Args[1]).(*query.Var)
		if !ok || !ok2 {
			return nil
		}
		if l.VarNo != ref || l.LevelsUp != 0 {
			l, r = r, l
		}
		if l.VarNo != ref || l.LevelsUp != 0 || r.VarNo == ref && r.LevelsUp == 0 {
			return nil
		}
		if _, twice := pairs[l.AttNo]; twice || from != nil && (from.VarNo != r.VarNo || from.LevelsUp != r.LevelsUp) {
			return nil
		}
		from = r
		pairs[l.AttNo] = pair{r, op.Op}
	}
	if from == nil {
		return nil
	}
	at := s.up(from.LevelsUp)
	if at == nil || from.VarNo < 1 || from.VarNo > len(at.q.RangeTable) {
		return nil
	}
	owner := at.q.RTE(from.VarNo)
	if at.isNewRow(from.VarNo) && (at.modifies() || at.unstable(at.q)) {
		// The row that it leads to may come from the same statement, which does not see it.
		return nil
	}
	t := s.cat.Table(owner.Relation)
	if owner.Kind != query.RTERelation || t == nil || owner.Inherit && len(t.Children) > 0 && t.Kind != catalog.KindPartitioned {
		return nil
	}
keys:
	for _, k := range t.Constraints {
		if k.Kind != catalog.ConstraintForeign || !s.holds(k.OID, k.Validated) || k.RefTable != rte.Relation || len(k.RefColumns) != len(pairs) || len(k.Columns) != len(pairs) {
			continue
		}
		for i, col := range k.RefColumns {
			p, ok := pairs[col]
			if !ok || p.own.AttNo != k.Columns[i] || i >= len(k.EqOps) || !s.sameEquality(p.op, k.EqOps[i]) {
				continue keys
			}
			// As the row is where it comes from: the condition itself proves nothing.
			own := *p.own
			own.LevelsUp = 0
			if !at.value(&own).notNull {
				continue keys
			}
		}
		return k
	}
	return nil
}

// modifies reports whether a WITH query of this level writes.
func (s *scope) modifies() bool {
	return slices.ContainsFunc(s.q.CTEs, func(c *query.CommonTableExpr) bool { return c.Query.Command != query.CmdSelect })
}

// sameEquality reports whether an operator is that of a foreign key, read either way.
func (s *scope) sameEquality(op, key pgOID) bool {
	if op == key {
		return true
	}
	o := s.cat.Operator(op)
	return o != nil && o.Commutator == key
}

// distrust names the foreign key that would prove a join's row to be there, if keys
// were trusted.
func (s *scope) distrust(join int) string {
	n := s.joins[join]
	if s.shared().opts.TrustForeignKeys || n == nil {
		return ""
	}
	if k := s.joinKey(n); k != nil {
		return "; trust: [foreign_keys] would prove its row by foreign key " + k.Name + breaks
	}
	return ""
}

// keyRow names the foreign key by which a subquery over one table always has a row,
// where keys are trusted.
func (s *scope) keyRow() string {
	if k := s.rowKey(); k != nil && s.shared().opts.TrustForeignKeys {
		return "foreign key " + k.Name
	}
	return ""
}

// distrustRow is keyRow where keys are not trusted, as a remark.
func (s *scope) distrustRow() string {
	if s.shared().opts.TrustForeignKeys {
		return ""
	}
	if k := s.rowKey(); k != nil {
		return "; trust: [foreign_keys] would prove one by foreign key " + k.Name + breaks
	}
	return ""
}

func (s *scope) rowKey() *catalog.Constraint {
	q := s.q
	if q.Command != query.CmdSelect || q.SetOperations != nil || q.JoinTree == nil || len(q.JoinTree.List) != 1 || q.JoinTree.Quals == nil ||
		q.HasAggs || len(q.GroupClause) > 0 || len(q.GroupingSets) > 0 || q.Having != nil || q.HasTargetSRFs || q.LimitCount != nil || q.LimitOffset != nil || q.HasForUpdate {
		return nil
	}
	ref, ok := q.JoinTree.List[0].(*query.RangeTblRef)
	if !ok {
		return nil
	}
	return s.foreignKey(ref.Index, conjuncts(q.JoinTree.Quals))
}
