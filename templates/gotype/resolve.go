package gotype

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Resolver chooses Go types for one catalog.
type Resolver struct {
	Catalog *catalog.Catalog
	Options Options
	// Local names an enum or a composite in the generated package.
	Local func(*catalog.Type) string
}

// Request is a value to choose a type for.
type Request struct {
	Type pgtype.OID
	// Nullable and ElementNullable are of the value and of its elements, if it
	// is an array.
	Nullable, ElementNullable bool
	// Column is "table.column" for the overrides, "" for a value of none.
	Column string
	// Param says that the value goes to the server.
	Param bool
}

// Unsupported is the error for a type that has no Go type yet.
type Unsupported struct {
	// Message is one line that begins with "not supported yet: ".
	Message string
	// Hint says what to do instead; may be empty.
	Hint string
}

func (u *Unsupported) Error() string { return u.Message }

func unsupported(hint, format string, args ...any) *Unsupported {
	return &Unsupported{Message: "not supported yet: " + fmt.Sprintf(format, args...), Hint: hint}
}

const castHint = "cast it to text"

// Resolve chooses the Go type. The error is an [*Unsupported].
func (r *Resolver) Resolve(q Request) (*Value, error) {
	t := r.Catalog.Type(q.Type)
	if t == nil {
		return nil, unsupported("", "a value of an unknown type (OID %d)", q.Type)
	}
	if over := r.override(q, t); over != nil {
		return r.nullable(q, &base{typ: over, nilable: over.Form == Slice}, &Value{}), nil
	}
	for t.Kind == 'd' {
		b := r.Catalog.Type(t.Base)
		if b == nil {
			return nil, unsupported("", "a domain over an unknown type")
		}
		if over := r.override(q, b); over != nil {
			return r.nullable(q, &base{typ: over, nilable: over.Form == Slice}, &Value{}), nil
		}
		t = b
	}
	// oidvector and int2vector are arrays to the catalog, text to everyone else.
	if t.IsArray() && t.Storage != 'p' {
		return r.array(q, t)
	}
	v := &Value{}
	b, err := r.scalar(t, q, v)
	if err != nil {
		return nil, err
	}
	if t.Kind == 'e' {
		v.Get = Getter{Func: "Enum", TypeArg: b.typ}
	}
	if t.Kind == 'c' {
		v.Get = Getter{Composite: t.OID}
	}
	v = r.nullable(q, b, v)
	if q.Param {
		r.timeArg(t, v)
	}
	return v, nil
}

// scalar chooses the type of one value of t, which is no domain and no array.
func (r *Resolver) scalar(t *catalog.Type, q Request, v *Value) (*base, error) {
	name := r.Catalog.SQLType(t.OID)
	switch t.Kind {
	case 'e':
		v.Enums = append(v.Enums, t.OID)
		return &base{typ: named("", r.Local(t))}, nil
	case 'c':
		if rel := r.Catalog.Table(t.Relation); rel == nil || rel.Kind != catalog.KindComposite {
			return nil, unsupported("select its columns, or sqlc.embed(…)", "a whole row of %s as one value", name)
		}
		if q.Param {
			return nil, unsupported("pass its fields one by one: ROW(@a, @b)::"+name, "a parameter of the composite type %s", name)
		}
		v.Composites = append(v.Composites, t.OID)
		return &base{typ: named("", r.Local(t)), noArray: true}, nil
	case 'b', 'r', 'm':
	default:
		return nil, unsupported(castHint, "a value of the type %s", name)
	}
	if t.Schema == "pg_catalog" {
		if b := builtin(t.Name); b != nil {
			return b, nil
		}
	}
	if t.Kind != 'b' {
		return nil, unsupported(castHint, "a value of the range type %s", name)
	}
	if t.Name == "hstore" && t.Schema != "pg_catalog" {
		return &base{typ: pg("Hstore"), nilable: true, noArray: true}, nil
	}
	// pgx has not registered it, so that it is sent and received as text.
	return text(), nil
}

