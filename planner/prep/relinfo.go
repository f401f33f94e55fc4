package prep

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
)

// minSystemAttr is the lowest attribute number that a relation's arrays have
// room for (FirstLowInvalidHeapAttributeNumber + 1).
const minSystemAttr = -6

// getRelationInfo fills in what the catalog and the statistics say of a table:
// its size, its indexes and its foreign keys (get_relation_info, plancat.c).
func getRelationInfo(root *rel.PlannerInfo, rte *query.RangeTblEntry, rl *rel.RelOptInfo) {
	g := root.Global
	t := g.Catalog.Table(rte.Relation)
	rl.Table = t
	rl.MinAttr, rl.MaxAttr = minSystemAttr, len(t.Columns)
	rl.AttrNeeded = make([]query.Relids, rl.MaxAttr-rl.MinAttr+1)
	rl.AttrWidths = make([]int, rl.MaxAttr-rl.MinAttr+1)
	partitioned := t.Kind == catalog.KindPartitioned
	parent := rte.Inherit && HasChildren(g.Catalog, rte)
	facts := g.Stats.Relation(t.OID)
	rl.Physical = facts.Relation
	if g.Version(17) && (!parent || partitioned) {
		for _, c := range t.Columns {
			if c.NotNull && !c.Dropped {
				rl.NotNullAttrs = rl.NotNullAttrs.Add(c.Number)
			}
		}
	}
	if !parent {
		rl.Pages, rl.Tuples, rl.AllVisFrac = g.Stats.Size(t.OID)
		if r := facts.Relation; rl.Pages > 0 && (r.RelTuples != nil && *r.RelTuples < 0 || r.RelPages != nil && *r.RelPages == 0) {
			// How many rows fit was worked out from the columns' widths, which
			// are kept (get_rel_data_width, plancat.c).
			for _, c := range t.Columns {
				if !c.Dropped {
					rl.AttrWidths[c.Number-rl.MinAttr] = g.Stats.Column(t.OID, c.Number, false).AvgWidth
				}
			}
		}
		note(g, facts.Derived)
	}
	if t.Kind == catalog.KindForeign {
		g.NotSupported("the foreign table " + t.Name)
	}
	rl.ParallelWorkers = t.ParallelWorkers
	if w := facts.Relation.ParallelWorkers; w != nil {
		rl.ParallelWorkers = *w
	}
	if !parent || partitioned && g.Version(16) {
		rl.Indexes = indexInfos(root, rl, parent)
	}
	rl.ExtStats = g.Stats.Extended(t.OID, parent)
	getForeignKeys(root, rl)
}

// note makes a plan approximate for each reason.
func note(g *rel.Global, reasons []string) {
	for _, r := range reasons {
		g.Approximate(r)
	}
}

// indexInfos lists a table's indexes as planning walks them: by descending OID,
// since each is put in front of the list.
func indexInfos(root *rel.PlannerInfo, rl *rel.RelOptInfo, parent bool) []*rel.IndexOptInfo {
	g := root.Global
	type ordered struct {
		x     *rel.IndexOptInfo
		order uint64
	}
	var list []ordered
	for _, x := range rl.Table.Indexes {
		if !x.Valid {
			// Either the server has it invalid, too, or its definition was
			// not understood, and then the server may use it.
			switch f := g.Stats.Index(x.OID); {
			case f.Index != nil && f.Invalid:
			case needsClause(g.Catalog, x):
				rl.Unread = append(rl.Unread, x)
			default:
				unread(g, x)
			}
			continue
		}
		info, known := indexInfo(root, rl, x, parent)
		if known {
			list = append(list, ordered{info, g.Stats.Index(x.OID).Order})
		}
	}
	for i, x := range g.Hypothetical[rl.Table.OID] {
		info, known := indexInfo(root, rl, x, parent)
		if known {
			list = append(list, ordered{info, 1<<63 + uint64(i)})
		}
	}
	slices.SortStableFunc(list, func(a, b ordered) int { return cmp.Compare(b.order, a.order) })
	out := make([]*rel.IndexOptInfo, len(list))
	for i := range list {
		out[i] = list[i].x
	}
	return out
}

func unread(g *rel.Global, x *catalog.Index) {
	g.Approximate("index " + x.Name + " is not understood, and the server may use it")
}

// needsClause reports whether an index is of use only to clauses on its columns:
// it gives no order, answers nothing by itself and has no predicate
// (build_index_paths, indxpath.c).
func needsClause(cat *catalog.Catalog, x *catalog.Index) bool {
	m := cat.Method(x.Method)
	return m != nil && (m.Name == "gin" || m.Name == "brin" || m.Name == "hash") && len(x.Predicate) == 0
}

