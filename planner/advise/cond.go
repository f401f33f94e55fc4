package advise

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
)

// CondKind is what a btree index could do for a condition.
type CondKind int

// The kinds of condition.
const (
	// Other conditions are of no use to a btree.
	Other CondKind = iota
	// Equal conditions pick one value of the key, or a list of values.
	Equal
	// Range conditions pick a part of the order of the key.
	Range
)

// Cond is a condition on a table.
type Cond struct {
	Kind CondKind
	// Expr is the condition as the planner has it; for a join condition that
	// follows from others it may be nil.
	Expr query.Expr
	// Keys are the sides that belong to the table alone: one, or several for a
	// row comparison; none for Other.
	Keys []query.Expr
	// Value is what Key is compared with, nil where it is not one expression.
	Value query.Expr
	// Join tells a condition whose other side needs other tables.
	Join bool
	// Selectivity is the fraction of the table's rows that pass, as far as
	// planning worked it out; -1 where it did not, and for joins.
	Selectivity float64
	// Sources are the conditions that it came from, best first. Their places
	// may be of another text, such as a view's.
	Sources []query.Expr
}

// Column returns the attribute number of the only key if it is a plain column.
func (c *Cond) Column() (int, bool) {
	if len(c.Keys) != 1 {
		return 0, false
	}
	v, ok := c.Keys[0].(*query.Var)
	if !ok || v.AttNo <= 0 {
		return 0, false
	}
	return v.AttNo, true
}

// conds lists the conditions on a table: its own, and those that join it.
func conds(root *rel.PlannerInfo, rl *rel.RelOptInfo) []Cond {
	m := matcher{root: root, cat: root.Global.Catalog, rl: rl}
	var out []Cond
	for _, r := range rl.BaseRestrict {
		c := m.classify(r.Clause)
		c.Sources = append(c.Sources, ecSources(r.ParentEC, rl)...)
		c.Selectivity = r.NormSel
		out = append(out, c)
	}
	for _, r := range rl.JoinInfo {
		c := m.classify(r.Clause)
		c.Join = true
		out = append(out, c)
	}
	for _, ec := range root.ECs {
		if ec.Merged != nil || ec.HasVolatile || ec.HasConst {
			continue
		}
		var own *rel.EquivalenceMember
		joined := false
		for _, em := range ec.Members {
			switch {
			case em.IsChild:
			case m.alone(em.Relids):
				if own == nil {
					own = em
				}
			case !em.Relids.Has(rl.Index) && !em.Relids.IsEmpty():
				joined = true
			}
		}
		if own == nil || !joined {
			continue
		}
		out = append(out, Cond{Kind: Equal, Keys: []query.Expr{strip(own.Expr)}, Join: true, Selectivity: -1, Sources: ecSources(ec, rl)})
	}
	return out
}

// ecSources are the clauses that an equivalence class was made of, those that
// name the relation first.
func ecSources(ec *rel.EquivalenceClass, rl *rel.RelOptInfo) []query.Expr {
	if ec == nil {
		return nil
	}
	var near, far []query.Expr
	for _, src := range prep.Merged(ec).Sources {
		if src.ClauseRelids.Has(rl.Index) {
			near = append(near, src.Clause)
		} else {
			far = append(far, src.Clause)
		}
	}
	return append(near, far...)
}

type matcher struct {
	root *rel.PlannerInfo
	cat  *catalog.Catalog
	rl   *rel.RelOptInfo
}

func (m *matcher) alone(s query.Relids) bool {
	i, ok := s.Single()
	return ok && i == m.rl.Index
}

// classify says what an index could do for a clause.
func (m *matcher) classify(e query.Expr) Cond {
	c := Cond{Expr: e, Selectivity: -1, Sources: []query.Expr{e}}
	switch n := e.(type) {
	case *query.OpExpr:
		if len(n.Args) == 2 {
			m.operator(&c, n)
		}
	case *query.ScalarArrayOpExpr:
		if n.UseOr {
			m.compare(&c, n.Op, n.InputColl, n.Args[0], n.Args[1])
			if c.Kind == Range {
				c.Kind = Other
			}
		}
	case *query.RowCompareExpr:
		m.rows(&c, n)
	case *query.NullTest:
		if k := strip(n.Arg); !n.Not && !n.ArgIsRow && m.alone(eval.PullVarNos(m.root, k)) {
			c.Kind, c.Keys = Equal, []query.Expr{k}
		}
	}
	return c
}

func (m *matcher) operator(c *Cond, n *query.OpExpr) {
	if m.compare(c, n.Op, n.InputColl, n.Args[0], n.Args[1]) {
		return
	}
	if o := m.cat.Operator(n.Op); o != nil && o.Commutator != 0 {
		m.compare(c, o.Commutator, n.InputColl, n.Args[1], n.Args[0])
	}
}

// compare fills in a condition whose key is on the left; false if it is not.
func (m *matcher) compare(c *Cond, op, coll pgtype.OID, left, right query.Expr) bool {
	if !m.alone(eval.PullVarNos(m.root, left)) || eval.PullVarNos(m.root, right).Has(m.rl.Index) ||
		eval.ContainVolatile(m.cat, right) || eval.ContainVolatile(m.cat, left) {
		return false
	}
	key := strip(left)
	strategy := m.strategy(op, coll, key)
	switch strategy {
	case 0:
		return false
	case catalog.BTEqual:
		c.Kind = Equal
	default:
		c.Kind = Range
	}
	c.Keys, c.Value = []query.Expr{key}, right
	c.Join = !eval.PullVarNos(m.root, right).IsEmpty()
	return true
}

// strategy is what an operator is to a btree index on the key, 0 for nothing.
func (m *matcher) strategy(op, coll pgtype.OID, key query.Expr) int {
	oc := m.cat.DefaultOpClass(key.ResultType(), catalog.BTreeMethod)
	if oc == nil {
		return 0
	}
	if own := key.ResultCollation(); own != 0 && coll != own {
		return 0
	}
	return m.cat.OpFamilyStrategy(op, oc.Family)
}

// rows takes (a, b) > ($1, $2) over columns of the table.
func (m *matcher) rows(c *Cond, n *query.RowCompareExpr) {
	left, right := n.Left, n.Right
	if len(left) > 0 && !eval.PullVarNos(m.root, left[0]).Has(m.rl.Index) {
		left, right = right, left
	}
	for i := range left {
		key := strip(left[i])
		if !m.alone(eval.PullVarNos(m.root, key)) || eval.PullVarNos(m.root, right[i]).Has(m.rl.Index) {
			break
		}
		c.Keys = append(c.Keys, key)
	}
	if len(c.Keys) > 0 {
		c.Kind = Range
	}
}

// strip takes off the casts that an index looks through
// (match_index_to_operand, indxpath.c).
func strip(e query.Expr) query.Expr {
	for {
		r, ok := e.(*query.RelabelType)
		if !ok {
			return e
		}
		e = r.Arg
	}
}
