package ddl

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// fill notes what holds of the tables below a materialised view that is filled now.
func (a *applier) fill(t *catalog.Table) {
	f := &catalog.Filled{At: a.cat.Newest(), NotNull: map[pgtype.OID][]int{}, Holds: map[pgtype.OID]bool{}}
	seen := map[pgtype.OID]bool{}
	var read func(q *query.Query)
	var relation func(t *catalog.Table)
	relation = func(t *catalog.Table) {
		if t == nil || seen[t.OID] {
			return
		}
		seen[t.OID] = true
		if t.View != nil {
			read(t.View)
			return
		}
		for _, c := range t.Columns {
			if c.NotNull && !c.Dropped {
				f.NotNull[t.OID] = append(f.NotNull[t.OID], c.Number)
			}
		}
		for _, k := range t.Constraints {
			f.Holds[k.OID] = k.Validated
		}
		for _, x := range t.Indexes {
			f.Holds[x.OID] = x.Valid
		}
		for _, o := range t.Children {
			relation(a.cat.Table(o))
		}
	}
	read = func(q *query.Query) {
		r := newReads()
		r.query(q, nil)
		for oid := range r.relations {
			relation(a.cat.Table(oid))
		}
	}
	read(t.View)
	t.Filled = f
}

// refresh is REFRESH MATERIALIZED VIEW, which nothing else comes of.
func (a *applier) refresh(s *pg.RefreshMatViewStmt) {
	t := a.cat.TableByName(s.Relation.GetSchemaname(), s.Relation.GetRelname())
	switch {
	case t == nil || t.Kind != catalog.KindMatView || t.View == nil:
	case s.SkipData:
		t.Filled = nil
	default:
		a.fill(t)
	}
}
