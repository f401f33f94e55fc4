package catalog

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

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
func (c *Catalog) QuoteIdent(name string) string {
	safe := name != "" && (name[0] >= 'a' && name[0] <= 'z' || name[0] == '_')
	for i := 0; safe && i < len(name); i++ {
		b := name[i]
		safe = b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '_'
	}
	if safe && !keywords()[c.Major][name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (c *Catalog) qualify(schema, name string) string {
	if schema == "" {
		return c.QuoteIdent(name)
	}
	return c.QuoteIdent(schema) + "." + c.QuoteIdent(name)
}

// RelationName returns a relation's name, with its schema where the search path
// does not reach it (generate_relation_name, ruleutils.c).
func (c *Catalog) RelationName(oid pgtype.OID) string {
	t := c.Table(oid)
	if t == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	if c.TableByName("", t.Name) == t {
		return c.QuoteIdent(t.Name)
	}
	return c.qualify(t.Schema, t.Name)
}

// CollationName returns a collation's name, with its schema where the search
// path does not reach it (generate_collation_name, ruleutils.c).
func (c *Catalog) CollationName(oid pgtype.OID) string {
	co := c.Collation(oid)
	if co == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	if c.CollationByName("", co.Name) == co {
		return c.QuoteIdent(co.Name)
	}
	return c.qualify(co.Schema, co.Name)
}

// FuncName returns a function's name as a call writes it: with its schema where
// an unqualified call would find another function or none. A function hides
// those of later schemas that take the same types
// (generate_function_name, ruleutils.c).
func (c *Catalog) FuncName(oid pgtype.OID) string {
	f := c.Func(oid)
	if f == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	for _, g := range c.FuncsByName("", f.Name) {
		if g == f {
			return c.QuoteIdent(f.Name)
		}
		if slices.Equal(g.Args, f.Args) {
			break
		}
	}
	return c.qualify(f.Schema, f.Name)
}

// OperatorName returns an operator as an expression writes it: OPERATOR(s.op)
// where the bare sign would find another one or none
// (generate_operator_name, ruleutils.c).
func (c *Catalog) OperatorName(oid pgtype.OID) string {
	o := c.Operator(oid)
	if o == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	for _, x := range c.OperatorsByName("", o.Name) {
		if x == o {
			return o.Name
		}
		if x.Left == o.Left && x.Right == o.Right {
			break
		}
	}
	return "OPERATOR(" + c.QuoteIdent(o.Schema) + "." + o.Name + ")"
}