// nullable completes v with the type for q's nullability.
func (r *Resolver) nullable(q Request, b *base, v *Value) *Value {
	v.Type = b.typ
	if v.Get == (Getter{}) {
		v.Get = Getter{Method: b.method}
		if b.method == "" {
			v.Get = Getter{Func: "Scan", TypeArg: b.typ}
		}
	}
	switch {
	case !q.Nullable:
	case b.nilable:
		v.Get.Wrap = WrapNil
	case r.Options.Null == NullPgtype && b.null != nil:
		v.Type = b.null
		v.Get = Getter{Func: "Scan", TypeArg: b.null}
	case r.Options.Null == NullSQL:
		v.Type = named("database/sql", "Null", b.typ)
		v.Get.Wrap = WrapSQL
	default:
		v.Type = pointer(b.typ)
		v.Get.Wrap = WrapPointer
	}
	return v
}

// timeArg mends the time types: where pgx does not know what an argument is for
// (a domain, and anything in its modes for poolers) it sends a time.Time as a
// timestamptz in UTC, which is another day or hour to a date or timestamp.
func (r *Resolver) timeArg(t *catalog.Type, v *Value) {
	forms := map[pgtype.OID][2]ArgForm{
		pgtype.DateOID:      {ArgDate, ArgDateNull},
		pgtype.TimestampOID: {ArgTimestamp, ArgTimestampNull},
	}
	form, ok := forms[t.OID]
	switch {
	case !ok:
	case v.Type.Form == Pointer, v.Type.Path == "database/sql":
		v.Arg = form[1]
	case v.Type.Path == "time":
		v.Arg = form[0]
	}
}

// array chooses the type of an array.
func (r *Resolver) array(q Request, t *catalog.Type) (*Value, error) {
	elem := r.Catalog.Type(t.Element)
	if elem == nil {
		return nil, unsupported("", "an array of an unknown type")
	}
	name := r.Catalog.SQLType(elem.OID)
	v := &Value{}
	var b *base
	if over := r.override(Request{}, elem); over != nil {
		b = &base{typ: over}
	} else {
		domain := elem.Kind == 'd'
		for elem.Kind == 'd' {
			if elem = r.Catalog.Type(elem.Base); elem == nil {
				return nil, unsupported("", "an array of a domain over an unknown type")
			}
		}
		if domain && (elem.IsArray() || elem.OID == pgtype.DateOID || elem.OID == pgtype.TimestampOID) {
			return nil, unsupported("cast it to text[]", "an array of the domain %s", name)
		}
		var err error
		if b, err = r.scalar(elem, q, v); err != nil {
			return nil, err
		}
		if b.noArray {
			return nil, unsupported("cast it to text[]", "an array of %s", name)
		}
	}
	e := b.typ
	if q.ElementNullable && r.Options.NullElements && !b.nilable {
		e = pointer(e)
	}
	if elem.Kind == 'e' {
		v.Arg = ArgEnumArray
		if e.Form == Pointer {
			v.Arg = ArgEnumArrayNull
		}
	}
	v.Type = slice(e)
	v.Get = Getter{Func: "Slice", TypeArg: e}
	if q.Nullable {
		v.Get.Wrap = WrapNil
	}
	return v, nil
}

// override is the Go type that the options give a column or type; nil for none.
func (r *Resolver) override(q Request, t *catalog.Type) *Type {
	var found *Type
	for _, o := range r.Options.Overrides {
		switch {
		case o.Column != "" && o.Column == q.Column:
			return ParseType(o.GoType)
		case o.PGType != "" && o.PGType == r.Catalog.SQLType(t.OID) && found == nil:
			found = ParseType(o.GoType)
		}
	}
	return found
}

// ParseType reads a type as an [Override] writes it.
func ParseType(s string) *Type {
	if rest, ok := strings.CutPrefix(s, "[]"); ok {
		return slice(ParseType(rest))
	}
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return named("", s)
	}
	return named(s[:i], s[i+1:])
}
