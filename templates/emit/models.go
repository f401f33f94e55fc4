package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/dbgen/dbgen/templates/model"
)

// models writes what several repositories share: structs of tables, enums,
// composites and the errors of constraints.
func (w *writer) models() []jen.Code {
	var out []jen.Code
	for _, s := range w.pkg.Models {
		out = append(out, structType(s))
		out = append(out, w.scanFuncs(s)...)
	}
	for _, e := range w.pkg.Enums {
		out = append(out, enum(e)...)
	}
	for _, c := range w.pkg.Composites {
		out = append(out, structType(&c.Struct), w.compositeFunc(c))
	}
	for _, e := range w.pkg.Errors {
		out = append(out, constraintError(e))
	}
	return out
}

// enum writes a string type with its constants.
func enum(e *model.Enum) []jen.Code {
	names := func(g *jen.Group) {
		for _, l := range e.Labels {
			g.Id(l.Name)
		}
	}
	out := []jen.Code{doc(e.Doc...).Type().Id(e.Name).String()}
	if len(e.Labels) == 0 {
		return append(out,
			doc("Valid reports whether "+receiver+" is a value of the enum, which has none.").
				Func().Params(jen.Id(e.Name)).Id("Valid").Params().Bool().Block(jen.Return(jen.False())))
	}
	return append(out,
		doc("The values of "+e.Name+".").Const().DefsFunc(func(g *jen.Group) {
			for _, l := range e.Labels {
				g.Id(l.Name).Id(e.Name).Op("=").Lit(l.Value)
			}
		}),
		doc(e.All+" returns the values of "+e.Name+" in their order.").
			Func().Id(e.All).Params().Index().Id(e.Name).Block(
			jen.Return(jen.Index().Id(e.Name).Custom(multiline(), list(e)...)),
		),
		doc(wrap("Valid reports whether "+receiver+" is one of the values that the enum had when this code was generated.")...).
			Func().Params(jen.Id(receiver).Id(e.Name)).Id("Valid").Params().Bool().Block(
			jen.Switch(jen.Id(receiver)).Block(jen.CaseFunc(names).Block(jen.Return(jen.True()))),
			jen.Return(jen.False()),
		),
	)
}

func list(e *model.Enum) []jen.Code {
	var out []jen.Code
	for _, l := range e.Labels {
		out = append(out, jen.Id(l.Name))
	}
	return out
}

// receiver is the name of an enum's receiver.
const receiver = "v"

// multiline are the options of a literal with an element a line.
func multiline() jen.Options {
	return jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}
}

// compositeFunc writes the function that reads a composite from a column.
func (w *writer) compositeFunc(c *model.Composite) jen.Code {
	return jen.Func().Id(c.Read).Params(jen.Id("r").Add(rowType()), jen.Id("i").Int()).Id(c.Name).Block(
		jen.Return(rt("Composite").Call(
			jen.Id("r"), jen.Id("i"),
			jen.Index().Uint32().ValuesFunc(func(g *jen.Group) {
				for _, oid := range c.OIDs {
					g.Lit(int(oid))
				}
			}),
			jen.Func().Params(jen.Id("f").Add(rowType())).Id(c.Name).Block(
				jen.Return(w.literal(&c.Struct, "f", absolute)),
			),
		)),
	)
}

// constraintError writes the variable of a constraint.
func constraintError(e *model.ConstraintError) jen.Code {
	fields := []jen.Code{}
	field := func(list *[]jen.Code, name, value string) {
		if value != "" {
			*list = append(*list, jen.Id(name).Op(":").Lit(value))
		}
	}
	field(&fields, "Schema", e.Schema)
	field(&fields, "Table", e.Table)
	field(&fields, "Constraint", e.Constraint)
	if len(e.Partitions) > 0 {
		var parts []jen.Code
		for _, p := range e.Partitions {
			var inner []jen.Code
			field(&inner, "Schema", p.Schema)
			field(&inner, "Table", p.Table)
			field(&inner, "Constraint", p.Constraint)
			parts = append(parts, jen.Values(inner...))
		}
		fields = append(fields, jen.Id("Partitions").Op(":").Index().Add(rt("Partition")).Custom(multiline(), parts...))
	}
	lines := wrap(e.Doc + ".")
	if e.Definition != "" {
		lines = append(wrap(e.Doc+":"), "", "\t"+strings.ReplaceAll(e.Definition, "\n", " "))
	}
	return doc(lines...).Var().Id(e.Name).Error().Op("=").Op("&").Add(rt("ConstraintError")).Custom(multiline(), fields...)
}
