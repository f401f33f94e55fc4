package analyze

import (
	"fmt"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// typeName resolves a type as written, with its modifier
// (typenameTypeIdAndMod, parse_type.c).
func (a *analyzer) typeName(n *pg.TypeName) (pgtype.OID, pgtype.Typmod) {
	t := a.lookupType(n)
	if t == nil {
		name := strings.Join(stringsOf(n.Names), ".")
		if len(n.ArrayBounds) > 0 {
			name += "[]"
		}
		hint := ""
		if len(n.Names) == 1 {
			hint = a.typeHint(stringsOf(n.Names)[0])
		}
		if len(n.Names) == 3 {
			a.failCrossDatabase(stringsOf(n.Names), int(n.Location))
		}
		a.failHint(errUndefinedObject, int(n.Location), hint, "type \"%s\" does not exist", name)
	}
	if t.Shell {
		a.fail(errUndefinedObject, int(n.Location), "type \"%s\" is only a shell", strings.Join(stringsOf(n.Names), "."))
	}
	return t.OID, a.typeMod(n, t)
}

func (a *analyzer) lookupType(n *pg.TypeName) *catalog.Type {
	names := stringsOf(n.Names)
	loc := int(n.Location)
	if len(names) == 0 {
		return a.cat.Type(pgtype.OID(n.TypeOid))
	}
	if n.PctType {
		return a.columnType(names, loc)
	}
	schema, name := a.qualified(names, loc)
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail(errInvalidSchema, loc, "schema \"%s\" does not exist", schema)
	}
	t := a.cat.TypeByName(schema, name)
	if t == nil && len(a.cat.UnknownExtensions()) > 0 {
		t = a.cat.UnknownType(schema, name)
	}
	if t != nil && len(n.ArrayBounds) > 0 {
		return a.cat.Type(t.Array)
	}
	return t
}

// typeHint guesses at a type that is not there: one that the search path does
// not reach, else one with a name that is near.
func (a *analyzer) typeHint(name string) string {
	var known []string
	for _, t := range a.cat.Types() {
		switch {
		case t.Name == name:
			return fmt.Sprintf("There is a type \"%s.%s\", which the search path does not reach.", t.Schema, name)
		case !t.IsArray():
			known = append(known, t.Name)
		}
	}
	if near, ok := diag.DidYouMean(name, known); ok {
		return fmt.Sprintf("Perhaps you meant the type \"%s\".", near)
	}
	return ""
}

// columnType resolves table.column%TYPE.
func (a *analyzer) columnType(names []string, loc int) *catalog.Type {
	full := strings.Join(names, ".")
	switch {
	case len(names) < 2:
		a.fail(errSyntax, loc, "improper %%TYPE reference (too few dotted names): %s", full)
	case len(names) > 4:
		a.fail(errSyntax, loc, "improper %%TYPE reference (too many dotted names): %s", full)
	}
	schema, rel := "", names[len(names)-2]
	if len(names) > 2 {
		schema = names[len(names)-3]
	}
	t := a.cat.TableByName(schema, rel)
	if t == nil {
		a.fail(errUndefinedTable, noLoc, "relation \"%s\" does not exist", strings.Join(names[:len(names)-1], "."))
	}
	c := t.Column(names[len(names)-1])
	if c == nil {
		a.fail(errUndefinedColumn, loc, "column \"%s\" of relation \"%s\" does not exist", names[len(names)-1], rel)
	}
	return a.cat.Type(c.Type)
}

// qualified splits a dotted name (DeconstructQualifiedName, namespace.c); the
// database's name in front is not checked.
func (a *analyzer) qualified(names []string, loc int) (schema, name string) {
	switch len(names) {
	case 1:
		return "", names[0]
	case 2:
		return names[0], names[1]
	case 3:
		// The database's name is not known. Where nothing else fits, it is some
		// other's.
		if a.cat.Schema(names[1]) == nil {
			a.failCrossDatabase(names, loc)
		}
		return names[1], names[2]
	}
	a.fail(errSyntax, loc, "improper qualified name (too many dotted names): %s", strings.Join(names, "."))
	return "", ""
}

func (a *analyzer) failCrossDatabase(names []string, loc int) {
	a.fail(errFeatureNotSupported, loc, "cross-database references are not implemented: %s", strings.Join(names, "."))
}

