package plan

import (
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// writer prints the expressions of one node as EXPLAIN does.
type writer struct {
	c *creator
	// at is the node whose expressions are printed.
	at *Node
	// parents are the Appends' parents whose columns are printed instead of
	// the children's.
	parents query.Relids
	// deferred are the expressions behind made-up Vars.
	deferred *[]deferredExpr
}

// deferredExpr is a column of a node's input, met below an Append.
type deferredExpr struct {
	v       *query.Var
	parents query.Relids
}

// deferredBase is above every special VarNo.
const deferredBase = 1 << 30

func (c *creator) writer(n *Node) writer {
	return writer{c: c, at: n, deferred: &[]deferredExpr{}}
}

func (w writer) context(prefix bool) *deparse.Context {
	ctx := &deparse.Context{
		Catalog: w.c.g.Catalog, Prefix: prefix, SubPlanTest: w.c.g.Version(17),
		Column: w.column, Resolve: w.resolve, Param: w.param, Partial: w.partial, SubPlan: w.c.planName,
	}
	if w.c.g.Version(18) {
		ctx.Window = w.window
	}
	return ctx
}

// window names the window of a call (get_windowfunc_expr_helper, ruleutils.c of
// 18).
func (w writer) window(f *query.WindowFunc) string {
	for _, n := range w.c.nodes {
		if n.Kind == WindowAgg && n.Root == w.at.Root && n.window.Ref == f.WinRef && n.window.Name != "" {
			return w.c.g.Catalog.QuoteIdent(n.window.Name)
		}
	}
	return "(?)"
}

// usePrefix is whether upper nodes name columns with their relation: where the
// statement has more than one.
func (w writer) usePrefix() bool { return len(w.c.rtable) > 1 }

// scanQual prints a scan's conditions (show_scan_qual, explain.c).
func (w writer) scanQual(list []query.Expr) string {
	return deparse.And(list, w.context(w.at.Kind == SubqueryScan))
}

// upperQual prints another node's (show_upper_qual).
func (w writer) upperQual(list []query.Expr) string {
	return deparse.And(list, w.context(w.usePrefix()))
}

func (w writer) column(v *query.Var) (qualifier, name string) {
	e := w.c.entry(v.VarNo)
	if e == nil {
		return "", "?column?"
	}
	// An entry that no node scans has no name (get_variable, ruleutils.c).
	return e.name, w.c.columnName(e, v.AttNo)
}

// resolve follows a Var of a node's input to the expression that it means
// (resolve_special_varno, ruleutils.c).
func (w writer) resolve(v *query.Var) query.Expr {
	parents := w.parents
	if v.VarNo >= deferredBase {
		d := (*w.deferred)[v.VarNo-deferredBase]
		v, parents = d.v, d.parents
	}
	var e query.Expr = v
	found := false
	for {
		x, ok := e.(*query.Var)
		if !ok {
			break
		}
		id, which, ok := isSpecial(x.VarNo)
		if !ok {
			if m := w.toParent(x, parents); m != x {
				return m
			}
			if m := w.throughSubquery(x); m != nil {
				e, found = m, true
				continue
			}
			if !found {
				return nil
			}
			return x
		}
		n := w.c.nodes[id]
		list := inputList(n, which)
		if x.AttNo < 1 || x.AttNo > len(list) {
			return nil
		}
		if n.Kind == Append || n.Kind == MergeAppend {
			parents = parents.Union(n.appendRels)
		}
		e, found = list[x.AttNo-1].Expr, true
	}
	if parents == (query.Relids{}) {
		return e
	}
	// The columns inside are printed later, one by one, and still below the
	// Appends gone through.
	return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
		v, ok := x.(*query.Var)
		if !ok {
			return nil, false
		}
		if m := w.toParent(v, parents); m != v {
			return m, true
		}
		if _, _, ok := isSpecial(v.VarNo); !ok {
			return v, true
		}
		d := *v
		d.VarNo = deferredBase + len(*w.deferred)
		*w.deferred = append(*w.deferred, deferredExpr{v, parents})
		return &d, true
	})
}

// inputList is the target list that a node's special Vars mean
// (set_deparse_plan, ruleutils.c).
func inputList(n *Node, which int) []*query.TargetEntry {
	switch which {
	case indexVar:
		return n.indexList
	case innerVar:
		if n.inner != nil {
			return n.inner.tlist
		}
		return nil
	}
	switch {
	case len(n.members) > 0:
		return n.members[0].tlist
	case n.outer != nil:
		return n.outer.tlist
	}
	return nil
}

// throughSubquery returns what a junk column of a subquery is, which has no
// name; nil for any other column.
func (w writer) throughSubquery(v *query.Var) query.Expr {
	e := w.c.entry(v.VarNo)
	if e == nil || v.AttNo <= 0 || e.rte.Kind != query.RTESubquery && e.rte.Kind != query.RTECTE ||
		e.rte.ERef == nil || v.AttNo <= len(e.rte.ERef.Columns) {
		return nil
	}
	for _, n := range w.c.nodes {
		if n.scanRel != v.VarNo {
			continue
		}
		var list []*query.TargetEntry
		switch {
		case n.Kind == SubqueryScan:
			list = n.sub.tlist
		case n.Kind == CteScan && n.planID >= 1 && n.planID <= len(w.c.subplans) && w.c.subplans[n.planID-1] != nil:
			list = w.c.subplans[n.planID-1].tlist
		}
		if v.AttNo <= len(list) {
			return list[v.AttNo-1].Expr
		}
	}
	return nil
}

