package upper

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// Memory that a transition state is taken to need where its type does not tell,
// in bytes (utils/memutils.h).
const (
	smallContext   = 1024 // ALLOCSET_SMALL_INITSIZE
	defaultContext = 8192 // ALLOCSET_DEFAULT_INITSIZE
	pointer        = 8
)

// Bits of an aggregation step (AggSplit, nodes/nodes.h).
const (
	splitCombine     = 0x01
	splitSkipFinal   = 0x02
	splitSerialize   = 0x04
	splitDeserialize = 0x08
)

// numberAggs numbers the aggregates of the target list and HAVING, so that
// equal calls are computed once and calls that differ in the end only share
// their state (preprocess_aggrefs, prepagg.c). The calls are replaced by copies
// that bear the numbers.
func numberAggs(root *rel.PlannerInfo) {
	number := func(e query.Expr) query.Expr {
		return query.Transform(e, func(x query.Expr) (query.Expr, bool) {
			a, ok := x.(*query.Aggref)
			if !ok || a.LevelsUp != 0 {
				return nil, false
			}
			c := *a
			numberAgg(root, &c)
			return &c, true
		})
	}
	list := make([]*query.TargetEntry, len(root.ProcessedTargetList))
	for i, te := range root.ProcessedTargetList {
		c := *te
		c.Expr = number(te.Expr)
		list[i] = &c
	}
	root.ProcessedTargetList = list
	root.Parse.Having = number(root.Parse.Having)
}

func numberAgg(root *rel.PlannerInfo, a *query.Aggref) {
	cat := root.Global.Catalog
	f := cat.Func(a.Func)
	if f == nil || f.Aggregate == nil {
		root.Global.NotSupported("an aggregate that the catalog does not know")
		return
	}
	agg := f.Aggregate
	a.TransType = transType(cat, f, a)
	shareable := agg.FinalModify != 'w'
	no, shared := findAgg(root, a)
	if no >= 0 {
		info := root.Aggs[no]
		info.Aggrefs = append(info.Aggrefs, a)
		a.AggNo, a.TransNo = no, info.TransNo
		return
	}
	info := &rel.AggInfo{Aggrefs: []*query.Aggref{a}, Shareable: shareable, FinalFunc: agg.FinalFunc}
	a.AggNo = len(root.Aggs)
	root.Aggs = append(root.Aggs, info)
	if len(a.Order) > 0 || len(a.Distinct) > 0 {
		root.NumOrderedAggs++
		root.HasNonPartialAggs = true
	}
	trans := &rel.AggTransInfo{
		Args: a.Args, Filter: a.Filter, TransFunc: agg.TransFunc, SerialFunc: agg.SerialFunc,
		DeserialFunc: agg.DeserialFunc, CombineFunc: agg.CombineFunc, TransType: a.TransType,
		TransTypmod: pgtype.NoTypmod, TransSpace: agg.TransSpace, InitValNull: agg.InitValNull,
	}
	if len(a.Args) > 0 && a.Args[0].Expr.ResultType() == a.TransType {
		trans.TransTypmod = a.Args[0].Expr.ResultTypmod()
	}
	if t := cat.Type(a.TransType); t != nil {
		trans.TransTypeLen, trans.TransTypeByVal = t.Len, t.ByVal
	}
	info.TransNo = -1
	if shareable {
		info.TransNo = findTrans(root, trans, f, shared)
	}
	if info.TransNo < 0 {
		info.TransNo = len(root.Trans)
		root.Trans = append(root.Trans, trans)
		notePartial(root, a, trans)
	}
	a.TransNo = info.TransNo
}

// notePartial notes an aggregate that cannot be computed in parts.
func notePartial(root *rel.PlannerInfo, a *query.Aggref, t *rel.AggTransInfo) {
	switch {
	case root.HasNonPartialAggs:
	case t.CombineFunc == 0:
		root.HasNonPartialAggs = true
	case t.TransType != pgtype.InternalOID:
	case t.SerialFunc == 0 || t.DeserialFunc == 0:
		root.HasNonSerialAggs = true
	case source(root, t.SerialFunc) == "array_agg_serialize" || source(root, t.DeserialFunc) == "array_agg_deserialize":
		for _, arg := range a.ArgTypes {
			if typ := root.Global.Catalog.Type(arg); typ == nil || typ.Send == 0 || typ.Receive == 0 {
				root.HasNonSerialAggs = true
			}
		}
	}
}

// source is the C name of a function.
func source(root *rel.PlannerInfo, fn pgtype.OID) string {
	if f := root.Global.Catalog.Func(fn); f != nil {
		return f.Source
	}
	return ""
}

// transType is the type of a call's transition state, with a polymorphic one
// resolved by the arguments (resolve_aggregate_transtype, parse_agg.c).
func transType(cat *catalog.Catalog, f *catalog.Func, a *query.Aggref) pgtype.OID {
	typ := f.Aggregate.TransType
	switch typ {
	case pgtype.AnyelementOID, pgtype.AnyarrayOID, pgtype.AnynonarrayOID, pgtype.AnyenumOID, pgtype.AnyrangeOID,
		pgtype.AnymultirangeOID, pgtype.AnycompatibleOID, pgtype.AnycompatiblearrayOID,
		pgtype.AnycompatiblenonarrayOID, pgtype.AnycompatiblerangeOID, pgtype.AnycompatiblemultirangeOID:
	default:
		return typ
	}
	for i, arg := range f.Args {
		if i < len(a.ArgTypes) && arg == typ {
			return a.ArgTypes[i]
		}
	}
	if a.TransType != 0 {
		return a.TransType
	}
	if typ == pgtype.AnyarrayOID || typ == pgtype.AnycompatiblearrayOID {
		for i := range f.Args {
			if i >= len(a.ArgTypes) {
				break
			}
			if t := cat.Type(a.ArgTypes[i]); t != nil && t.Array != 0 {
				return t.Array
			}
		}
	}
	return a.Typ
}

