package pipeline

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/naming"
)

// goTypes says what Go types parameters and columns become.
type goTypes struct {
	p *Project
	r *gotype.Resolver
}

func (p *Project) goTypes() goTypes {
	return goTypes{p, &gotype.Resolver{
		Catalog: p.Catalog, Options: p.typeOptions(),
		Local: func(t *catalog.Type) string { return naming.Exported(t.Name) },
	}}
}

func (p *Project) typeOptions() gotype.Options {
	return gotype.Options{Null: gotype.Null(p.Config.Null)}
}

// resolve returns the Go type's text, "" for a type that has none yet.
func (g goTypes) resolve(req gotype.Request) string {
	v, err := g.r.Resolve(req)
	if err != nil {
		return ""
	}
	return v.Type.String()
}

func (g goTypes) param(q *Query, i int) string {
	return g.resolve(gotype.Request{Type: q.Analyzed.Params[i].Type, Nullable: g.p.ParamNullable(q, i), Param: true})
}

func (g goTypes) column(q *Query, n int) string {
	te := outputColumns(q.Analyzed.Query)[n]
	f := q.Facts.Columns[n]
	return g.resolve(gotype.Request{
		Type: te.Expr.ResultType(), Nullable: f.Nullable, ElementNullable: f.ElementNullable,
	})
}
