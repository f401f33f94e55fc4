package pipeline

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/model"
	"github.com/dbgen/dbgen/templates/naming"
)

// goTypes says what Go types parameters and columns become: what the model
// decided where it has a method, else what it would decide.
type goTypes struct {
	p       *Project
	r       *gotype.Resolver
	methods map[string]*model.Method // by the text that is sent
	texts   map[*Query]string        // that are sent
}

func (p *Project) goTypes() goTypes {
	g := goTypes{p: p, methods: map[string]*model.Method{}, texts: map[*Query]string{}, r: &gotype.Resolver{
		Catalog: p.Catalog, Options: p.typeOptions(),
		Local: func(t *catalog.Type) string { return naming.Exported(t.Name) },
	}}
	// What the model refuses is for generate to report.
	if pkg, _ := p.model(); pkg != nil {
		for _, r := range pkg.Repositories {
			for _, m := range r.Methods {
				g.methods[m.SQL] = m
			}
		}
	}
	return g
}

// sql is the text of a query that generated code sends.
func (p *Project) sql(q *Query) string { return model.SQL(p.Catalog, q.Statement, q.Analyzed) }

// method is the method of a query, nil for none.
func (g goTypes) method(q *Query) *model.Method {
	text, ok := g.texts[q]
	if !ok {
		text = g.p.sql(q)
		g.texts[q] = text
	}
	return g.methods[text]
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
	prm := q.Analyzed.Params[i]
	if m := g.method(q); m != nil {
		for _, p := range m.Params {
			if p.Number == prm.Number {
				return p.Value.Type.String()
			}
		}
	}
	nullable, _ := g.p.ParamNullable(q, i)
	return g.resolve(gotype.Request{Type: prm.Type, Nullable: nullable, ElementNullable: true, Param: true})
}

func (g goTypes) column(q *Query, n int) string {
	if m := g.method(q); m != nil && m.Result != nil {
		if f := m.Result.Scalar; f != nil {
			return f.Value.Type.String()
		}
		if f := fieldAt(m.Result.Struct, n); f != nil {
			return f.Value.Type.String()
		}
	}
	te := outputColumns(q.Analyzed.Query)[n]
	req := gotype.Request{Type: te.Expr.ResultType(), Nullable: true, ElementNullable: true}
	if n < len(q.Facts.Columns) {
		req.Nullable, req.ElementNullable = q.Facts.Columns[n].Nullable, q.Facts.Columns[n].ElementNullable
	}
	return g.resolve(req)
}

// fieldAt is the field that the n-th column is read into.
func fieldAt(s *model.Struct, n int) *model.Field {
	for _, f := range s.Fields {
		if f.Embed == nil && f.Column == n {
			return f
		}
		if f.Embed != nil {
			if in := fieldAt(f.Embed.Struct, n-f.Embed.Column); in != nil {
				return in
			}
		}
	}
	return nil
}
