package soundfuzz

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// generator writes schemas and queries from one seed.
type generator struct {
	*rand.Rand
	cat          *catalog.Catalog
	literalNames []string
	userTypes    []*catalog.Type
	// funcs, aggs, windows and opers are by result; under 0 those whose result is
	// polymorphic.
	funcs, aggs, windows map[pgtype.OID][]*catalog.Func
	opers                map[pgtype.OID][]*catalog.Operator
	srfs                 []*catalog.Func
	// counter numbers aliases; params are the types of the statement's parameters, ""
	// where nothing is known.
	counter int
	params  []string
	// noParams is set in what is stored in the catalog.
	noParams bool
	ctes     []table
	// calm keeps to few types, to columns and to short conditions, as applications
	// write them: rows are left then, and what conditions prove of them is tried.
	calm bool
	// focus are the columns that the expressions of a query come back to, so that
	// conditions and outputs are often about the same ones.
	focus []column
	// keys are the keys of the tables that the statement has named.
	keys []key
}

// excluded are functions that look outside the database, wait, need much memory
// for small arguments, or tell of the server's state, by prefix of their names.
var excluded = strings.Fields(`pg_ lo_ has_ binary_upgrade fmgr_ txid_ current_setting set_config inet_ brin_ cursor_ database_to
	schema_to table_to query_to xml repeat array_fill factorial lpad rpad col_description obj_description shobj_description
	nextval currval setval lastval version mxid_age age_xid row_security to_reg regclass current_schemas
	system_user session_user getpgusername oidvectortypes ts_stat ts_debug ts_parse ts_token ts_lexize ts_rewrite
	bitlength gtsvector loread lowrite currtid timeofday setseed _pg unique_key amvalidate suppress_ bernoulli system
	generate_series plpgsql_ dsnowball_ heap_tableam bthandler hashhandler gisthandler ginhandler spghandler`)

// key is a key of a table under an alias.
type key struct {
	alias   string
	columns []string
}

// newGenerator returns one for a catalog.
func newGenerator(cat *catalog.Catalog, seed, stream uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, stream)), cat: cat}
	g.literalNames = slices.Sorted(maps.Keys(literals))
	g.literalNames = slices.DeleteFunc(g.literalNames, func(s string) bool { return g.typeOf(s) == nil })
	return g
}

// share takes what another of the same schema has collected.
func (g *generator) share(from *generator) {
	g.userTypes, g.funcs, g.aggs, g.windows, g.opers, g.srfs = from.userTypes, from.funcs, from.aggs, from.windows, from.opers, from.srfs
}

// collect reads functions, operators and types from the catalog.
func (g *generator) collect() {
	g.userTypes = nil
	for _, t := range g.cat.Types() {
		if g.usable(t.OID) {
			g.userTypes = append(g.userTypes, t)
		}
	}
	g.funcs, g.aggs, g.windows = map[pgtype.OID][]*catalog.Func{}, map[pgtype.OID][]*catalog.Func{}, map[pgtype.OID][]*catalog.Func{}
	g.opers, g.srfs = map[pgtype.OID][]*catalog.Operator{}, nil
	builtins := g.cat.Builtins()
	for _, f := range append(builtins.Funcs(), g.cat.Funcs()...) {
		if !g.callable(f) {
			continue
		}
		result := f.Result
		if polymorphic(g.cat, result) {
			result = 0
		}
		switch {
		case f.RetSet:
			g.srfs = append(g.srfs, f)
		case f.Kind == 'a':
			g.aggs[result] = append(g.aggs[result], f)
		case f.Kind == 'w':
			g.windows[result] = append(g.windows[result], f)
		case f.Kind == 'f':
			g.funcs[result] = append(g.funcs[result], f)
		}
	}
	for _, o := range builtins.Operators() {
		f := g.cat.Func(o.Func)
		if f == nil || f.Volatile == 'v' || !g.argument(o.Right) || o.Left != 0 && !g.argument(o.Left) {
			continue
		}
		result := o.Result
		if polymorphic(g.cat, result) {
			result = 0
		}
		g.opers[result] = append(g.opers[result], o)
	}
}

