package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/naming"
)

// params builds the parameters of the query at work.
func (b *builder) params(m *Method) {
	said := b.paramDirectives()
	var names []string
	known := b.paramsNullable(said)
	for i, p := range b.query.Analyzed.Params {
		note := b.macro(p.Number)
		nullable := known[i].Nullable
		name := note.Name
		d := said[name]
		if d != nil {
			d.used = true
			b.checkDirective(d, p)
		}
		var at source.Span
		if len(p.Spans) > 0 {
			at = p.Spans[0]
		}
		v := b.value(gotype.Request{
			Type: p.Type, Nullable: nullable, ElementNullable: true, Column: b.paramColumn(p), Param: true,
		}, at, name)
		if name == "" {
			name = p.NameHint
			if name != "" && v.Type.Form == gotype.Slice && v.Get.Func == "Slice" {
				name = naming.Plural(name)
			}
		}
		if name == "" {
			name = fmt.Sprintf("arg%d", p.Number)
			b.report(diag.Diagnostic{
				Severity: diag.Warning, Span: b.query.Statement.FileSpan(at),
				Message: fmt.Sprintf("nothing beside $%d gives it a name: it is called %s in Go", p.Number, name),
				Hint:    fmt.Sprintf("write @name in place of $%d, with a name of your choice", p.Number),
			})
		}
		param := &Param{Number: p.Number, Local: name, Field: naming.Exported(name), Value: v}
		if d != nil {
			param.Comment = d.comment
		}
		if param.Comment == "" && nullable {
			param.Comment = nullComment(v)
		}
		m.Params = append(m.Params, param)
		names = append(names, param.Field)
	}
	fields := naming.Unique(names)
	locals := naming.NewScope(localNames(m)...)
	for i, p := range m.Params {
		p.Field = fields[i]
		local := naming.Local(p.Local, localNames(m)...)
		p.Local = locals.Name(local)
	}
	if len(m.Params) > b.in.Options.ParamLimit && len(m.Params) > 0 {
		m.ParamsName = b.scope.Name(m.Name + "Params")
	}
	b.unusedDirectives(said)
}

// localNames are the names that a method's body uses.
func localNames(m *Method) []string {
	names := []string{
		"ctx", "r", "p", "context", "iter", "json", "netip", "pgtype", "runtime", "sql", "time", m.SQLName, m.QueryName,
	}
	if m.Result != nil {
		names = append(names, m.Result.Scan)
	}
	return names
}

// nullComment says how NULL is passed.
func nullComment(v *gotype.Value) string {
	if v.Type.Form == gotype.Pointer || v.Get.Wrap == gotype.WrapNil {
		return "nil is NULL."
	}
	return ""
}

// macro is what the text of the query says about $n.
func (b *builder) macro(n int) annotation.Param {
	for _, p := range b.query.Statement.Params {
		if p.Number == n {
			return p
		}
	}
	return annotation.Param{Number: n}
}

// ParamsNullable says of each parameter of a statement, in their order, whether NULL
// is a sensible value, and why: because narg asks for it, or a "-- @param name type?"
// line; else what is inferred. "type!" keeps NULL out.
func ParamsNullable(cat *catalog.Catalog, s *parser.Statement, a *analyze.Analyzed) []infer.Param {
	b := &builder{in: Input{Catalog: cat}, query: &Query{Statement: s, Analyzed: a}}
	var said map[string]*directive
	if s.Annotation != nil {
		said = b.paramDirectives()
	}
	return b.paramsNullable(said)
}

func (b *builder) paramsNullable(said map[string]*directive) []infer.Param {
	params := b.query.Analyzed.Params
	if len(params) == 0 {
		return nil
	}
	out := make([]infer.Param, len(params))
	inferred := infer.Params(b.in.Catalog, b.query.Analyzed.Query)
	for i, p := range params {
		note := b.macro(p.Number)
		d := said[note.Name]
		known, used := inferred[p.Number]
		switch {
		case d != nil && d.nullable != nil:
			out[i] = infer.Param{Nullable: *d.nullable, Why: "@param says so"}
		case note.Nullable:
			out[i] = infer.Param{Nullable: true, Why: "declared with narg"}
		case !used:
			out[i] = infer.Param{Why: "not used"}
		default:
			out[i] = known
		}
	}
	return out
}

