package analyze

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// nsItem is a ParseNamespaceItem: a range table entry as names in a query can
// reach it (parser/parse_node.h).
type nsItem struct {
	names      *query.Alias
	rte        *query.RangeTblEntry
	index      int
	columns    []nsColumn // one per name
	relVisible bool
	colVisible bool
	// lateralOnly items are visible to LATERAL items alone, and an error there
	// unless lateralOK.
	lateralOnly bool
	lateralOK   bool
	// returning is of old and new in RETURNING.
	returning query.VarReturning
}

// nsColumn says what Var a column name stands for (ParseNamespaceColumn). A
// zero varno is a dropped column.
type nsColumn struct {
	varno, attno       int
	typ                pgtype.OID
	mod                pgtype.Typmod
	coll               pgtype.OID
	varnoSyn, attnoSyn int
	dontExpand         bool
	returning          query.VarReturning
}

// refnameItem finds the FROM item that a qualified name means, and how many
// levels up it is (refnameNamespaceItem, parse_relation.c).
func (s *state) refnameItem(schema, name string, loc int) (*nsItem, int) {
	var rel *catalog.Table
	if schema != "" {
		if rel = s.cat.TableByName(schema, name); rel == nil {
			return nil, 0
		}
	}
	levels := 0
	for st := s; st != nil; st = st.parent {
		if it := st.scanRefname(rel, name, loc); it != nil {
			return it, levels
		}
		levels++
	}
	return nil, 0
}

func (s *state) scanRefname(rel *catalog.Table, name string, loc int) *nsItem {
	var found *nsItem
	for _, it := range s.namespace {
		if !it.relVisible || it.lateralOnly && !s.lateral {
			continue
		}
		if rel != nil {
			if it.rte.Kind != query.RTERelation || it.rte.Relation != rel.OID || it.rte.Alias != nil {
				continue
			}
		} else if it.names.Name != name {
			continue
		}
		if found != nil {
			if rel != nil {
				s.fail(errAmbiguousAlias, loc, "table reference %d is ambiguous", rel.OID)
			}
			s.fail(errAmbiguousAlias, loc, "table reference \"%s\" is ambiguous", name)
		}
		s.checkLateralRef(it, loc)
		found = it
	}
	return found
}

func (s *state) checkLateralRef(it *nsItem, loc int) {
	if !it.lateralOnly || it.lateralOK {
		return
	}
	e := s.errorAt(errInvalidColumnRef, loc, "invalid reference to FROM-clause entry for table \"%s\"", it.names.Name)
	if s.targetItem != nil && it.rte == s.targetItem.rte {
		e.Hint = "There is an entry for table \"" + it.names.Name + "\", but it cannot be referenced from this part of the query."
	} else {
		e.Detail = "The combining JOIN type must be INNER or LEFT for a LATERAL reference."
	}
	panic(e)
}

// checkConflicts refuses two items of one name (checkNameSpaceConflicts).
func (s *state) checkConflicts(a, b []*nsItem) {
	for _, x := range a {
		if !x.relVisible {
			continue
		}
		for _, y := range b {
			if !y.relVisible || x.names.Name != y.names.Name {
				continue
			}
			if x.rte.Kind == query.RTERelation && x.rte.Alias == nil && y.rte.Kind == query.RTERelation &&
				y.rte.Alias == nil && x.rte.Relation != y.rte.Relation {
				continue
			}
			e := s.errorAt(errDuplicateAlias, noLoc, "table name \"%s\" specified more than once", x.names.Name)
			panic(e)
		}
	}
}

// itemAt finds the namespace item of a range table entry
// (GetNSItemByRangeTablePosn).
func (s *state) itemAt(varno, levels int) *nsItem {
	for _, it := range s.up(levels).namespace {
		if it.index == varno {
			return it
		}
	}
	s.fail("XX000", noLoc, "nsitem not found (internal error)")
	return nil
}

