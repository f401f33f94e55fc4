package rewrite

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// insert puts the target list of an INSERT in column order and fills in what
// the statement leaves to defaults (rewriteTargetListIU, rewriteHandler.c).
// Columns without a default stay out; planning adds their NULLs.
func (r *rewriter) insert(q *query.Query, t *catalog.Table) {
	r.values(q, t)
	var out []*query.TargetEntry
	for _, c := range t.Columns {
		if c.Dropped {
			continue
		}
		var given *query.TargetEntry
		for _, te := range q.TargetList {
			if te.ResNo == c.Number && !te.Junk {
				given = te
			}
		}
		if given != nil {
			_, isDefault := given.Expr.(*query.SetToDefault)
			if !isDefault && c.Generated == 0 {
				out = append(out, given)
				continue
			}
		}
		if c.Generated != 0 {
			// Stored generated columns are computed by the executor.
			continue
		}
		if e := r.columnDefault(t, c); e != nil {
			out = append(out, &query.TargetEntry{Expr: e, ResNo: c.Number, Name: c.Name})
		}
	}
	for _, te := range q.TargetList {
		if te.Junk {
			out = append(out, te)
		}
	}
	q.TargetList = out
}

// update replaces DEFAULT in the assignments of UPDATE and ON CONFLICT DO
// UPDATE.
func (r *rewriter) update(t *catalog.Table, list []*query.TargetEntry) []*query.TargetEntry {
	out := slices.Clone(list)
	for i, te := range out {
		if _, ok := te.Expr.(*query.SetToDefault); !ok || te.Junk {
			continue
		}
		c := t.Attr(te.ResNo)
		e := r.columnDefault(t, c)
		if e == nil {
			e = r.null(c)
		}
		d := *te
		d.Expr = e
		out[i] = &d
	}
	slices.SortStableFunc(out, func(a, b *query.TargetEntry) int {
		if a.Junk != b.Junk {
			if a.Junk {
				return 1
			}
			return -1
		}
		return a.ResNo - b.ResNo
	})
	return out
}

// values replaces DEFAULT inside the rows of a multi-row INSERT
// (rewriteValuesRTE).
func (r *rewriter) values(q *query.Query, t *catalog.Table) {
	for i, rte := range q.RangeTable {
		if rte.Kind != query.RTEValues {
			continue
		}
		for _, row := range rte.Values {
			for n, e := range row {
				d, ok := e.(*query.SetToDefault)
				if !ok {
					continue
				}
				row[n] = r.defaultOfValue(q, t, i+1, n+1, d)
			}
		}
	}
}

func (r *rewriter) defaultOfValue(q *query.Query, t *catalog.Table, varno, attno int, d *query.SetToDefault) query.Expr {
	for _, te := range q.TargetList {
		v, ok := te.Expr.(*query.Var)
		if !ok || v.VarNo != varno || v.AttNo != attno {
			continue
		}
		c := t.Attr(te.ResNo)
		if e := r.columnDefault(t, c); e != nil {
			return e
		}
		return r.null(c)
	}
	return &query.Const{Header: d.Header, Null: true}
}

// columnDefault returns the value of a column that a statement does not give,
// nil for none (build_column_default).
func (r *rewriter) columnDefault(t *catalog.Table, c *catalog.Column) query.Expr {
	if c.Identity != 0 {
		return &query.NextValueExpr{Header: query.Header{Typ: c.Type, Mod: pgtype.NoTypmod}}
	}
	if c.Default != nil {
		return c.Default
	}
	if typ := r.g.Catalog.Type(c.Type); typ != nil && typ.Kind == 'd' && typ.Default != nil {
		return typ.Default
	}
	if c.HasDefault && c.Generated == 0 {
		r.g.Approximate("the default of " + t.Name + "." + c.Name + " is not known")
	}
	return nil
}

// null is a NULL of a column's type; of a domain, one that its constraints
// still check.
func (r *rewriter) null(c *catalog.Column) query.Expr {
	base, mod := r.g.Catalog.BaseTypeAndTypmod(c.Type, c.Typmod)
	h := query.Header{Typ: base, Mod: mod, Coll: c.Collation}
	k := &query.Const{Header: h, Null: true}
	if t := r.g.Catalog.Type(base); t != nil {
		k.Len, k.ByVal = t.Len, t.ByVal
	}
	if base == c.Type {
		return k
	}
	return &query.CoerceToDomain{
		Header: query.Header{Typ: c.Type, Mod: pgtype.NoTypmod, Coll: c.Collation}, Arg: k, Form: query.CoerceImplicitCast,
	}
}