// paramColumn is the column whose override holds for a parameter, the one it is
// stored in or else compared with.
func (b *builder) paramColumn(p analyze.Param) string {
	for _, assigned := range []bool{true, false} {
		for _, c := range p.Targets {
			t := b.in.Catalog.Table(c.Table)
			if c.Assigned != assigned || t == nil {
				continue
			}
			if col := t.Attr(c.Column); col != nil && col.Type == p.Type {
				return b.columnKey(t, col)
			}
		}
	}
	return ""
}

// directive is a line `-- @param name …`: a type, with ? or ! behind it for
// whether it can be NULL, or else words about the parameter.
type directive struct {
	note     annotation.Directive
	name     string
	typ      pgtype.OID
	nullable *bool
	comment  string
	used     bool
}

// paramDirectives reads the query's @param lines.
func (b *builder) paramDirectives() map[string]*directive {
	out := map[string]*directive{}
	for _, d := range b.query.Statement.Annotation.Directives {
		if d.Key != "param" || d.Value == "" {
			continue
		}
		name, rest, _ := strings.Cut(d.Value, " ")
		rest = strings.TrimSpace(rest)
		x := &directive{note: d, name: strings.TrimRight(name, "?!:")}
		typ := rest
		if cut := strings.TrimRight(rest, "?!"); cut != rest {
			nullable := strings.HasSuffix(rest, "?")
			typ = cut
			x.nullable = &nullable
		}
		if x.typ = b.typeByText(typ); x.typ == 0 {
			x.nullable, x.comment = nil, rest
		}
		out[x.name] = x
	}
	return out
}

// typeByText reads the name of a type as SQL does; 0 if it is none.
func (b *builder) typeByText(text string) pgtype.OID {
	if text == "" || strings.ContainsAny(text, ";'$") {
		return 0
	}
	file := source.NewFile("type", "SELECT NULL::"+text)
	list, diags := parser.ParseFiles([]*source.File{file}, parser.Schema)
	if diags.HasErrors() || len(list) != 1 {
		return 0
	}
	a, diags := analyze.Statement(b.in.Catalog, list[0])
	if diags.HasErrors() || len(a.Query.TargetList) != 1 || a.Query.JoinTree != nil && len(a.Query.JoinTree.List) > 0 {
		return 0
	}
	return a.Query.TargetList[0].Expr.ResultType()
}

// checkDirective warns of a type that is not the one the server will use: the
// text decides that, and a cast in it can change it.
func (b *builder) checkDirective(d *directive, p analyze.Param) {
	if d.typ == 0 || d.typ == p.Type || b.in.Catalog.BaseType(d.typ) == b.in.Catalog.BaseType(p.Type) {
		return
	}
	want := b.in.Catalog.SQLType(d.typ)
	b.report(diag.Diagnostic{
		Severity: diag.Error, Span: d.note.Span,
		Message: fmt.Sprintf("@%s is %s in the statement, not %s", d.name, b.in.Catalog.SQLType(p.Type), want),
		Hint:    fmt.Sprintf("to change it write @%s::%s there", d.name, want),
	})
}

func (b *builder) unusedDirectives(said map[string]*directive) {
	var names []string
	for _, p := range b.query.Statement.Params {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	var unused []*directive
	for _, d := range said {
		if !d.used {
			unused = append(unused, d)
		}
	}
	slices.SortFunc(unused, func(x, y *directive) int { return x.note.Span.Start - y.note.Span.Start })
	for _, d := range unused {
		hint := ""
		if near, ok := diag.DidYouMean(d.name, names); ok {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		b.report(diag.Diagnostic{
			Severity: diag.Warning, Span: d.note.Span, Hint: hint,
			Message: fmt.Sprintf("the statement has no parameter @%s", d.name),
		})
	}
}
