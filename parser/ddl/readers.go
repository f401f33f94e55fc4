package ddl

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// known is what a run keeps of the catalog so that one change does not look
// through all of it. It is made when it is first asked for.
type known struct {
	// reads are what the queries of views stand on; readers the views by the
	// OIDs of the relations, functions and types that they read. A view stays in
	// the list when it is replaced or dropped.
	reads   map[*query.Query]*readsOf
	readers map[pgtype.OID][]*catalog.Table
	// used are the types that columns and domains have, or have had.
	used map[pgtype.OID]bool
}

func (a *applier) dependents() *known {
	if a.known != nil {
		return a.known
	}
	a.known = &known{
		reads: map[*query.Query]*readsOf{}, readers: map[pgtype.OID][]*catalog.Table{}, used: map[pgtype.OID]bool{},
	}
	for _, t := range a.cat.Tables() {
		a.noteTable(t)
	}
	for _, t := range a.cat.Types() {
		a.noteType(t.Base)
	}
	return a.known
}

// noteTable enters a relation that is new or has another query or other columns.
func (a *applier) noteTable(t *catalog.Table) {
	if a.known == nil {
		return
	}
	for _, c := range t.Columns {
		a.noteType(c.Type)
	}
	if t.View == nil {
		return
	}
	r := a.reads(t.View)
	for _, set := range []map[pgtype.OID]bool{r.relations, r.funcs, r.types} {
		for oid := range set {
			if oid >= pgtype.FirstNormalOID {
				a.known.readers[oid] = append(a.known.readers[oid], t)
			}
		}
	}
}

// noteType enters a type that something has.
func (a *applier) noteType(oid pgtype.OID) {
	if a.known != nil && oid >= pgtype.FirstNormalOID {
		a.known.used[oid] = true
	}
}

// reads is what a view's query stands on.
func (a *applier) reads(q *query.Query) *readsOf {
	k := a.dependents()
	r := k.reads[q]
	if r == nil {
		r = newReads()
		r.query(q, nil)
		k.reads[q] = r
	}
	return r
}

// readers are the views that read a relation, function or type, in the order of
// their creation.
func (a *applier) readers(oid pgtype.OID) []*catalog.Table {
	var out []*catalog.Table
	seen := map[*catalog.Table]bool{}
	for _, v := range a.dependents().readers[oid] {
		if seen[v] || v.View == nil || a.cat.Table(v.OID) != v {
			continue
		}
		seen[v] = true
		if r := a.reads(v.View); r.relations[oid] || r.funcs[oid] || r.types[oid] {
			out = append(out, v)
		}
	}
	return out
}

// inUse reports whether a column or domain may be of a type, or of one that
// belongs to it.
func (a *applier) inUse(t *catalog.Type) bool {
	used := a.dependents().used
	return used[t.OID] || used[t.Array] || used[t.RangeMulti]
}
