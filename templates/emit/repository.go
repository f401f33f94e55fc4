package emit

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/templates/model"
)

// repository writes one repository with its methods.
func (w *writer) repository(r *model.Repository) []jen.Code {
	on := connectionOf(r.Scoped)
	out := []jen.Code{
		doc(wrap(fmt.Sprintf("%s runs the queries of %s%s.", r.Name, r.Source, on.where))...).
			Type().Id(r.Name).Struct(jen.Id("db").Add(rt(on.typ))),
		doc(wrap(fmt.Sprintf("New%s returns %s %s that runs its queries %s It is as safe for concurrent use as db is.",
			r.Name, article(r.Name), r.Name, on.db))...).
			Func().Id("New" + r.Name).Params(jen.Id("db").Add(rt(on.typ))).Op("*").Id(r.Name).
			Block(jen.Return(jen.Op("&").Id(r.Name).Values(jen.Id("db").Op(":").Id("db")))),
		doc(wrap(fmt.Sprintf("WithTx returns %s %s that runs its queries %s", article(r.Name), r.Name, on.tx))...).
			Func().Params(jen.Op("*").Id(r.Name)).Id("WithTx").Params(jen.Id("db").Add(rt(on.typ))).Op("*").Id(r.Name).
			Block(jen.Return(jen.Id("New" + r.Name).Call(jen.Id("db")))),
	}
	for _, m := range r.Methods {
		out = append(out, w.method(r, m)...)
	}
	return out
}

// consonantal are the beginnings of words that are written with a vowel, but
// spoken with a consonant: user, utility, unit, euro, one.
var consonantal = regexp.MustCompile(`^(U[st]|Uni|Eu|One)`)

// article is the indefinite article for a name.
func article(name string) string {
	if strings.ContainsRune("AEIOU", rune(name[0])) && !consonantal.MatchString(name) {
		return "an"
	}
	return "a"
}

// method writes a query: its text, what is known of it, the types it needs, the
// method and the function that reads a row.
func (w *writer) method(r *model.Repository, m *model.Method) []jen.Code {
	out := []jen.Code{
		jen.Const().Id(m.SQLName).Op("=").Add(rawLit(m.SQL)),
		queryVar(m),
	}
	if m.ParamsName != "" {
		out = append(out, paramsType(r, m))
	}
	result := m.Result
	if result != nil && result.Local {
		for _, f := range result.Struct.Fields {
			if f.Embed != nil && f.Embed.Local {
				out = append(out, structType(f.Embed.Struct))
				out = append(out, w.scanFuncs(f.Embed.Struct)...)
			}
		}
		out = append(out, structType(result.Struct))
	}
	out = append(out, methodFunc(r, m))
	switch {
	case result == nil:
	case result.Scalar != nil:
		v := result.Scalar.Value
		out = append(out, jen.Func().Id(result.Scan).Params(jen.Id("r").Add(rowType())).Add(typ(v.Type)).
			Block(jen.Return(w.read(v, "r", jen.Lit(0)))))
	case result.Local:
		out = append(out, w.scanFuncs(result.Struct)...)
	}
	return out
}

func queryVar(m *model.Method) jen.Code {
	fields := []jen.Code{jen.Id("Name").Op(":").Lit(m.Name), jen.Id("SQL").Op(":").Id(m.SQLName)}
	if m.ReadOnly {
		fields = append(fields, jen.Id("ReadOnly").Op(":").True())
	}
	return jen.Var().Id(m.QueryName).Op("=").Add(rt("Query")).Values(fields...)
}

func paramsType(r *model.Repository, m *model.Method) jen.Code {
	text := fmt.Sprintf("%s are the parameters of [%s.%s].", m.ParamsName, r.Name, m.Name)
	return doc(wrap(text)...).Type().Id(m.ParamsName).StructFunc(func(g *jen.Group) {
		for _, p := range m.Params {
			f := g.Id(p.Field).Add(typ(p.Value.Type))
			if c := trailing(p.Comment); c != "" {
				f.Comment(c)
			}
		}
	})
}

// methodFunc writes the method, whose body is one call of the runtime.
func methodFunc(r *model.Repository, m *model.Method) jen.Code {
	blocks := [][]string{m.Doc}
	for _, c := range m.Contract {
		blocks = append(blocks, wrap(c))
	}
	if m.Plan != "" {
		blocks = append(blocks, []string{"Plan: " + m.Plan})
	}
	params := []jen.Code{jen.Id("ctx").Qual("context", "Context")}
	var args []jen.Code
	if m.ParamsName != "" {
		params = append(params, jen.Id("p").Id(m.ParamsName))
	}
	for _, p := range m.Params {
		value := jen.Id(p.Local)
		if m.ParamsName != "" {
			value = jen.Id("p").Dot(p.Field)
		} else {
			params = append(params, jen.Id(p.Local).Add(typ(p.Value.Type)))
		}
		args = append(args, arg(p.Value, value))
	}
	call := []jen.Code{jen.Id("ctx"), jen.Id("r").Dot("db"), jen.Id(m.QueryName)}
	if m.Result != nil {
		call = append(call, jen.Id(m.Result.Scan))
	}
	call = append(call, args...)
	f := doc(paragraphs(blocks...)...).Func().Params(jen.Id("r").Op("*").Id(r.Name)).Id(m.Name).Params(params...)
	function := ""
	switch row := resultType(m); m.Command {
	case annotation.One:
		function = "One"
		f.Params(row, jen.Error())
	case annotation.Opt:
		function = "Opt"
		f.Params(row, jen.Bool(), jen.Error())
	case annotation.Many:
		function = "Many"
		f.Params(jen.Index().Add(row), jen.Error())
	case annotation.Iter:
		function = "Iter"
		f.Qual("iter", "Seq2").Types(row, jen.Error())
	case annotation.ExecRows:
		function = "ExecRows"
		f.Params(jen.Int64(), jen.Error())
	default:
		function = "Exec"
		f.Error()
	}
	return f.Block(jen.Return(rt(function).Call(call...)))
}

func resultType(m *model.Method) jen.Code {
	switch {
	case m.Result == nil:
		return jen.Null()
	case m.Result.Scalar != nil:
		return typ(m.Result.Scalar.Value.Type)
	}
	return jen.Id(m.Result.Struct.Name)
}