// NoteUnreadIndexes makes the plan approximate if a clause is on a column of an
// index that is not understood. It is called once the relation's clauses are
// known.
func NoteUnreadIndexes(root *rel.PlannerInfo, rl *rel.RelOptInfo) {
	for _, x := range rl.Unread {
		var columns query.Relids
		for _, k := range x.Keys {
			if k.Column > 0 {
				columns = columns.Add(k.Column)
			}
			query.Walk(k.Expr, func(e query.Expr) bool {
				if v, ok := e.(*query.Var); ok && v.AttNo > 0 {
					columns = columns.Add(v.AttNo)
				}
				return true
			})
		}
		found := false
		look := func(e query.Expr) {
			query.Walk(e, func(e query.Expr) bool {
				v, ok := e.(*query.Var)
				found = found || ok && v.VarNo == rl.Index && (v.AttNo == 0 || columns.Has(max(v.AttNo, 0)))
				return !found
			})
		}
		for _, list := range [][]*rel.RestrictInfo{rl.BaseRestrict, rl.JoinInfo} {
			for _, r := range list {
				look(r.Clause)
			}
		}
		for _, ec := range root.ECs {
			for _, m := range ec.Members {
				if len(ec.Members) > 1 && m.Relids.Has(rl.Index) {
					look(m.Expr)
				}
			}
		}
		if found {
			unread(root.Global, x)
		}
	}
}

func indexInfo(root *rel.PlannerInfo, rl *rel.RelOptInfo, x *catalog.Index, parent bool) (*rel.IndexOptInfo, bool) {
	g := root.Global
	m := g.Catalog.Method(x.Method)
	if m == nil {
		g.Approximate("the access method of index " + x.Name + " is not known")
		return nil, false
	}
	info := &rel.IndexOptInfo{
		Index: x, Rel: rl, Height: -1, NCols: len(x.Keys), NKeyCols: x.NumKeys,
		Unique: x.Unique, Immediate: x.Immediate, Hypothetical: x.Hypothetical, Method: m,
	}
	for i, k := range x.Keys {
		info.Keys = append(info.Keys, k.Column)
		info.CanReturn = append(info.CanReturn, canReturn(g.Catalog, m, x, i))
		if k.Column == 0 {
			info.Exprs = append(info.Exprs, eval.Fold(g, eval.ChangeVarNo(k.Expr, 1, rl.Index)))
		}
		if i < x.NumKeys {
			if k.Family == 0 {
				g.Approximate("the operator class of index " + x.Name + " is not known")
				return nil, false
			}
			info.Families = append(info.Families, k.Family)
			info.InTypes = append(info.InTypes, k.InType)
			info.Collations = append(info.Collations, k.Collation)
		}
	}
	if m.CanOrder {
		info.SortFamily = info.Families
		for _, k := range x.Keys[:x.NumKeys] {
			info.Reverse = append(info.Reverse, k.Desc)
			info.NullsFirst = append(info.NullsFirst, k.NullsFirst)
		}
	}
	for _, p := range x.Predicate {
		info.Predicate = append(info.Predicate, splitAnd(eval.Fold(g, eval.ChangeVarNo(p, 1, rl.Index)))...)
	}
	info.TargetList = indexTargets(info)
	if parent {
		return info, true // a partitioned index has no storage
	}
	facts := g.Stats.Index(x.OID)
	if x.Hypothetical {
		facts = g.Stats.DeriveIndex(x)
	} else {
		info.Physical = facts.Index
	}
	note(g, facts.Derived)
	info.Derived = len(facts.Derived) > 0
	info.Pages, info.Tuples = g.Stats.IndexSize(x, facts, rl.Tuples)
	if x.Method == catalog.BTreeMethod {
		if facts.Height != nil {
			info.Height = *facts.Height
		}
	}
	return info, true
}

// canReturn reports whether an index can give back the value of a column
// (index_can_return and the amcanreturn functions).
func canReturn(cat *catalog.Catalog, m *catalog.AccessMethod, x *catalog.Index, col int) bool {
	switch x.Method {
	case catalog.BTreeMethod:
		return true
	case catalog.GistMethod:
		if col >= x.NumKeys {
			return true
		}
		has := func(number int) bool {
			return slices.ContainsFunc(cat.AmProcs(x.Keys[col].Family), func(p *catalog.AmProc) bool {
				return p.Number == number && p.Left == x.Keys[col].InType
			})
		}
		const compress, fetch = 3, 9
		return has(fetch) || !has(compress)
	case catalog.SPGistMethod:
		// The operator class's config function decides; those that can are
		// few, by name.
		oc := cat.OpClass(x.Keys[min(col, x.NumKeys-1)].OpClass)
		return col >= x.NumKeys || oc != nil && !strings.HasPrefix(oc.Name, "poly")
	}
	return false
}

// indexTargets describes an index's columns as expressions over its table
// (build_index_tlist, plancat.c).
func indexTargets(info *rel.IndexOptInfo) []*query.TargetEntry {
	var out []*query.TargetEntry
	expr := 0
	for i, k := range info.Keys {
		var e query.Expr
		if k == 0 {
			e = info.Exprs[expr]
			expr++
		} else {
			e = columnVar(info.Rel, k)
		}
		out = append(out, &query.TargetEntry{Expr: e, ResNo: i + 1})
	}
	return out
}

// columnVar is a Var of a relation's column, or of a system column.
func columnVar(rl *rel.RelOptInfo, attno int) *query.Var {
	v := &query.Var{VarNo: rl.Index, AttNo: attno, SynNo: rl.Index, SynAttNo: attno}
	v.Mod = pgtype.NoTypmod
	if c := rl.Table.Attr(attno); c != nil {
		v.Typ, v.Mod, v.Coll = c.Type, c.Typmod, c.Collation
		return v
	}
	for _, c := range catalog.SystemColumns() {
		if c.Number == attno {
			v.Typ = c.Type
		}
	}
	return v
}
