package main

import "strings"

// samples are the values that functions are tried with, by type: ordinary ones, the
// ends of the type's range, empty ones and those that have their own code.
func samples() map[string][]string {
	text := []string{`''`, `'a'`, `'ABC def'`, `'12'`, `'month'`, `'{"a": null}'`, `'a.c'`, `'UTC'`}
	m := map[string][]string{
		"bool": {"true", "false"},
		"int2": {"0", "1", "-1", "32767", "3"}, "int4": {"0", "1", "-1", "2147483647", "3"}, "int8": {"0", "1", "-1", "9223372036854775807", "3"},
		"float4": {"0", "1.5", "-2", "'NaN'", "'Infinity'", "'-Infinity'"}, "float8": {"0", "1.5", "-2", "'NaN'", "'Infinity'", "'-Infinity'"},
		"numeric": {"0", "1.5", "-2", "'NaN'", "'Infinity'", "'-Infinity'"}, "money": {"'0'", "'12.34'"},
		"text": text, "varchar": text, "bpchar": text, "name": {"''", "'a'", "'public'", "'pg_class'"}, "char": {"'a'", "''"}, "cstring": {"''", "'1'"}, "unknown": {"'a'"},
		"bytea": {`''`, `'\x00'`, `'\x0102ff'`}, "uuid": {"'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
		"date":      {"'2000-01-01'", "'infinity'", "'-infinity'", "'0044-03-15 BC'"},
		"time":      {"'00:00'", "'24:00'", "'12:34:56.789'"},
		"timetz":    {"'00:00+00'", "'12:34:56.789-08'"},
		"timestamp": {"'2000-01-01'", "'infinity'", "'-infinity'", "'2024-02-29 12:34:56.789'"}, "timestamptz": {"'2000-01-01Z'", "'infinity'", "'-infinity'", "'2024-02-29 12:34:56.789Z'"},
		"interval": {"'0'", "'1 mon 2 days 03:04:05.678'", "'-1 day'", "'1 year'"},
		"json":     {`'null'`, `'{}'`, `'[]'`, `'1'`, `'"a"'`, `'{"a": 1, "b": null}'`, `'[1, null, {"a": [2]}]'`},
		"jsonb":    {`'null'`, `'{}'`, `'[]'`, `'1'`, `'"a"'`, `'{"a": 1, "b": null}'`, `'[1, null, {"a": [2]}]'`},
		"jsonpath": {`'$'`, `'$.a'`, `'$[*]'`, `'$.a > 1'`}, "xml": {`'<a/>'`, `'<a b="1">x</a>'`, `''`},
		"point": {"'(0,0)'", "'(1,2)'", "'(Infinity,NaN)'"}, "lseg": {"'[(0,0),(1,1)]'", "'[(0,0),(0,0)]'", "'[(5,5),(6,9)]'"}, "line": {"'{1,-1,0}'", "'{0,1,3}'", "'{1,-1,2}'"},
		"box": {"'(1,1),(0,0)'", "'(9,9),(8,8)'", "'(0,0),(0,0)'"}, "path": {"'[(0,0),(1,1)]'", "'((0,0),(1,1),(2,0))'", "'[(9,9)]'"}, "polygon": {"'((0,0),(1,1),(2,0))'", "'((9,9))'"}, "circle": {"'<(0,0),1>'", "'<(9,9),0>'"},
		"inet": {"'1.2.3.4'", "'10.0.0.0/8'", "'::1'", "'0.0.0.0/0'"}, "cidr": {"'10.0.0.0/8'", "'::/0'", "'0.0.0.0/0'"}, "macaddr": {"'08:00:2b:01:02:03'"}, "macaddr8": {"'08:00:2b:01:02:03:04:05'"},
		"bit": {"B'101'", "B'0'"}, "varbit": {"B'101'", "B''"},
		"tsvector": {"''", "'a:1A b:2 c'", "'a'"}, "tsquery": {"''", "'a & b'", "'!a'", "'a <-> b'"}, "regconfig": {"'english'", "'simple'"}, "regdictionary": {"'simple'"},
		"oid": {"0", "1", "1259", "4294967295"}, "regclass": {"'pg_class'", "0", "1"}, "regtype": {"'int4'", "0"}, "regproc": {"'now'", "0"}, "regprocedure": {"'now()'", "0"}, "regrole": {"0"}, "regnamespace": {"'pg_catalog'", "0"}, "regoper": {"0"}, "regoperator": {"0"}, "regcollation": {"0"},
		"xid": {"'3'", "'0'"}, "xid8": {"'3'"}, "cid": {"'0'"}, "tid": {"'(0,1)'"}, "pg_lsn": {"'0/0'", "'16/B374D848'", "'FFFFFFFF/FFFFFFFF'"}, "txid_snapshot": {"'1:3:2'"}, "pg_snapshot": {"'1:3:2'", "'1:1:'"},
		"refcursor": {"'c'"}, "int2vector": {"'1 2'", "''"}, "oidvector": {"'1 2'", "''"}, "aclitem": {"'postgres=r/postgres'"},
		"int4range": {"'empty'", "'(,)'", "'[1,5)'", "'[3,)'", "'(,4)'"}, "int4multirange": {"'{}'", "'{[1,5),[7,9)}'", "'{(,)}'"},
	}
	m["anyelement"], m["anynonarray"], m["anycompatible"], m["anycompatiblenonarray"], m["any"] = m["int4"], m["int4"], m["int4"], m["int4"], m["int4"]
	m["anyrange"], m["anycompatiblerange"], m["anymultirange"], m["anycompatiblemultirange"] = m["int4range"], m["int4range"], m["int4multirange"], m["int4multirange"]
	for _, r := range []string{"int8range", "numrange"} {
		m[r] = m["int4range"]
		m[strings.Replace(r, "range", "multirange", 1)] = m["int4multirange"]
	}
	for _, r := range []string{"daterange", "tsrange", "tstzrange"} {
		m[r] = []string{"'empty'", "'(,)'", "'[2000-01-01,2001-01-01)'"}
		m[strings.Replace(r, "range", "multirange", 1)] = []string{"'{}'", "'{[2000-01-01,2001-01-01)}'"}
	}
	for name, list := range m {
		if name == "int4" || name == "text" || name == "float8" || name == "int8" || name == "numeric" || name == "bool" || name == "oid" || name == "name" || name == "int2" || name == "jsonb" {
			m["_"+name] = arrays(name, list)
		}
	}
	m["anyarray"], m["anycompatiblearray"] = m["_int4"], m["_int4"]
	return m
}

// arrays are empty, plain and nested ones, and one with a NULL.
func arrays(typ string, list []string) []string {
	typ += "[]"
	out := []string{"'{}'", "'{NULL}'"}
	for _, v := range []string{list[0], list[1]} {
		out = append(out, "array["+v+"]::"+typ)
	}
	return append(out, "array["+list[0]+","+list[1]+"]::"+typ, "array[["+list[0]+"],["+list[1]+"]]::"+typ)
}

// concrete is the type that a pseudo-type is tried as.
func concrete(typ string) string {
	switch typ {
	case "anyelement", "anynonarray", "anycompatible", "anycompatiblenonarray", "any":
		return "int4"
	case "anyarray", "anycompatiblearray":
		return "_int4"
	case "anyrange", "anycompatiblerange":
		return "int4range"
	case "anymultirange", "anycompatiblemultirange":
		return "int4multirange"
	}
	return typ
}
