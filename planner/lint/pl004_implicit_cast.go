package lint

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// implicitCast reports a comparison whose other side has a type that makes the
// server cast the column: bigint against numeric, for one.
func implicitCast() *Rule {
	return &Rule{
		Code: "PL004", Name: "implicit-cast", Default: diag.Warning,
		Title: "the type of a value makes the server cast an indexed column",
		Explanation: "Where the two sides of a comparison differ in type, one is cast, and it may be the column: " +
			"bigint = numeric compares numerics. Nobody wrote the cast, and the index on the column is of no use. Give " +
			"the value the column's type. It is reported if a big table is read from end to end because of it, or if the " +
			"query would cost a tenth with an index on the cast column.",
		Before: "SELECT id FROM orders WHERE id = @id::numeric;",
		After:  "SELECT id FROM orders WHERE id = @id::bigint;",
		Check: func(p *Pass) {
			for _, s := range p.Scans() {
				if s.Cause != CastHides {
					continue
				}
				p.report(s.Cost, diag.Diagnostic{
					Span:    p.conditionPlace(s.Read, s.Cond),
					Message: p.scannedText(s.Read) + " " + p.purpose(s.Read),
					Label:   fmt.Sprintf("casts %s to %s: no use for %s", p.column(s.Read, s.Column), p.typeName(s.Cond.Keys[0].ResultType()), s.Indexed.Name),
					Hint:    p.columnType(s),
				})
			}
		},
	}
}

// columnType says how to give the other side the column's type.
func (p *Pass) columnType(s *Scan) string {
	c := s.Table.Attr(s.Column)
	typ := p.typeName(p.Bound.Catalog.BaseType(c.Type))
	want := typ
	if s.Cond.Value != nil {
		if t := p.Bound.Catalog.Type(s.Cond.Value.ResultType()); t != nil && t.IsArray() {
			want += "[]"
		}
		if param, _ := paramOf(s.Cond.Value); param != nil {
			text := p.paramText(param.Number)
			return fmt.Sprintf("%s is a %s: write %s::%s", p.column(s.Read, s.Column), typ, text, want)
		}
	}
	return fmt.Sprintf("%s is a %s: cast the other side to %s", p.column(s.Read, s.Column), typ, want)
}

func (p *Pass) typeName(t pgtype.OID) string { return p.Bound.Catalog.BaseTypeName(t) }