// typeMod evaluates a type's modifiers (typenameTypeMod).
func (a *analyzer) typeMod(n *pg.TypeName, t *catalog.Type) pgtype.Typmod {
	loc := int(n.Location)
	if len(n.Typmods) == 0 {
		return pgtype.Typmod(n.Typemod)
	}
	if t.Unknown {
		return pgtype.UnknownTypmod
	}
	name := strings.Join(stringsOf(n.Names), ".")
	fn := a.cat.Func(t.TypmodIn)
	if fn == nil {
		a.fail(errSyntax, loc, "type modifier is not allowed for type \"%s\"", name)
	}
	// The server's own functions are internal ones; others run in the server
	// alone.
	known := fn.Language == "internal"
	var mods []int
	for _, m := range n.Typmods {
		if f := m.GetColumnRef().GetFields(); !known && (m.GetAConst() != nil || len(f) == 1 && f[0].GetString_() != nil) {
			continue
		}
		c := m.GetAConst()
		if f := m.GetColumnRef().GetFields(); len(f) == 1 && f[0].GetString_() != nil {
			c = &pg.A_Const{Val: &pg.A_Const_Sval{Sval: f[0].GetString_()}}
		}
		if c == nil {
			a.fail(errSyntax, loc, "type modifiers must be simple constants or identifiers")
		}
		switch v := c.Val.(type) {
		case *pg.A_Const_Ival:
			mods = append(mods, int(v.Ival.Ival))
		case *pg.A_Const_Sval, *pg.A_Const_Fval:
			text := c.GetSval().GetSval() + c.GetFval().GetFval()
			i, err := strconv.Atoi(text)
			if err == nil && int(int32(i)) != i { //nolint:gosec // that is what is asked
				a.fail(errOutOfRange, loc, "value \"%s\" is out of range for type integer", text)
			}
			if err != nil {
				a.fail(errInvalidText, loc, "invalid input syntax for type integer: \"%s\"", text)
			}
			mods = append(mods, i)
		default:
			mods = append(mods, 0)
		}
	}
	if !known {
		return pgtype.UnknownTypmod
	}
	return a.typmodIn(fn.Name, mods, loc)
}

// typmodIn does what a type's modifier function does, by the function's name
// (anychar_typmodin, numerictypmodin and their kin under utils/adt).
func (a *analyzer) typmodIn(fn string, mods []int, loc int) pgtype.Typmod {
	bad := func(format string, args ...any) { a.fail(errInvalidParameter, loc, format, args...) }
	const maxLen = 10 * 1024 * 1024
	one := func() int {
		if len(mods) != 1 {
			bad("invalid type modifier")
		}
		return mods[0]
	}
	length := func(name string, limit int) int {
		n := one()
		if n < 1 {
			bad("length for type %s must be at least 1", name)
		}
		if n > limit {
			bad("length for type %s cannot exceed %d", name, limit)
		}
		return n
	}
	precision := func(name, zone string) int {
		n := one()
		if n < 0 {
			bad("%s(%d)%s precision must not be negative", name, n, zone)
		}
		return min(n, 6)
	}
	switch fn {
	case "varchartypmodin":
		return pgtype.Typmod(length("varchar", maxLen) + 4)
	case "bpchartypmodin":
		return pgtype.Typmod(length("char", maxLen) + 4)
	case "bittypmodin":
		return pgtype.Typmod(length("bit", maxLen*8))
	case "varbittypmodin":
		return pgtype.Typmod(length("varbit", maxLen*8))
	case "timetypmodin":
		return pgtype.Typmod(precision("TIME", ""))
	case "timetztypmodin":
		return pgtype.Typmod(precision("TIME", " WITH TIME ZONE"))
	case "timestamptypmodin":
		return pgtype.Typmod(precision("TIMESTAMP", ""))
	case "timestamptztypmodin":
		return pgtype.Typmod(precision("TIMESTAMP", " WITH TIME ZONE"))
	case "numerictypmodin":
		if len(mods) > 2 {
			bad("invalid NUMERIC type modifier")
		}
		p, scale := mods[0], 0
		if p < 1 || p > 1000 {
			bad("NUMERIC precision %d must be between 1 and 1000", p)
		}
		if len(mods) == 2 {
			if scale = mods[1]; scale < -1000 || scale > 1000 {
				bad("NUMERIC scale %d must be between -1000 and 1000", scale)
			}
		}
		return pgtype.Typmod((p<<16 | scale&0x7ff) + 4)
	case "intervaltypmodin":
		const fullRange, fullPrecision = 0x7fff, 0xffff
		if len(mods) == 1 {
			if mods[0] == fullRange {
				return -1
			}
			return pgtype.Typmod((mods[0]&0x7fff)<<16 | fullPrecision)
		}
		if mods[1] < 0 {
			bad("INTERVAL(%d) precision must not be negative", mods[1])
		}
		return pgtype.Typmod((mods[0]&0x7fff)<<16 | min(mods[1], 6))
	}
	a.unsupported(loc, "the modifier of a type with "+fn)
	return -1
}

// format is a type as messages name it (format_type_be, format_type.c).
func (a *analyzer) format(oid pgtype.OID) string { return a.cat.BaseTypeName(oid) }

// collation finds a collation by name (LookupCollation, parse_type.c).
func (a *analyzer) collation(names []string, loc int) pgtype.OID {
	schema, name := a.qualified(names, loc)
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail(errInvalidSchema, loc, "schema \"%s\" does not exist", schema)
	}
	c := a.cat.CollationByName(schema, name)
	if c == nil {
		a.fail(errUndefinedObject, loc, "collation \"%s\" for encoding \"UTF8\" does not exist", strings.Join(names, "."))
	}
	return c.OID
}

func (a *analyzer) collationName(oid pgtype.OID) string {
	if c := a.cat.Collation(oid); c != nil {
		return c.Name
	}
	return strconv.Itoa(int(oid))
}
