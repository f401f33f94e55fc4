package infer

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// functionData says which functions never return NULL; parser/infer/capture writes
// it.
//
//go:embed data/functions.tsv
var functionData string

// captured reads it once: the class by kind and name.
var captured = sync.OnceValue(func() map[string]string {
	m := make(map[string]string, 4096)
	for line := range strings.Lines(functionData) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.LastIndexByte(line, '\t'); i > 0 {
			m[line[:i]] = line[i+1:]
		}
	}
	return m
})

// Classes of functions: one gives a value for values, or for all arguments.
const (
	classValue = "value"
	classNever = "never"
)

// Classes of aggregates: one gives a value for no rows, for one row of whatever
// values, or for one row of values.
const (
	aggAlways = "always"
	aggRow    = "row"
	aggValue  = "value"
)

// class says what is known of the NULLs that a function returns, "" for nothing: of
// functions of pg_catalog, and of extensions whose names lead to their C code.
func (s *scope) class(f *catalog.Func) string {
	switch {
	case f.Kind == 'a' && s.builtin(f):
		return captured()["aggregate\t"+s.signature(f)]
	case f.Language == "internal" && f.RetSet && s.builtin(f):
		return captured()["rows\t"+f.Source]
	case f.Language == "internal" && (s.builtin(f) || s.ofExtension(f)):
		return captured()["function\t"+f.Source]
	case f.Language == "sql" && s.builtin(f):
		return captured()["sql\t"+s.signature(f)]
	case f.Language == "c" && s.ofExtension(f):
		return captured()["extension\t"+s.module(f)+":"+f.Source]
	}
	return ""
}

func (s *scope) builtin(f *catalog.Func) bool {
	return f.OID < pgtype.FirstNormalOID && f.Schema == "pg_catalog"
}

// signature is a function's name with the names of its argument types.
func (s *scope) signature(f *catalog.Func) string {
	var b strings.Builder
	b.WriteString(f.Name)
	b.WriteByte('(')
	for i, a := range f.Args {
		if i > 0 {
			b.WriteByte(',')
		}
		if t := s.cat.Type(a); t != nil {
			b.WriteString(t.Name)
		}
	}
	b.WriteByte(')')
	return b.String()
}

// ofExtension reports whether a function is one that CREATE EXTENSION brought from
// the captured data.
func (s *scope) ofExtension(f *catalog.Func) bool { return s.module(f) != "" }

// module names the extension that brought a function, "" for none.
func (s *scope) module(f *catalog.Func) string {
	if s.shared().modules == nil {
		s.shared().modules = map[pgOID]string{}
		for _, e := range s.cat.Extensions() {
			for _, m := range e.Members.Funcs {
				s.shared().modules[m.OID] = e.Name
			}
		}
	}
	return s.shared().modules[f.OID]
}

// isCast tells the functions that pg_cast names.
func (s *scope) isCast(f *catalog.Func) bool {
	if len(f.Args) == 0 {
		return false
	}
	k := s.cat.Cast(f.Args[0], f.Result)
	return k != nil && k.Func == f.OID
}

// set is a list of words to look in.
func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
