package model

import (
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/naming"
)

// ParamsNeverNull returns the parameters of a statement that generated code cannot send
// as NULL, by number, each with the reason: those that take no NULL and whose Go type
// has no nil and no field that says so, as a slice or a pgtype value has. Types of the
// schema's own and of extensions are left out: a project may give a Go type that it
// can add methods to a Value method that returns nil.
// nullable is what [ParamsNullable] says of them.
func ParamsNeverNull(cat *catalog.Catalog, a *analyze.Analyzed, nullable []infer.Param, types gotype.Options) map[int]string {
	if len(a.Params) == 0 {
		return nil
	}
	b := &builder{in: Input{Catalog: cat}}
	r := &gotype.Resolver{Catalog: cat, Options: types, Local: func(t *catalog.Type) string { return naming.Exported(t.Name) }}
	out := map[int]string{}
	for i, p := range a.Params {
		if nullable[i].Nullable {
			continue
		}
		v, err := r.Resolve(gotype.Request{Type: p.Type, ElementNullable: true, Column: b.paramColumn(p), Param: true})
		if err != nil || v.Type == nil {
			continue
		}
		if p.Type < pgtype.FirstNormalOID && hasNoNil(v.Type) {
			out[p.Number] = "a parameter of Go type " + v.Type.String() + " is never NULL"
		}
	}
	return out
}

// hasNoNil tells the Go types that have no way to say NULL: the predeclared ones and
// time.Time.
func hasNoNil(t *gotype.Type) bool {
	if t.Form != gotype.Named || len(t.Args) > 0 {
		return false
	}
	switch t.Path {
	case "time":
		return t.Name == "Time"
	case "":
		switch t.Name {
		case "bool", "int16", "int32", "int64", "uint32", "float32", "float64", "string":
			return true
		}
	}
	return false
}