func systemColumn(name string) *catalog.Column {
	for _, c := range catalog.SystemColumns() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// scanColumn returns the number of the column of an entry that has a name, 0 if
// none does (scanRTEForColumn).
func (s *state) scanColumn(rte *query.RangeTblEntry, names *query.Alias, name string, loc int) int {
	found := 0
	for i, n := range names.Columns {
		if n == name {
			if found != 0 {
				s.fail(errAmbiguousColumn, loc, "column reference \"%s\" is ambiguous", name)
			}
			found = i + 1
		}
	}
	if found != 0 {
		return found
	}
	if rte.Kind == query.RTERelation && rte.RelKind != catalog.KindComposite && rte.RelKind != catalog.KindView {
		if c := systemColumn(name); c != nil {
			return c.Number
		}
	}
	return 0
}

// columnVar returns the Var for a column of an item, nil if there is none
// (scanNSItemForColumn).
func (s *state) columnVar(it *nsItem, levels int, name string, loc int) query.Expr {
	n := s.scanColumn(it.rte, it.names, name, loc)
	if n == 0 {
		return nil
	}
	const tableoid = -6
	if n < 0 && n != tableoid {
		switch s.kind {
		case kindCheck:
			s.fail(errInvalidColumnRef, loc, "system column \"%s\" reference in check constraint is invalid", name)
		case kindGenerated:
			s.fail(errInvalidColumnRef, loc, "cannot use system column \"%s\" in column generation expression", name)
		case kindMergeWhen:
			s.fail(errInvalidColumnRef, loc, "cannot use system column \"%s\" in MERGE WHEN condition", name)
		}
	}
	var v *query.Var
	if n > 0 {
		c := &it.columns[n-1]
		if c.varno == 0 {
			s.fail(errUndefinedColumn, noLoc, "column \"%s\" of relation \"%s\" does not exist", name, it.names.Name)
		}
		v = c.newVar(levels)
	} else {
		sys := systemColumn(name)
		v = &query.Var{VarNo: it.index, AttNo: n, LevelsUp: levels, SynNo: it.index, SynAttNo: n, Returning: it.returning}
		v.Typ, v.Mod = sys.Type, sys.Typmod
	}
	v.Loc = s.span(loc)
	s.markNullable(v)
	s.markSelect(v)
	return v
}

func (c *nsColumn) newVar(levels int) *query.Var {
	v := &query.Var{VarNo: c.varno, AttNo: c.attno, LevelsUp: levels, SynNo: c.varnoSyn, SynAttNo: c.attnoSyn, Returning: c.returning}
	v.Typ, v.Mod, v.Coll = c.typ, c.mod, c.coll
	return v
}

// markNullable gives a Var the outer joins that can make it NULL
// (markNullableIfNeeded).
func (s *state) markNullable(v *query.Var) {
	v.NullingRels = v.NullingRels.Union(s.up(v.LevelsUp).nulling[v.VarNo])
}

// markSelect notes the columns that must be readable (markVarForSelectPriv).
func (s *state) markSelect(v *query.Var) { s.up(v.LevelsUp).markSelectRTE(v.VarNo, v.AttNo) }

func (s *state) markSelectRTE(varno, col int) {
	rte := s.rtable[varno-1]
	switch rte.Kind {
	case query.RTERelation:
		rte.Perms.Select = true
		addCol(&rte.Perms.SelectCols, col)
	case query.RTEJoin:
		j := s.joins[varno]
		if col != 0 || j == nil {
			return
		}
		for _, side := range []query.JoinNode{j.Left, j.Right} {
			switch side := side.(type) {
			case *query.RangeTblRef:
				s.markSelectRTE(side.Index, 0)
			case *query.JoinExpr:
				s.markSelectRTE(side.Index, 0)
			}
		}
	}
}

// addCol adds a column to a sorted set.
func addCol(set *[]int, col int) {
	i, found := slices.BinarySearch(*set, col)
	if !found {
		*set = slices.Insert(*set, i, col)
	}
}

// nameToVar resolves an unqualified column name, nil if nothing has it
// (colNameToVar).
func (s *state) nameToVar(name string, localOnly bool, loc int) query.Expr {
	levels := 0
	for st := s; st != nil; st = st.parent {
		var found query.Expr
		for _, it := range st.namespace {
			if !it.colVisible || it.lateralOnly && !st.lateral {
				continue
			}
			if v := s.columnVar(it, levels, name, loc); v != nil {
				if found != nil {
					s.fail(errAmbiguousColumn, loc, "column reference \"%s\" is ambiguous", name)
				}
				st.checkLateralRef(it, loc)
				found = v
			}
		}
		if found != nil || localOnly {
			return found
		}
		levels++
	}
	return nil
}

func setLateral(items []*nsItem, only, ok bool) {
	for _, it := range items {
		it.lateralOnly, it.lateralOK = only, ok
	}
}

// addItem makes an item part of the query (addNSItemToQuery).
func (s *state) addItem(it *nsItem, toJoins, toRels, toVars bool) {
	if toJoins {
		s.joinList = append(s.joinList, &query.RangeTblRef{Index: it.index})
	}
	if toRels || toVars {
		it.relVisible, it.colVisible = toRels, toVars
		it.lateralOnly, it.lateralOK = false, true
		s.namespace = append(s.namespace, it)
	}
}

// itemVars are Vars for all columns of an item that a star shows
// (expandNSItemVars).
func (s *state) itemVars(it *nsItem, levels, loc int) (names []string, vars []*query.Var) {
	for i, name := range it.names.Columns {
		c := &it.columns[i]
		if c.dontExpand || c.varno == 0 {
			continue
		}
		v := c.newVar(levels)
		v.Loc = s.span(loc)
		s.markNullable(v)
		vars = append(vars, v)
		names = append(names, name)
	}
	return names, vars
}
