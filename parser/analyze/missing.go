package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/query"
)

// searchRel looks for an entry of the query that a missing table could mean
// (searchRangeTableForRel, parse_relation.c).
func (s *state) searchRel(schema, name string) *query.RangeTblEntry {
	var found *cte
	cteLevels := 0
	if schema == "" {
		found, cteLevels = s.findCTE(name)
	}
	var oid any
	if found == nil {
		if t := s.cat.TableByName(schema, name); t != nil {
			oid = t.OID
		}
	}
	levels := 0
	for st := s; st != nil; st = st.parent {
		for _, r := range st.rtable {
			switch {
			case r.Kind == query.RTERelation && oid == any(r.Relation),
				r.Kind == query.RTECTE && found != nil && r.CTELevels+levels == cteLevels && r.CTEName == name,
				r.ERef.Name == name:
				return r
			}
		}
		levels++
	}
	return nil
}

func (s *state) itemOf(r *query.RangeTblEntry) *nsItem {
	for st := s; st != nil; st = st.parent {
		for _, it := range st.namespace {
			if it.rte == r {
				return it
			}
		}
	}
	return nil
}

func (s *state) visibleIfLateral(r *query.RangeTblEntry) bool {
	if s.lateral {
		return false
	}
	it := s.itemOf(r)
	return it != nil && it.lateralOnly && it.lateralOK
}

func (s *state) visibleIfQualified(r *query.RangeTblEntry) bool {
	it := s.itemOf(r)
	return it != nil && it.relVisible && !it.colVisible
}

// failMissingRTE reports a qualifier that names no FROM item
// (errorMissingRTE).
func (s *state) failMissingRTE(schema, name string, loc int) {
	r := s.searchRel(schema, name)
	if r == nil {
		e := s.errorAt(errUndefinedTable, loc, "missing FROM-clause entry for table \"%s\"", name)
		var known []string
		for st := s; st != nil; st = st.parent {
			for _, it := range st.namespace {
				if it.relVisible {
					known = append(known, it.names.Name)
				}
			}
		}
		if near, ok := diag.DidYouMean(name, known); ok {
			e.Hint = fmt.Sprintf("Perhaps you meant to reference the table \"%s\".", near)
		}
		panic(e)
	}
	e := s.errorAt(errUndefinedTable, loc, "invalid reference to FROM-clause entry for table \"%s\"", name)
	if r.Alias != nil && r.ERef.Name != name {
		if it, _ := s.refnameItem("", r.ERef.Name, loc); it != nil && it.rte == r {
			e.Hint = fmt.Sprintf("Perhaps you meant to reference the table alias \"%s\".", r.ERef.Name)
			panic(e)
		}
	}
	old := s.cat.Major < 16
	there := fmt.Sprintf("There is an entry for table \"%s\", but it cannot be referenced from this part of the query.", r.ERef.Name)
	switch {
	case old:
		e.Hint = there
	default:
		e.Detail = there
		if s.visibleIfLateral(r) {
			e.Hint = "To reference that table, you must mark this subquery with LATERAL."
		}
	}
	panic(e)
}

// fuzzyMatch collects the columns nearest to a misspelt one
// (FuzzyAttrMatchState).
type fuzzyMatch struct {
	distance       int
	first, second  *query.RangeTblEntry
	firstN         int
	secondN        int
	exact1, exact2 *query.RangeTblEntry
}

const maxFuzzyDistance = 3

func (f *fuzzyMatch) update(penalty int, r *query.RangeTblEntry, actual, match string, n int) {
	if penalty > f.distance || actual == "" {
		return
	}
	d := levenshteinLessEqual(actual, match, f.distance+1-penalty)
	if d > len(match)/2 {
		return
	}
	d += penalty
	switch {
	case d < f.distance:
		f.distance, f.first, f.firstN, f.second = d, r, n, nil
	case d == f.distance && f.second != nil:
		f.first, f.second = nil, nil
	case d == f.distance && f.first != nil:
		f.second, f.secondN = r, n
	}
}

