package gotype

import "strings"

// base is what a built-in type becomes.
type base struct {
	typ *Type
	// method is the getter of runtime.Row; "" for runtime.Scan.
	method string
	// null is the type of pgtype that holds NULL; nil for none. It may be typ.
	null *Type
	// nilable types have a nil that is NULL.
	nilable bool
	// noArray says that pgx cannot read or send an array of it.
	noArray bool
}

func pg(name string, args ...*Type) *Type { return named(PgtypePath, name, args...) }

func plain(name, method, null string) *base {
	return &base{typ: named("", name), method: method, null: pg(null)}
}

// self is a type of pgtype, which knows NULL itself.
func self(name string, args ...*Type) *base {
	t := pg(name, args...)
	return &base{typ: t, null: t}
}

// builtin is the table of the types of pg_catalog, by their names in pg_type;
// nil for those that travel as text.
func builtin(name string) *base {
	switch name {
	case "bool":
		return plain("bool", "Bool", "Bool")
	case "int2":
		return plain("int16", "Int16", "Int2")
	case "int4":
		return plain("int32", "Int32", "Int4")
	case "int8":
		return plain("int64", "Int64", "Int8")
	case "float4":
		return plain("float32", "Float32", "Float4")
	case "float8":
		return plain("float64", "Float64", "Float8")
	case "text", "varchar", "bpchar", "name", "char", "xml", "jsonpath":
		return text()
	case "oid", "xid", "cid":
		return plain("uint32", "", "Uint32")
	case "xid8":
		return plain("uint64", "", "Uint64")
	case "timestamptz":
		return &base{typ: named("time", "Time"), method: "Time", null: pg("Timestamptz")}
	case "timestamp":
		return &base{typ: named("time", "Time"), method: "Time", null: pg("Timestamp")}
	case "date":
		return &base{typ: named("time", "Time"), method: "Time", null: pg("Date")}
	case "bytea":
		return &base{typ: slice(named("", "byte")), method: "Bytes", nilable: true}
	case "json", "jsonb":
		return &base{typ: named("encoding/json", "RawMessage"), method: "JSON", nilable: true}
	case "inet", "cidr":
		return &base{typ: named("net/netip", "Prefix")}
	}
	return structured(name)
}

// text is a string, of a type whose text form says it all.
func text() *base { return plain("string", "Text", "Text") }

// structured are the types that Go has no type of its own for.
func structured(name string) *base {
	switch name {
	case "numeric":
		return self("Numeric")
	case "uuid":
		return self("UUID")
	case "time":
		return self("Time")
	case "interval":
		return self("Interval")
	case "bit", "varbit":
		return self("Bits")
	case "tid":
		return self("TID")
	case "tsvector":
		return self("TSVector")
	case "point":
		return self("Point")
	case "line":
		return self("Line")
	case "lseg":
		return self("Lseg")
	case "box":
		return self("Box")
	case "path":
		return self("Path")
	case "polygon":
		return self("Polygon")
	case "circle":
		return self("Circle")
	}
	return ranges(name)
}

// ranges have bounds of pgtype's types: infinite times are usual in them, and
// pgx knows no others in its text modes.
func ranges(name string) *base {
	bound := ""
	switch name {
	case "int4range", "int4multirange":
		bound = "Int4"
	case "int8range", "int8multirange":
		bound = "Int8"
	case "numrange", "nummultirange":
		bound = "Numeric"
	case "daterange", "datemultirange":
		bound = "Date"
	case "tsrange", "tsmultirange":
		bound = "Timestamp"
	case "tstzrange", "tstzmultirange":
		bound = "Timestamptz"
	default:
		return nil
	}
	multi := strings.HasSuffix(name, "multirange")
	if !multi {
		return self("Range", pg(bound))
	}
	return &base{typ: pg("Multirange", pg("Range", pg(bound))), nilable: true, noArray: true}
}
