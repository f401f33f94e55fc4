package path

import (
	"encoding/json"
	"strings"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// ginCost is the cost of a GIN search (gincostestimate, selfuncs.c). It is exact
// where the index's metapage is known and no condition is a constant of which an
// operator class would have to tell how many entries it looks for.
func ginCost(root *rel.PlannerInfo, p *rel.IndexPath, probe cost.IndexProbe, approximate func(string)) cost.IndexCost {
	x := p.Index
	var s cost.GINStats
	switch {
	case x.Physical != nil && x.Physical.GIN != nil:
		g := x.Physical.GIN
		s = cost.GINStats{
			PendingPages: g.PendingPages, TotalPages: g.TotalPages, EntryPages: g.EntryPages,
			DataPages: g.DataPages, Entries: g.Entries,
		}
	case !x.Hypothetical:
		approximate("the metapage of GIN index " + x.Index.Name + " is not in the statistics")
	}
	g := ginQuals{root: root, x: x, entries: cost.GINEntries(x.Pages, s), approximate: approximate}
	g.counts.Arrays = 1
	g.normal, g.full = make([]bool, x.NKeyCols), make([]bool, x.NKeyCols)
	for _, c := range p.Clauses {
		for _, r := range c.Quals {
			if !g.add(r.Clause, c.Column) {
				return cost.IndexCost{} // no row can match
			}
		}
	}
	for i := range g.full {
		g.counts.Full = g.counts.Full || g.full[i] && !g.normal[i]
	}
	if x.Physical != nil && x.Physical.GIN != nil && x.Physical.GIN.EntryPagesGuessed &&
		(g.counts.Partial > 0 || g.counts.Arrays > 1 || probe.LoopCount > 1) {
		approximate("the entry pages of GIN index " + x.Index.Name + " are not in the statistics")
	}
	return cost.GIN(cost.ParamsOf(root.Global), probe, s, g.counts)
}

// ginQuals counts what GIN conditions search for (GinQualCounts).
type ginQuals struct {
	root         *rel.PlannerInfo
	x            *rel.IndexOptInfo
	counts       cost.GINCounts
	entries      float64
	normal, full []bool // by column
	approximate  func(string)
}

// add counts a condition; false means that it can match nothing.
func (g *ginQuals) add(e query.Expr, col int) bool {
	switch n := e.(type) {
	case *query.OpExpr:
		c, ok := eval.StripRelabel(eval.Estimate(g.root.Global, n.Args[1])).(*query.Const)
		if !ok {
			// One ordinary search, as nothing is known.
			g.counts.Exact++
			g.counts.Search++
			return true
		}
		if c.Null {
			return false
		}
		g.constant(n, c, col)
	case *query.ScalarArrayOpExpr:
		g.approximateArray(n)
	}
	return true
}

// approximateArray takes each element as one ordinary search.
func (g *ginQuals) approximateArray(n *query.ScalarArrayOpExpr) {
	right := eval.StripRelabel(eval.Estimate(g.root.Global, n.Args[1]))
	if c, ok := right.(*query.Const); ok && !c.Null {
		g.approximate("the entries that GIN index " + g.x.Index.Name + " is searched for")
	}
	g.counts.Exact++
	g.counts.Search++
	g.counts.Arrays *= max(selectivity.ArrayLength(g.root, right), 1)
}

// constant counts the entries of a constant: of an array its elements; of
// anything else the operator class would have to say.
func (g *ginQuals) constant(n *query.OpExpr, c *query.Const, col int) {
	cat := g.root.Global.Catalog
	f := cat.OpFamily(g.x.Families[col])
	o := cat.Operator(n.Op)
	if f != nil && o != nil && f.Name == "array_ops" {
		if elems, ok := eval.Elements(g.root.Global, c); ok {
			g.array(o.Name, float64(len(elems)), col)
			return
		}
	}
	if f != nil && o != nil && (f.Name == "jsonb_ops" || f.Name == "jsonb_path_ops") {
		if n, ok := g.jsonbEntries(f.Name, o.Name, c); ok {
			g.counts.Exact += n
			g.counts.Search += n
			if n == 0 {
				g.full[col] = true
			} else {
				g.normal[col] = true
			}
			return
		}
	}
	g.approximate("the entries that GIN index " + g.x.Index.Name + " is searched for")
	words := float64(max(len(strings.Fields(c.Value)), 1))
	g.counts.Exact += words
	g.counts.Search += words
	g.normal[col] = true
}

// jsonbEntries counts the entries that a constant is searched by: of what is
// contained the scalars, and unless paths are hashed the keys, too; of ?, ?| and
// ?& the keys (gin_extract_jsonb_query and gin_extract_jsonb_query_path,
// jsonb_gin.c).
func (g *ginQuals) jsonbEntries(family, op string, c *query.Const) (float64, bool) {
	switch op {
	case "?":
		return 1, family == "jsonb_ops"
	case "?|", "?&":
		elems, ok := eval.Elements(g.root.Global, c)
		n := 0
		for _, e := range elems {
			if !e.Null {
				n++
			}
		}
		return float64(n), ok && family == "jsonb_ops"
	case "@>":
		var v interface{}
		if json.Unmarshal([]byte(c.Value), &v) != nil {
			return 0, false
		}
		return jsonbEntries(v, family == "jsonb_ops"), true
	}
	return 0, false
}

func jsonbEntries(v interface{}, keys bool) float64 {
	n := 0.0
	switch x := v.(type) {
	case map[string]interface{}:
		for _, m := range x {
			n += jsonbEntries(m, keys)
		}
		if keys {
			n += float64(len(x))
		}
	case []interface{}:
		for _, m := range x {
			n += jsonbEntries(m, keys)
		}
	default:
		n = 1
	}
	return n
}

// array counts the entries of an array operator (ginqueryarrayextract,
// ginarrayproc.c): an empty array matches all rows with @>, empty ones with <@
// and =, none with &&.
func (g *ginQuals) array(op string, n float64, col int) {
	g.counts.Exact += n
	g.counts.Search += n
	switch {
	case op == "@>" && n == 0:
		g.full[col] = true
	case op == "<@" || op == "=" && n == 0:
		g.counts.Exact++
		g.counts.Search++
		g.normal[col] = true
	default:
		g.normal[col] = true
	}
}