// toParent maps a child's column to the ancestor that an Append stands for
// (get_variable, ruleutils.c).
func (w writer) toParent(v *query.Var, parents query.Relids) *query.Var {
	if parents == (query.Relids{}) {
		return v
	}
	no, att := v.VarNo, v.AttNo
	found := false
	for {
		a, ok := w.c.appends[no]
		if !ok {
			break
		}
		if e := w.c.entry(a.parent); e == nil || e.rte.Kind != query.RTERelation {
			break
		}
		found = false
		if att > 0 {
			at := parentColumn(a.info, att)
			if at == 0 {
				break
			}
			att = at
		}
		no, found = a.parent, true
	}
	if !found || !parents.Has(no) {
		return v
	}
	m := *v
	m.VarNo, m.AttNo = no, att
	return &m
}

func parentColumn(a *rel.AppendRelInfo, att int) int {
	for i, e := range a.Vars {
		if v, ok := e.(*query.Var); ok && v.AttNo == att {
			return i + 1
		}
	}
	return 0
}

// partial finds the partial aggregate that feeds a combining one
// (get_agg_combine_expr, ruleutils.c).
func (w writer) partial(a *query.Aggref) *query.Aggref {
	if len(a.Args) == 0 {
		return nil
	}
	e := a.Args[0].Expr
	for {
		switch x := e.(type) {
		case *query.Aggref:
			return x
		case *query.Var:
			id, which, ok := isSpecial(x.VarNo)
			if !ok {
				return nil
			}
			list := inputList(w.c.nodes[id], which)
			if x.AttNo < 1 || x.AttNo > len(list) {
				return nil
			}
			e = list[x.AttNo-1].Expr
		default:
			return nil
		}
	}
}

// param prints a parameter: what a nested loop or a subplan's caller puts into
// it, which subplan gives it, or its number (get_parameter, ruleutils.c).
func (w writer) param(p *query.Param) string {
	if p.Kind != query.ParamExtern {
		if e, at := w.referent(p.Number); e != nil {
			up := writer{c: w.c, at: at, deferred: &[]deferredExpr{}}
			s := deparse.Expr(e, up.context(true))
			switch e.(type) {
			case *query.Var, *query.Aggref, *query.GroupingFunc, *query.Param:
				return s
			}
			return "(" + s + ")"
		}
		if w.c.g.Version(17) {
			if s, col := w.generator(p.Number); s != nil {
				name := w.c.planName(s)
				if s.UseHash {
					name = "hashed " + name
				}
				return "(" + name + ").col" + strconv.Itoa(col+1)
			}
		}
	}
	return "$" + strconv.Itoa(p.Number)
}

// referent finds the value that a parameter is given, and the node in whose
// terms it is (find_param_referent, ruleutils.c).
func (w writer) referent(id int) (query.Expr, *Node) {
	child := w.at
	for child != nil {
		if child.via != nil {
			for i, p := range child.via.ParParams {
				if p == id && i < len(child.via.Args) {
					return child.via.Args[i], child.parent
				}
			}
		} else if up := child.parent; up != nil && up.Kind == NestLoop && up.inner == child {
			for _, p := range up.nestParams {
				if p.ParamID == id {
					return p.Value, up
				}
			}
		}
		child = child.parent
	}
	// An expression of a node further down, printed from above.
	for _, n := range w.c.nodes {
		for _, p := range n.nestParams {
			if p.ParamID == id {
				return p.Value, n
			}
		}
	}
	return nil, nil
}

// generator finds the subplan that sets a parameter, and which of its columns it
// is (find_param_generator, ruleutils.c of 17).
func (w writer) generator(id int) (*query.SubPlan, int) {
	for n := w.at; n != nil; n = n.parent {
		for _, s := range n.initPlans {
			for i, p := range s.SetParams {
				if p == id {
					return s, i
				}
			}
		}
		for _, s := range n.subPlans {
			for i, p := range s.SetParams {
				if p == id {
					return s, i
				}
			}
			// The combining expression of a subplan is printed in place of it.
			for i, p := range s.ParamIDs {
				if p == id {
					return s, i
				}
			}
		}
	}
	return nil, 0
}

// planName is a subplan's name in EXPLAIN, with the number that a server gives
// it.
func (c *creator) planName(s *query.SubPlan) string {
	name := s.Name
	if s.PlanID < 1 || s.PlanID > len(c.number) {
		return name
	}
	if name == "" {
		name = c.g.Subplans[s.PlanID-1].Name
	}
	for _, kind := range []string{"InitPlan ", "SubPlan "} {
		if rest, ok := strings.CutPrefix(name, kind+strconv.Itoa(s.PlanID)); ok {
			return kind + strconv.Itoa(c.number[s.PlanID-1]) + rest
		}
	}
	return name
}
