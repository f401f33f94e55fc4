package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// transformAggregate completes an aggregate call: its arguments become a target
// list, with ORDER BY and DISTINCT over it (transformAggregateCall,
// parse_agg.c).
func (s *state) transformAggregate(agg *query.Aggref, f *catalog.Func, args []query.Expr, order []*pg.Node, distinct bool) {
	entry := func(e query.Expr, n int) *query.TargetEntry { return &query.TargetEntry{Expr: e, ResNo: n} }
	if agg.Kind != query.AggNormal {
		direct := len(args) - len(order)
		agg.DirectArgs = args[:direct:direct]
		for i, e := range args[direct:] {
			t := entry(e, i+1)
			agg.Args = append(agg.Args, t)
			agg.Order = s.addToSortList(t, agg.Order, agg.Args, order[i].GetSortBy())
		}
	} else {
		for i, e := range args {
			agg.Args = append(agg.Args, entry(e, i+1))
		}
		save := s.nextResNo
		s.nextResNo = len(args) + 1
		agg.Order = s.sortClause(order, &agg.Args, kindOrderBy, true)
		if distinct {
			agg.Distinct = s.distinctClause(&agg.Args, agg.Order, true)
			for _, c := range agg.Distinct {
				if c.SortOp == 0 {
					e := targetByRef(c.Ref, agg.Args).Expr
					s.failDetail(errUndefinedFunction, exprLoc(e), "Aggregates with DISTINCT must be able to sort their inputs.",
						"could not identify an ordering operator for type %s", s.format(e.ResultType()))
				}
			}
		}
		s.nextResNo = save
	}
	for _, e := range agg.DirectArgs {
		agg.ArgTypes = append(agg.ArgTypes, e.ResultType())
	}
	var plain []query.Expr
	for _, t := range agg.Args {
		plain = append(plain, t.Expr)
		if !t.Junk {
			agg.ArgTypes = append(agg.ArgTypes, t.Expr.ResultType())
		}
	}
	if f.Aggregate != nil {
		agg.TransType = f.Aggregate.TransType
		if isPolymorphic(agg.TransType) {
			declared := append(f.Args[:0:0], f.Args...)
			n := min(len(declared), len(agg.ArgTypes))
			agg.TransType = s.enforceGeneric(agg.ArgTypes[:n], declared[:n], agg.TransType, false)
		}
	}
	loc := locOf(agg.Loc)
	agg.LevelsUp = s.aggLevel(agg.DirectArgs, plain, agg.Filter, loc)
	home := s.up(agg.LevelsUp)
	home.hasAggs = true
	home.checkAggPlace("aggregate functions", loc)
}

// transformGrouping is transformGroupingFunc.
func (s *state) transformGrouping(n *pg.GroupingFunc) query.Expr {
	loc := int(n.Location)
	if len(n.Args) > 31 {
		s.fail(errTooManyArguments, loc, "GROUPING must have fewer than 32 arguments")
	}
	g := &query.GroupingFunc{}
	g.Header = query.Header{Typ: int4, Mod: -1, Loc: s.span(loc)}
	for _, a := range n.Args {
		g.Args = append(g.Args, s.expr(a, s.kind))
	}
	g.LevelsUp = s.aggLevel(nil, g.Args, nil, loc)
	home := s.up(g.LevelsUp)
	home.hasAggs = true
	home.checkAggPlace("grouping operations", loc)
	return g
}

// levels are the nearest query levels that an aggregate's arguments refer to.
type levels struct {
	vars, aggs, ctes int
	cte              *query.RangeTblEntry
}

func lower(v *int, level int) bool {
	if level >= 0 && (*v < 0 || *v > level) {
		*v = level
		return true
	}
	return false
}

// argLevels looks through arguments (check_agg_arguments_walker).
func (s *state) argLevels(list []query.Expr) levels {
	l := levels{-1, -1, -1, nil}
	for _, e := range list {
		query.WalkLevels(e, func(x query.Expr, depth int) bool {
			switch x := x.(type) {
			case *query.Var:
				lower(&l.vars, x.LevelsUp-depth)
			case *query.Aggref:
				lower(&l.aggs, x.LevelsUp-depth)
			case *query.GroupingFunc:
				lower(&l.aggs, x.LevelsUp-depth)
			case *query.FuncExpr:
				if depth == 0 && x.RetSet {
					s.failHint(errFeatureNotSupported, exprLoc(x), lateralHint, "aggregate function calls cannot contain set-returning function calls")
				}
			case *query.OpExpr:
				if depth == 0 && x.RetSet {
					s.failHint(errFeatureNotSupported, exprLoc(x), lateralHint, "aggregate function calls cannot contain set-returning function calls")
				}
			case *query.WindowFunc:
				if depth == 0 {
					s.fail(errGrouping, locOf(x.Loc), "aggregate function calls cannot contain window function calls")
				}
			case *query.SubLink:
				s.cteLevels(x.Subselect, depth+1, &l)
			}
			return true
		})
	}
	return l
}

func (s *state) cteLevels(q *query.Query, depth int, l *levels) {
	for _, r := range q.RangeTable {
		if r.Kind == query.RTECTE && lower(&l.ctes, r.CTELevels-depth) {
			l.cte = r
		}
	}
	q.Subqueries(func(sub *query.Query) { s.cteLevels(sub, depth+1, l) })
}

