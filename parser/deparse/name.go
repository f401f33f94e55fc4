package deparse

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// keywordText holds a line per major version: the version and the words that
// need quotes as an identifier. It is what
//
//	SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'
//
// gives on that version; a test asks the servers at hand.
//
//go:embed keywords.txt
var keywordText string

// keywords maps a major version to its words that are not unreserved.
var keywords = sync.OnceValue(func() map[int]map[string]bool {
	m := map[int]map[string]bool{}
	for line := range strings.Lines(keywordText) {
		words := strings.Fields(line)
		major, _ := strconv.Atoi(words[0])
		m[major] = map[string]bool{}
		for _, w := range words[1:] {
			m[major][w] = true
		}
	}
	return m
})

// QuoteIdent returns name as an identifier, in quotes where it needs them
// (quote_identifier, ruleutils.c). The words that need them are those of the
// catalog's version.
func QuoteIdent(cat *catalog.Catalog, name string) string {
	safe := name != "" && (name[0] >= 'a' && name[0] <= 'z' || name[0] == '_')
	for i := 0; safe && i < len(name); i++ {
		c := name[i]
		safe = c >= 'a' && c <= 'z' || isDigit(c) || c == '_'
	}
	if safe && !keywords()[cat.Major][name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// QuoteLiteral returns s as a string literal under
// standard_conforming_strings.
func QuoteLiteral(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func qualify(cat *catalog.Catalog, schema, name string) string {
	if schema == "" {
		return QuoteIdent(cat, name)
	}
	return QuoteIdent(cat, schema) + "." + QuoteIdent(cat, name)
}

// RelationName returns a relation's name, with its schema where the search path
// does not reach it (generate_relation_name, ruleutils.c).
func RelationName(cat *catalog.Catalog, oid pgtype.OID) string {
	t := cat.Table(oid)
	if t == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	if cat.TableByName("", t.Name) == t {
		return QuoteIdent(cat, t.Name)
	}
	return qualify(cat, t.Schema, t.Name)
}

// CollationName returns a collation's name, with its schema where the search
// path does not reach it (generate_collation_name, ruleutils.c).
func CollationName(cat *catalog.Catalog, oid pgtype.OID) string {
	c := cat.Collation(oid)
	if c == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	if cat.CollationByName("", c.Name) == c {
		return QuoteIdent(cat, c.Name)
	}
	return qualify(cat, c.Schema, c.Name)
}

// FuncName returns a function's name as a call writes it: with its schema where
// an unqualified call would find another function or none. A function hides
// those of later schemas that take the same types
// (generate_function_name, ruleutils.c).
func FuncName(cat *catalog.Catalog, oid pgtype.OID) string {
	f := cat.Func(oid)
	if f == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	for _, g := range cat.FuncsByName("", f.Name) {
		if g == f {
			return QuoteIdent(cat, f.Name)
		}
		if slices.Equal(g.Args, f.Args) {
			break
		}
	}
	return qualify(cat, f.Schema, f.Name)
}

// OperatorName returns an operator as an expression writes it: OPERATOR(s.op)
// where the bare sign would find another one or none
// (generate_operator_name, ruleutils.c).
func OperatorName(cat *catalog.Catalog, oid pgtype.OID) string {
	o := cat.Operator(oid)
	if o == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	for _, x := range cat.OperatorsByName("", o.Name) {
		if x == o {
			return o.Name
		}
		if x.Left == o.Left && x.Right == o.Right {
			break
		}
	}
	return "OPERATOR(" + QuoteIdent(cat, o.Schema) + "." + o.Name + ")"
}
