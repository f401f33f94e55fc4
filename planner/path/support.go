package path

import (
	"net/netip"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/prep"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/selectivity"
)

// support asks the support function of a function for index conditions that
// follow from a call: arg is the position of the index column in args
// (get_index_clause_from_support, indxpath.c).
func (m matcher) support(fn pgtype.OID, arg int, args []query.Expr) *rel.IndexClause {
	f := m.cat().Func(fn)
	if f == nil || f.Support == "" {
		return nil
	}
	var conds []query.Expr
	switch f.Support {
	case "textlike_support", "texticlike_support", "textregexeq_support", "texticregexeq_support", "text_starts_with_support":
		if arg == 0 && len(args) == 2 {
			conds = m.patternConditions(f.Support, args[0], args[1])
		}
	case "network_subset_support":
		if len(args) == 2 {
			conds = m.networkConditions(f.Source, arg, args)
		}
	default:
		if f.OID >= pgtype.FirstNormalOID {
			m.root.Global.Approximate("index conditions for " + f.Name + " are its extension's to derive")
		}
		return nil
	}
	if len(conds) == 0 {
		return nil
	}
	c := m.clause()
	c.Lossy = true
	for _, e := range conds {
		c.Quals = append(c.Quals, m.simple(e))
	}
	return c
}

// patternConditions makes a range of a pattern's fixed prefix
// (match_pattern_prefix, like_support.c).
func (m matcher) patternConditions(support string, left, right query.Expr) []query.Expr {
	patt, ok := right.(*query.Const)
	if !ok || patt.Null {
		return nil
	}
	g, cat := m.root.Global, m.cat()
	coll := m.x.Collations[m.col]
	family := m.x.Families[m.col]
	if c := cat.Collation(inputCollation(m.r.Clause)); c != nil && !c.Deterministic && c.Provider != 'd' {
		return nil
	}
	if patt.Typ == pgtype.ByteaOID {
		g.Approximate("a pattern over bytea gives no index condition")
		return nil
	}
	prefix := selectivity.PatternPrefix(m.root, support, patt.Value)
	if prefix.Text == "" && !prefix.Exact {
		return nil
	}
	ltype, rtype := left.ResultType(), pgtype.TextOID
	switch ltype {
	case pgtype.TextOID, pgtype.NameOID:
	case pgtype.BpcharOID:
		rtype = pgtype.BpcharOID
	default:
		return nil
	}
	konst := func(text string) *query.Const {
		c := *patt
		c.Typ, c.Mod, c.Value = rtype, pgtype.NoTypmod, text
		return &c
	}
	cond := func(op pgtype.OID, text string) query.Expr {
		return prep.MakeOpClause(m.root, op, left, konst(text), coll)
	}
	// Comparisons come from the type's default btree family, or, with no regard
	// to collation, from the index's own pattern family.
	source, aware := pgtype.OID(0), true
	if oc := cat.DefaultOpClass(ltype, catalog.BTreeMethod); oc != nil {
		source = oc.Family
	}
	if f := cat.OpFamily(family); f != nil {
		switch {
		case f.Method == catalog.BTreeMethod && strings.HasSuffix(f.Name, "_pattern_ops"):
			source, aware = family, false
		case f.Method == catalog.SPGistMethod && f.Name == "text_ops" && !prefix.Exact:
			for _, a := range cat.AmOps(family) {
				if o := cat.Operator(a.Operator); a.Purpose == 's' && o != nil && o.Name == "^@" {
					return []query.Expr{cond(a.Operator, prefix.Text)}
				}
			}
		}
	}
	op := func(strategy int) pgtype.OID {
		o := cat.OpFamilyMember(source, ltype, rtype, strategy)
		if o == 0 || !m.inFamily(o) {
			return 0
		}
		return o
	}
	if prefix.Exact {
		if o := op(catalog.BTEqual); o != 0 {
			return []query.Expr{cond(o, prefix.Text)}
		}
		return nil
	}
	if aware && !collateIsC(g, coll) {
		return nil
	}
	from := op(catalog.BTGreaterEqual)
	if from == 0 {
		return nil
	}
	out := []query.Expr{cond(from, prefix.Text)}
	if to := op(catalog.BTLess); to != 0 {
		if up, ok := selectivity.GreaterString(prefix.Text); ok {
			out = append(out, cond(to, up))
		}
	}
	return out
}

// inputCollation is the collation that an operator or function call works by.
func inputCollation(e query.Expr) pgtype.OID {
	switch n := e.(type) {
	case *query.OpExpr:
		return n.InputColl
	case *query.FuncExpr:
		return n.InputColl
	}
	return 0
}

// collateIsC reports whether a collation is C's order in the planner's eyes
// (lc_collate_is_c, pg_locale.c): of the C library's locales C and POSIX alone,
// and those of the builtin provider.
func collateIsC(g *rel.Global, coll pgtype.OID) bool {
	if coll == 0 {
		return false
	}
	named := func(provider byte, name string) bool {
		switch provider {
		case 'i':
			return false
		case 'b':
			return true
		}
		return name == "C" || name == "POSIX"
	}
	c := g.Catalog.Collation(coll)
	switch {
	case coll == pgtype.DefaultCollation || c != nil && c.Provider == 'd':
		s := g.Stats.Server
		if s == nil || s.Collation == "" {
			g.Approximate("the database's collation is not known: LIKE uses no plain index")
			return false
		}
		provider := byte('c')
		if s.Provider != "" {
			provider = s.Provider[0]
		}
		return named(provider, s.Collation)
	case c == nil:
		return false
	case c.Name == "ucs_basic":
		return true
	}
	return named(c.Provider, c.Name)
}

// networkConditions makes a range of a subnet (match_network_function,
// network.c). source is the C function.
func (m matcher) networkConditions(source string, arg int, args []query.Expr) []query.Expr {
	at := map[string]int{"network_sub": 0, "network_subeq": 0, "network_sup": 1, "network_supeq": 1}
	want, ok := at[source]
	if !ok || want != arg {
		return nil
	}
	left, right := args[arg], args[1-arg]
	c, ok := right.(*query.Const)
	if !ok || c.Null {
		return nil
	}
	cat := m.cat()
	oc := cat.DefaultOpClass(pgtype.InetOID, catalog.BTreeMethod)
	if oc == nil || m.x.Families[m.col] != oc.Family {
		return nil
	}
	first, last, ok := subnet(c.Value)
	if !ok {
		m.root.Global.Approximate("a network constant is not understood")
		return nil
	}
	low := catalog.BTGreater
	if strings.HasSuffix(source, "eq") {
		low = catalog.BTGreaterEqual
	}
	cond := func(strategy int, text string) query.Expr {
		k := *c
		k.Typ, k.Mod, k.Coll, k.Value, k.Len = pgtype.InetOID, pgtype.NoTypmod, 0, text, -1
		op := cat.OpFamilyMember(oc.Family, pgtype.InetOID, pgtype.InetOID, strategy)
		return prep.MakeOpClause(m.root, op, left, &k, 0)
	}
	return []query.Expr{cond(low, first), cond(catalog.BTLessEqual, last)}
}

// subnet returns the first and last values of a network in the order of inet
// (network_scan_first, network_scan_last, network.c).
func subnet(text string) (first, last string, ok bool) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		return text, text, err == nil && a.Zone() == ""
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return "", "", false
	}
	p = p.Masked()
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	end, _ := netip.AddrFromSlice(b)
	first = p.String()
	if p.Bits() == len(b)*8 {
		first = p.Addr().String()
	}
	return first, end.String(), true
}