// aggLevel finds the query level that an aggregate belongs to
// (check_agg_arguments).
func (s *state) aggLevel(direct, args []query.Expr, filter query.Expr, loc int) int {
	all := args
	if filter != nil {
		all = append(args[:len(args):len(args)], filter)
	}
	l := s.argLevels(all)
	level := 0
	switch {
	case l.vars < 0 && l.aggs < 0:
	case l.vars < 0:
		level = l.aggs
	case l.aggs < 0:
		level = l.vars
	default:
		level = min(l.vars, l.aggs)
	}
	if level == l.aggs {
		s.fail(errGrouping, locateAgg(all, level), "aggregate function calls cannot be nested")
	}
	checkCTE := func(l levels) {
		if l.ctes >= 0 && l.ctes < level {
			s.failDetail(errFeatureNotSupported, loc, "CTE \""+l.cte.ERef.Name+"\" is below the aggregate's semantic level.",
				"outer-level aggregate cannot use a nested CTE")
		}
	}
	checkCTE(l)
	if len(direct) > 0 {
		d := s.argLevels(direct)
		if d.vars >= 0 && d.vars < level {
			s.fail(errGrouping, locateVar(direct, d.vars), "outer-level aggregate cannot contain a lower-level variable in its direct arguments")
		}
		if d.aggs >= 0 && d.aggs <= level {
			s.fail(errGrouping, locateAgg(direct, d.aggs), "aggregate function calls cannot be nested")
		}
		checkCTE(d)
	}
	return level
}

// locate finds the first expression that fn accepts and returns where it is.
func locate(list []query.Expr, fn func(e query.Expr, depth int) bool) int {
	loc := noLoc
	for _, e := range list {
		query.WalkLevels(e, func(x query.Expr, depth int) bool {
			if loc < 0 && fn(x, depth) {
				loc = locOf(x.Span())
			}
			return loc < 0
		})
	}
	return loc
}

func locateAgg(list []query.Expr, level int) int {
	return locate(list, func(e query.Expr, depth int) bool {
		switch e := e.(type) {
		case *query.Aggref:
			return e.LevelsUp == level+depth
		case *query.GroupingFunc:
			return e.LevelsUp == level+depth
		}
		return false
	})
}

func isVarOfLevel(e query.Expr, level int) bool {
	v, ok := e.(*query.Var)
	return ok && v.LevelsUp == level
}

func locateVar(list []query.Expr, level int) int {
	return locate(list, func(e query.Expr, depth int) bool { return isVarOfLevel(e, level+depth) })
}

func locateWindow(list []query.Expr) int {
	return locate(list, func(e query.Expr, depth int) bool {
		_, ok := e.(*query.WindowFunc)
		return ok && depth == 0
	})
}

func exists(e query.Expr, fn func(e query.Expr, depth int) bool) bool {
	found := false
	query.WalkLevels(e, func(x query.Expr, depth int) bool {
		found = found || fn(x, depth)
		return !found
	})
	return found
}

// hasVars is contain_vars_of_level (var.c).
func hasVars(e query.Expr, level int) bool {
	return exists(e, func(x query.Expr, depth int) bool {
		if c, ok := x.(*query.CurrentOfExpr); ok && level == 0 {
			return c != nil
		}
		return isVarOfLevel(x, level+depth)
	})
}

func hasAggs(e query.Expr, level int) bool {
	return exists(e, func(x query.Expr, depth int) bool {
		switch x := x.(type) {
		case *query.Aggref:
			return x.LevelsUp == level+depth
		case *query.GroupingFunc:
			return x.LevelsUp == level+depth
		}
		return false
	})
}

func hasWindows(e query.Expr) bool {
	return exists(e, func(x query.Expr, depth int) bool {
		_, ok := x.(*query.WindowFunc)
		return ok && depth == 0
	})
}

// transformWindowCall finds or adds the window of a call
// (transformWindowFuncCall).
func (s *state) transformWindowCall(w *query.WindowFunc, def *pg.WindowDef) {
	if s.hasWindowFuncs {
		if loc := locateWindow(w.Args); loc >= 0 {
			s.fail(errWindowing, loc, "window function calls cannot be nested")
		}
	}
	s.checkWindowPlace(locOf(w.Loc))
	if def.Name != "" {
		for i, d := range s.windowDefs {
			if d.Name == def.Name {
				w.WinRef = i + 1
				break
			}
		}
		if w.WinRef == 0 {
			s.fail(errUndefinedObject, int(def.Location), "window \"%s\" does not exist", def.Name)
		}
	} else {
		for i, d := range s.windowDefs {
			if d.Refname == def.Refname && sameRawList(d.PartitionClause, def.PartitionClause) &&
				sameRawList(d.OrderClause, def.OrderClause) && d.FrameOptions == def.FrameOptions &&
				sameRaw(d.StartOffset, def.StartOffset) && sameRaw(d.EndOffset, def.EndOffset) {
				w.WinRef = i + 1
				break
			}
		}
		if w.WinRef == 0 {
			s.windowDefs = append(s.windowDefs[:len(s.windowDefs):len(s.windowDefs)], def)
			w.WinRef = len(s.windowDefs)
		}
	}
	s.hasWindowFuncs = true
}

func sameRawList(a, b []*pg.Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameRaw(a[i], b[i]) {
			return false
		}
	}
	return true
}

// sameRaw is equal() on grammar nodes, which does not look at locations.
func sameRaw(a, b *pg.Node) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, y := proto.Clone(a), proto.Clone(b)
	clearLocations(x.ProtoReflect())
	clearLocations(y.ProtoReflect())
	return proto.Equal(x, y)
}
