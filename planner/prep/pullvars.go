package prep

import (
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// varReplacer puts a pulled-up subquery's expressions in the place of its
// columns (pullup_replace_vars, prepjointree.c).
type varReplacer struct {
	root    *rel.PlannerInfo
	varno   int
	rte     *query.RangeTblEntry
	targets []*query.TargetEntry
	// relids are the relations of the subquery, and nulling for each relation
	// of the query the outer joins above it; of LATERAL subqueries only.
	relids  query.Relids
	nulling map[int]query.Relids
	// wrapAll wants a PlaceHolderVar around everything that is no Var.
	wrapAll bool
	cache   map[int]*query.PlaceHolderVar
}

// replaceAll replaces in the whole query level, or in one append relation's
// translation if the subquery is a member of that (perform_pullup_replace_vars).
func (r *varReplacer) replaceAll(member *rel.AppendRelInfo) {
	if member != nil {
		r.wrapAll = false
		for i, v := range member.Vars {
			member.Vars[i] = r.expr(v)
		}
		return
	}
	parse := r.root.Parse
	targets := func(list []*query.TargetEntry) {
		for _, te := range list {
			te.Expr = r.expr(te.Expr)
		}
	}
	targets(parse.TargetList)
	targets(parse.Returning)
	if c := parse.OnConflict; c != nil {
		targets(c.Set)
		c.Where = r.expr(c.Where)
	}
	for _, a := range parse.MergeActions {
		targets(a.TargetList)
		a.Qual = r.expr(a.Qual)
	}
	r.tree(parse.JoinTree)
	parse.Having = r.expr(parse.Having)
	for _, a := range r.root.AppendRels {
		for i, v := range a.Vars {
			a.Vars[i] = r.expr(v)
		}
	}
	for _, rte := range parse.RangeTable {
		if rte.Kind == query.RTEJoin {
			for i, v := range rte.JoinAliasVars {
				rte.JoinAliasVars[i] = r.expr(v)
			}
		}
	}
}

func (r *varReplacer) tree(n query.JoinNode) {
	switch n := n.(type) {
	case *query.RangeTblRef:
		rte := r.root.Parse.RTE(n.Index)
		if n.Index == r.varno || !rte.Lateral {
			return
		}
		switch rte.Kind {
		case query.RTERelation:
			for i, e := range rte.Sample.Args {
				rte.Sample.Args[i] = r.expr(e)
			}
			rte.Sample.Repeatable = r.expr(rte.Sample.Repeatable)
		case query.RTESubquery:
			rte.Subquery = eval.ReplaceOuterVars(rte.Subquery, r.varno, r.replace)
		case query.RTEFunction:
			for _, f := range rte.Functions {
				f.Expr = r.expr(f.Expr)
			}
		case query.RTEValues:
			for _, row := range rte.Values {
				for i, e := range row {
					row[i] = r.expr(e)
				}
			}
		}
	case *query.FromExpr:
		for _, c := range n.List {
			r.tree(c)
		}
		n.Quals = r.expr(n.Quals)
	case *query.JoinExpr:
		saved := r.wrapAll
		r.tree(n.Left)
		r.tree(n.Right)
		// The alias expressions of a full join need their pieces told apart.
		r.wrapAll = r.wrapAll || n.Type == query.JoinFull
		n.Quals = r.expr(n.Quals)
		r.wrapAll = saved
	}
}

func (r *varReplacer) expr(e query.Expr) query.Expr {
	if e == nil {
		return nil
	}
	return eval.ReplaceVars(e, r.varno, r.replace)
}

// replace returns what stands for a column (pullup_replace_vars_callback).
func (r *varReplacer) replace(v *query.Var) query.Expr {
	wrap := !v.NullingRels.IsEmpty() || r.wrapAll
	var e query.Expr
	if ph := r.cache[v.AttNo]; wrap && ph != nil {
		e = ph
	} else if v.AttNo == 0 {
		e = r.wholeRow(v)
		if wrap {
			e = r.placeHolder(0, e)
		}
	} else {
		i := slices.IndexFunc(r.targets, func(te *query.TargetEntry) bool { return te.ResNo == v.AttNo })
		e = r.targets[i].Expr
		if wrap && r.mustWrap(e) {
			e = r.placeHolder(v.AttNo, e)
		}
	}
	if v.NullingRels.IsEmpty() {
		return e
	}
	switch n := e.(type) {
	case *query.Var:
		c := *n
		c.NullingRels = n.NullingRels.Union(v.NullingRels)
		return &c
	case *query.PlaceHolderVar:
		c := *n
		c.NullingRels = n.NullingRels.Union(v.NullingRels)
		return &c
	}
	if r.rte.Lateral {
		for at := range eval.PullVarNos(r.root, e).Minus(r.relids).All() {
			if nulled := v.NullingRels.Intersect(r.nulling[at]); !nulled.IsEmpty() {
				e = eval.AddNullingRels(e, query.MakeRelids(at), nulled)
			}
		}
		return eval.AddNullingRels(e, r.relids, v.NullingRels)
	}
	return eval.AddNullingRels(e, query.Relids{}, v.NullingRels)
}

func (r *varReplacer) placeHolder(attno int, e query.Expr) query.Expr {
	ph := MakePlaceHolder(r.root, e, query.MakeRelids(r.varno))
	r.cache[attno] = ph
	return ph
}

// mustWrap reports whether an expression would not become NULL with the
// relations that it is computed from.
func (r *varReplacer) mustWrap(e query.Expr) bool {
	switch n := e.(type) {
	case *query.Var:
		if n.LevelsUp == 0 {
			return r.rte.Lateral && !r.relids.Has(n.VarNo)
		}
	case *query.PlaceHolderVar:
		if n.LevelsUp == 0 {
			return r.rte.Lateral && !n.Rels.IsSubset(r.relids)
		}
	}
	if r.wrapAll {
		return true
	}
	local := eval.ContainVarsOfLevel(e, 0)
	if r.rte.Lateral {
		local = eval.PullVarNos(r.root, e).Overlaps(r.relids)
	}
	return !local || eval.ContainNonStrict(r.root.Global.Catalog, e)
}

// wholeRow is the row of all columns.
func (r *varReplacer) wholeRow(v *query.Var) query.Expr {
	row := &query.RowExpr{Header: query.Header{Typ: v.Typ, Mod: pgtype.NoTypmod, Loc: v.Loc}, Form: query.CoerceImplicitCast}
	saved := r.wrapAll
	r.wrapAll = false
	for _, te := range r.targets {
		if te.Junk {
			continue
		}
		c := targetVar(r.varno, te)
		row.Args = append(row.Args, r.replace(c))
		if v.Typ == pgtype.RecordOID {
			row.ColNames = append(row.ColNames, r.rte.ERef.Columns[te.ResNo-1])
		}
	}
	r.wrapAll = saved
	return row
}

// nullingRelsOf says for each relation which outer joins can null it
// (get_nullingrels, since 16.5).
func nullingRelsOf(q *query.Query) map[int]query.Relids {
	out := map[int]query.Relids{}
	var walk func(n query.JoinNode, above query.Relids)
	walk = func(n query.JoinNode, above query.Relids) {
		switch n := n.(type) {
		case *query.RangeTblRef:
			out[n.Index] = above
		case *query.FromExpr:
			for _, c := range n.List {
				walk(c, above)
			}
		case *query.JoinExpr:
			left, right := above, above
			switch n.Type {
			case query.JoinLeft, query.JoinSemi, query.JoinAnti:
				right = above.Add(n.Index)
			case query.JoinRight:
				left = above.Add(n.Index)
			case query.JoinFull:
				left, right = above.Add(n.Index), above.Add(n.Index)
			}
			walk(n.Left, left)
			walk(n.Right, right)
		}
	}
	walk(q.JoinTree, query.Relids{})
	return out
}

func isSimpleValues(root *rel.PlannerInfo, rte *query.RangeTblEntry) bool {
	if len(rte.Values) != 1 || len(root.Parse.RangeTable) != 1 {
		return false
	}
	return !slices.ContainsFunc(rte.Values[0], func(e query.Expr) bool {
		return eval.ContainSRF(e) || eval.ContainVolatile(root.Global.Catalog, e)
	})
}

// pullUpValues replaces the only relation of a query, a VALUES of one row, by
// its expressions (pull_up_simple_values).
func pullUpValues(root *rel.PlannerInfo, ref *query.RangeTblRef, rte *query.RangeTblEntry) query.JoinNode {
	r := &varReplacer{root: root, varno: ref.Index, rte: rte, cache: map[int]*query.PlaceHolderVar{}}
	for i, e := range rte.Values[0] {
		r.targets = append(r.targets, &query.TargetEntry{Expr: e, ResNo: i + 1})
	}
	r.replaceAll(nil)
	root.Parse.RangeTable[ref.Index-1] = &query.RangeTblEntry{Kind: query.RTEResult, ERef: &query.Alias{Name: "*RESULT*"}}
	return ref
}

// pullUpConstantFunction replaces a function in FROM that folded to a constant
// (pull_up_constant_function).
func pullUpConstantFunction(root *rel.PlannerInfo, ref *query.RangeTblRef, rte *query.RangeTblEntry, member *rel.AppendRelInfo) query.JoinNode {
	if rte.Ordinality || len(rte.Functions) != 1 {
		return ref
	}
	f := rte.Functions[0]
	c, ok := f.Expr.(*query.Const)
	if !ok || f.ColCount != 1 || f.ColNames != nil {
		return ref
	}
	if t := root.Global.Catalog.Type(root.Global.Catalog.BaseType(c.Typ)); t == nil || t.Kind == 'c' || t.Kind == 'p' {
		return ref
	}
	r := &varReplacer{
		root: root, varno: ref.Index, rte: rte, targets: []*query.TargetEntry{{Expr: c, ResNo: 1}},
		cache: map[int]*query.PlaceHolderVar{}, wrapAll: member != nil || len(root.Parse.GroupingSets) > 0,
	}
	r.replaceAll(member)
	rte.Kind, rte.Functions, rte.Lateral = query.RTEResult, nil, false
	return ref
}

// foldFunctionRTEs folds the functions of FROM, so that constants can be pulled
// up (preprocess_function_rtes). Set-returning SQL functions are not inlined.
func foldFunctionRTEs(root *rel.PlannerInfo) {
	for _, rte := range root.Parse.RangeTable {
		if rte.Kind != query.RTEFunction {
			continue
		}
		for _, f := range rte.Functions {
			f.Expr = eval.Fold(root.Global, f.Expr)
			if fe, ok := f.Expr.(*query.FuncExpr); ok {
				if fn := root.Global.Catalog.Func(fe.Func); fn != nil && fn.Language == "sql" && fn.OID >= pgtype.FirstNormalOID {
					root.Global.Approximate("the SQL function " + fn.Name + " is not inlined")
				}
			}
		}
	}
}