// failMissingColumn reports a column that is not there, with the server's own
// guess (errorMissingColumn).
func (s *state) failMissingColumn(rel, col string, loc int) {
	f := &fuzzyMatch{distance: maxFuzzyDistance + 1}
	for st := s; st != nil; st = st.parent {
		for _, r := range st.rtable {
			if r.Kind == query.RTEJoin {
				continue
			}
			penalty := 0
			if rel != "" {
				penalty = levenshteinLessEqual(rel, r.ERef.Name, maxFuzzyDistance+1)
			}
			for i, name := range r.ERef.Columns {
				f.update(penalty, r, name, col, i+1)
			}
			if n := s.scanColumn(r, r.ERef, col, loc); n != 0 && penalty == 0 {
				if f.exact1 == nil {
					f.exact1 = r
				} else {
					f.exact2 = r
				}
			}
		}
	}
	e := s.errorAt(errUndefinedColumn, loc, "column \"%s\" does not exist", col)
	if rel != "" {
		e.Message = fmt.Sprintf("column %s.%s does not exist", rel, col)
	}
	name := func(r *query.RangeTblEntry, n int) string { return r.ERef.Name + "." + r.ERef.Columns[n-1] }
	switch {
	case f.exact1 != nil && s.cat.Major < 16:
		e.Hint = fmt.Sprintf("There is a column named \"%s\" in table \"%s\", but it cannot be referenced from this part of the query.", col, f.exact1.ERef.Name)
	case f.exact2 != nil:
		e.Detail = fmt.Sprintf("There are columns named \"%s\", but they are in tables that cannot be referenced from this part of the query.", col)
		if rel == "" {
			e.Hint = "Try using a table-qualified name."
		}
	case f.exact1 != nil:
		e.Detail = fmt.Sprintf("There is a column named \"%s\" in table \"%s\", but it cannot be referenced from this part of the query.", col, f.exact1.ERef.Name)
		if s.visibleIfLateral(f.exact1) {
			e.Hint = "To reference that column, you must mark this subquery with LATERAL."
		} else if rel == "" && s.visibleIfQualified(f.exact1) {
			e.Hint = "To reference that column, you must use a table-qualified name."
		}
	case f.second != nil:
		e.Hint = fmt.Sprintf("Perhaps you meant to reference the column \"%s\" or the column \"%s\".", name(f.first, f.firstN), name(f.second, f.secondN))
	case f.first != nil:
		e.Hint = fmt.Sprintf("Perhaps you meant to reference the column \"%s\".", name(f.first, f.firstN))
	}
	panic(e)
}

// failMissingTable reports a relation that is not there (parserOpenTable), with
// the nearest that is: the server has no such guess.
func (s *state) failMissingTable(schema, name string, loc int) {
	full := name
	if schema != "" {
		full = schema + "." + name
	}
	e := s.errorAt(errUndefinedTable, loc, "relation \"%s\" does not exist", full)
	if schema == "" && s.isFutureCTE(name) {
		e.Detail = fmt.Sprintf("There is a WITH item named \"%s\", but it cannot be referenced from this part of the query.", name)
		e.Hint = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references."
		panic(e)
	}
	var known []string
	for _, t := range s.cat.Tables() {
		if schema == "" && s.cat.TableByName("", t.Name) == t || t.Schema == schema {
			known = append(known, t.Name)
		}
	}
	for st := s; st != nil; st = st.parent {
		for _, c := range st.ctes {
			known = append(known, c.Name)
		}
	}
	if near, ok := diag.DidYouMean(name, known); ok {
		e.Hint = fmt.Sprintf("Perhaps you meant the table \"%s\".", near)
	} else if schema == "" {
		for _, t := range s.cat.Tables() {
			if t.Name == name {
				e.Hint = fmt.Sprintf("There is a table \"%s.%s\", which the search path does not reach.", t.Schema, t.Name)
				break
			}
		}
	}
	panic(e)
}

func (s *state) isFutureCTE(name string) bool {
	for st := s; st != nil; st = st.parent {
		if slices.ContainsFunc(st.futureCTEs, func(c *cte) bool { return c.Name == name }) {
			return true
		}
	}
	return false
}

// levenshteinLessEqual is the edit distance of two byte strings as the server
// measures it for its guesses: insertions, deletions and substitutions of
// characters, and bound+1 where it is over bound
// (varstr_levenshtein_less_equal, levenshtein.c).
func levenshteinLessEqual(a, b string, bound int) int {
	x, y := []rune(strings.ToValidUTF8(a, "?")), []rune(strings.ToValidUTF8(b, "?"))
	prev, row := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			sub := prev[j-1]
			if x[i-1] != y[j-1] {
				sub++
			}
			row[j] = min(prev[j]+1, row[j-1]+1, sub)
		}
		prev, row = row, prev
	}
	return min(prev[len(y)], bound+1)
}