// findAgg returns the number of an equal call, -1 if there is none, and the
// states of calls with the same input (find_compatible_agg, prepagg.c).
func findAgg(root *rel.PlannerInfo, a *query.Aggref) (no int, shared []int) {
	if eval.ContainVolatile(root.Global.Catalog, a) {
		return -1, nil
	}
	for i, info := range root.Aggs {
		o := info.Aggrefs[0]
		same := a.InputColl == o.InputColl && a.TransType == o.TransType && a.Star == o.Star &&
			a.Variadic == o.Variadic && a.Kind == o.Kind && slices.EqualFunc(a.Args, o.Args, sameEntry) &&
			slices.EqualFunc(a.Order, o.Order, sameClause) && slices.EqualFunc(a.Distinct, o.Distinct, sameClause) &&
			query.Equal(a.Filter, o.Filter)
		switch {
		case !same:
		case a.Func == o.Func && a.Typ == o.Typ && a.Coll == o.Coll && slices.EqualFunc(a.DirectArgs, o.DirectArgs, query.Equal):
			return i, nil
		case info.Shareable:
			shared = append(shared, info.TransNo)
		}
	}
	return -1, shared
}

func sameEntry(a, b *query.TargetEntry) bool {
	return a.ResNo == b.ResNo && a.SortGroupRef == b.SortGroupRef && a.Junk == b.Junk && query.Equal(a.Expr, b.Expr)
}

func sameClause(a, b *query.SortGroupClause) bool { return *a == *b }

// findTrans returns the number of a state that a new call can share, -1 for
// none (find_compatible_trans, prepagg.c).
func findTrans(root *rel.PlannerInfo, t *rel.AggTransInfo, f *catalog.Func, shared []int) int {
	for _, i := range shared {
		o := root.Trans[i]
		if t.TransFunc != o.TransFunc || t.TransType != o.TransType || t.SerialFunc != o.SerialFunc ||
			t.DeserialFunc != o.DeserialFunc || t.CombineFunc != o.CombineFunc || t.InitValNull != o.InitValNull {
			continue
		}
		if !t.InitValNull && f.OID >= pgtype.FirstNormalOID {
			// The built-in aggregates with one transition function all start
			// from one value; others may differ.
			root.Global.Approximate("whether aggregate " + f.Name + " shares its state with another is not known")
		}
		return i
	}
	return -1
}

// aggCosts sums what the aggregates cost in an aggregation step
// (get_agg_clause_costs, prepagg.c).
func aggCosts(root *rel.PlannerInfo, split int) cost.AggCosts {
	g := root.Global
	var c cost.AggCosts
	add := func(to *rel.QualCost, e query.Expr) {
		q := cost.QualEvalNode(g, e)
		to.Startup += q.Startup
		to.PerTuple += q.PerTuple
	}
	for _, t := range root.Trans {
		combine := split&splitCombine != 0
		if combine {
			cost.AddFunction(g, t.CombineFunc, &c.Trans)
		} else {
			cost.AddFunction(g, t.TransFunc, &c.Trans)
		}
		if split&splitDeserialize != 0 {
			cost.AddFunction(g, t.DeserialFunc, &c.Trans)
		}
		if split&splitSerialize != 0 {
			cost.AddFunction(g, t.SerialFunc, &c.Final)
		}
		if !combine {
			var args []query.Expr
			for _, te := range t.Args {
				args = append(args, te.Expr)
			}
			q := cost.QualEvalExprs(g, args)
			c.Trans.Startup += q.Startup
			c.Trans.PerTuple += q.PerTuple
			if t.Filter != nil {
				add(&c.Trans, t.Filter)
			}
		}
		c.TransitionSpace += stateSpace(root, t)
	}
	for _, info := range root.Aggs {
		if split&splitSkipFinal == 0 {
			cost.AddFunction(g, info.FinalFunc, &c.Final)
		}
		if direct := info.Aggrefs[0].DirectArgs; len(direct) > 0 {
			q := cost.QualEvalExprs(g, direct)
			c.Final.Startup += q.Startup
			c.Final.PerTuple += q.PerTuple
		}
	}
	return c
}

// stateSpace is the memory that a transition state takes beside its slot, in
// bytes.
func stateSpace(root *rel.PlannerInfo, t *rel.AggTransInfo) float64 {
	switch {
	case !t.TransTypeByVal:
		width := t.TransSpace
		if width <= 0 {
			if source(root, t.TransFunc) == "array_append" {
				width = smallContext
			} else {
				width = cost.TypeWidth(root.Global.Catalog, t.TransType, t.TransTypmod)
			}
		}
		return float64((width+7)&^7 + 2*pointer)
	case t.TransType == pgtype.InternalOID:
		if t.TransSpace > 0 {
			return float64(t.TransSpace)
		}
		return defaultContext
	}
	return 0
}

// partialAggref is a call that stops at its transition state
// (mark_partial_aggref, planner.c).
func partialAggref(a *query.Aggref) *query.Aggref {
	c := *a
	c.Split = rel.AggSplitInitialSerial
	c.Typ = a.TransType
	if a.TransType == pgtype.InternalOID {
		c.Typ = pgtype.ByteaOID
	}
	return &c
}
