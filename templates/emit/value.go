package emit

import (
	"github.com/dave/jennifer/jen"

	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/model"
)

// rt is a name of the package runtime.
func rt(name string) *jen.Statement { return jen.Qual(gotype.RuntimePath, name) }

// typ writes a type.
func typ(t *gotype.Type) *jen.Statement {
	switch t.Form {
	case gotype.Pointer:
		return jen.Op("*").Add(typ(t.Elem))
	case gotype.Slice:
		return jen.Index().Add(typ(t.Elem))
	}
	s := jen.Id(t.Name)
	if t.Path != "" {
		s = jen.Qual(t.Path, t.Name)
	}
	if len(t.Args) > 0 {
		var args []jen.Code
		for _, a := range t.Args {
			args = append(args, typ(a))
		}
		s.Types(args...)
	}
	return s
}

// rowType is the type of the parameter of a scan function.
func rowType() *jen.Statement { return jen.Op("*").Add(rt("Row")) }

// read writes how a value is read from a column: row is the name of the Row, at
// the expression of the column's number.
func (w *writer) read(v *gotype.Value, row string, at jen.Code) jen.Code {
	g := v.Get
	if g.Wrap == gotype.NoWrap {
		if g.Method != "" {
			return jen.Id(row).Dot(g.Method).Call(at)
		}
		return jen.Add(w.getter(g)).Call(jen.Id(row), at)
	}
	function := "Null"
	switch g.Wrap {
	case gotype.WrapNil:
		function = "NilNull"
	case gotype.WrapSQL:
		function = "SQLNull"
	}
	return rt(function).Call(jen.Id(row), at, w.getter(g))
}

// getter writes a getter as a function value.
func (w *writer) getter(g gotype.Getter) jen.Code {
	switch {
	case g.Method != "":
		return jen.Parens(rowType()).Dot(g.Method)
	case g.Composite != 0:
		return jen.Id(w.pkg.Reader(g.Composite))
	}
	return rt(g.Func).Types(typ(g.TypeArg))
}

// arg writes a value as an argument of the query.
func arg(v *gotype.Value, value jen.Code) jen.Code {
	if v.Get.Wrap == gotype.WrapSQL {
		value = rt("FromSQLNull").Call(value)
	}
	switch v.Arg {
	case gotype.ArgEnumArray:
		return rt("EnumArray").Call(value)
	case gotype.ArgEnumArrayNull:
		return rt("EnumArrayNull").Call(value)
	case gotype.ArgDate:
		return rt("Date").Call(value)
	case gotype.ArgDateNull:
		return rt("DateNull").Call(value)
	case gotype.ArgTimestamp:
		return rt("Timestamp").Call(value)
	case gotype.ArgTimestampNull:
		return rt("TimestampNull").Call(value)
	}
	return value
}

// structType writes the declaration of a struct.
func structType(s *model.Struct) jen.Code {
	return doc(s.Doc...).Type().Id(s.Name).StructFunc(func(g *jen.Group) {
		for _, f := range s.Fields {
			field := g.Id(f.Name)
			switch {
			case f.Embed == nil:
				field.Add(typ(f.Value.Type))
			case f.Embed.Pointer:
				field.Op("*").Id(f.Embed.Struct.Name)
			default:
				field.Id(f.Embed.Struct.Name)
			}
			switch c := trailing(f.Comment); {
			case c != "":
				field.Comment(c)
			case f.Embed != nil && f.Embed.Pointer:
				field.Comment("// nil if there is none.")
			}
		}
	})
}

// literal writes a struct's value read from a row; column gives the expression of
// a column's number. Embedded rows that may be missing are left out.
func (w *writer) literal(s *model.Struct, row string, column func(int) jen.Code) *jen.Statement {
	return jen.Id(s.Name).Custom(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, w.fields(s, row, column)...)
}

func (w *writer) fields(s *model.Struct, row string, column func(int) jen.Code) []jen.Code {
	var out []jen.Code
	for _, f := range s.Fields {
		switch {
		case f.Embed == nil:
			out = append(out, jen.Id(f.Name).Op(":").Add(w.read(f.Value, row, column(f.Column))))
		case !f.Embed.Pointer:
			out = append(out, jen.Id(f.Name).Op(":").Id(f.Embed.Struct.ScanAt).Call(jen.Id(row), column(f.Embed.Column)))
		}
	}
	return out
}

// absolute are column numbers as they are, relative those behind a start.
func absolute(n int) jen.Code { return jen.Lit(n) }

func relative(n int) jen.Code {
	if n == 0 {
		return jen.Id("at")
	}
	return jen.Id("at").Op("+").Lit(n)
}

// scanFuncs writes the functions that read a struct from a row.
func (w *writer) scanFuncs(s *model.Struct) []jen.Code {
	var out []jen.Code
	if s.Scan != "" {
		f := jen.Func().Id(s.Scan).Params(jen.Id("r").Add(rowType())).Id(s.Name)
		switch {
		case s.ScanAt != "":
			f.Block(jen.Return(jen.Id(s.ScanAt).Call(jen.Id("r"), jen.Lit(0))))
		default:
			f.BlockFunc(func(g *jen.Group) { w.scanBody(g, s) })
		}
		out = append(out, f)
	}
	if s.ScanAt != "" {
		out = append(out, jen.Func().Id(s.ScanAt).Params(jen.Id("r").Add(rowType()), jen.Id("at").Int()).Id(s.Name).
			Block(jen.Return(w.literal(s, "r", relative))))
	}
	return out
}

// scanBody reads a row; embedded rows that may be missing come last.
func (w *writer) scanBody(g *jen.Group, s *model.Struct) {
	var missing []*model.Field
	for _, f := range s.Fields {
		if f.Embed != nil && f.Embed.Pointer {
			missing = append(missing, f)
		}
	}
	if len(missing) == 0 {
		g.Return(w.literal(s, "r", absolute))
		return
	}
	if len(missing) == len(s.Fields) {
		g.Var().Id("v").Id(s.Name)
	} else {
		g.Id("v").Op(":=").Add(w.literal(s, "r", absolute))
	}
	for _, f := range missing {
		there := jen.Op("!").Id("r").Dot("IsNull").Call(jen.Lit(f.Embed.Present[0]))
		for _, n := range f.Embed.Present[1:] {
			there.Op("||").Op("!").Id("r").Dot("IsNull").Call(jen.Lit(n))
		}
		g.If(there).Block(
			jen.Id("e").Op(":=").Id(f.Embed.Struct.ScanAt).Call(jen.Id("r"), jen.Lit(f.Embed.Column)),
			jen.Id("v").Dot(f.Name).Op("=").Op("&").Id("e"),
		)
	}
	g.Return(jen.Id("v"))
}