func (g *generator) callable(f *catalog.Func) bool {
	if f.OID < pgtype.FirstNormalOID {
		if f.Volatile == 'v' && f.Name != "random" && f.Name != "gen_random_uuid" && f.Name != "clock_timestamp" {
			return false
		}
		for _, p := range excluded {
			if strings.HasPrefix(f.Name, p) {
				return false
			}
		}
	}
	for _, a := range f.Args {
		if !g.argument(a) {
			return false
		}
	}
	return f.RetSet || g.argument(f.Result)
}

func (g *generator) argument(oid pgtype.OID) bool {
	return g.usable(oid) || polymorphic(g.cat, oid) || g.cat.Type(oid) != nil && g.cat.Type(oid).Name == "any"
}

func polymorphic(cat *catalog.Catalog, oid pgtype.OID) bool {
	t := cat.Type(oid)
	return t != nil && t.Kind == 'p' && strings.HasPrefix(t.Name, "any") && t.Name != "any"
}

func (g *generator) n(n int) int { return g.IntN(n) }

// chance is true once in n.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *generator, list []T) T { return list[g.IntN(len(list))] }

// choice is one way to go on, with its weight.
type choice struct {
	weight int
	make   func() *node
}

// choose tries the choices by weight until one gives a node.
func (g *generator) choose(list ...choice) *node {
	for {
		total := 0
		for _, c := range list {
			total += c.weight
		}
		if total == 0 {
			return nil
		}
		at := g.n(total)
		for i, c := range list {
			if at -= c.weight; at < 0 {
				if n := c.make(); n != nil {
					return n
				}
				list = append(slices.Clone(list[:i]), list[i+1:]...)
				break
			}
		}
	}
}

// bind gives a polymorphic type its meaning for an element type, 0 if it has none.
func (g *generator) bind(oid pgtype.OID, elem *catalog.Type) *catalog.Type {
	t := g.cat.Type(oid)
	switch t.Name {
	case "anyelement", "anycompatible", "anynonarray", "anycompatiblenonarray", "any":
		return elem
	case "anyenum":
		if elem.Kind == 'e' {
			return elem
		}
		return nil
	case "anyarray", "anycompatiblearray":
		if elem.Array == 0 {
			return nil
		}
		return g.cat.Type(elem.Array)
	case "anyrange", "anycompatiblerange", "anymultirange", "anycompatiblemultirange":
		for _, name := range []string{"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"} {
			r := g.typeOf(name)
			if r.RangeSubtype == elem.OID {
				if strings.HasSuffix(t.Name, "multirange") {
					if m := g.cat.Type(r.RangeMulti); m != nil && g.usable(m.OID) {
						return m
					}
					return nil
				}
				return r
			}
		}
		return nil
	}
	return t
}

// solve gives the element type for which a polymorphic type means want.
func (g *generator) solve(oid pgtype.OID, want *catalog.Type) *catalog.Type {
	t := g.cat.Type(oid)
	switch t.Name {
	case "anyelement", "anycompatible":
		return want
	case "anynonarray", "anycompatiblenonarray":
		if !want.IsArray() {
			return want
		}
	case "anyenum":
		if want.Kind == 'e' {
			return want
		}
	case "anyarray", "anycompatiblearray":
		if want.IsArray() {
			return g.cat.Type(want.Element)
		}
	case "anyrange", "anycompatiblerange":
		if want.Kind == 'r' {
			return g.cat.Type(want.RangeSubtype)
		}
	case "anymultirange", "anycompatiblemultirange":
		if want.Kind == 'm' {
			if r := g.cat.Type(want.RangeOf); r != nil {
				return g.cat.Type(r.RangeSubtype)
			}
		}
	}
	return nil
}
