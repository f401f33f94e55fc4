package analyze

import (
	"slices"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// candidate is a function or operator that a call could mean
// (FuncCandidateList, catalog/namespace.h).
type candidate struct {
	fn        *catalog.Func
	op        *catalog.Operator
	ambiguous bool // two that cannot be told apart
	pathPos   int
	args      []pgtype.OID // in the order of the call
	numbers   []int        // argument positions, of a call with names
	variadic  int          // how many arguments go into the variadic array
	defaults  int          // how many arguments are left out
	nominal   int
}

// functionCandidates lists the functions that a call with nargs arguments, the
// last ones named, could mean (FuncnameGetCandidates).
func (a *analyzer) functionCandidates(names []string, nargs int, argNames []string, expandVariadic, withOut bool, loc int) []*candidate {
	schema, name := a.qualified(names, loc)
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail(errInvalidSchema, loc, "schema \"%s\" does not exist", schema)
	}
	path := map[string]int{}
	var out []*candidate
	for _, f := range a.cat.FuncsByName(schema, name) {
		if _, ok := path[f.Schema]; !ok {
			path[f.Schema] = len(path)
		}
		c := newCandidate(f, nargs, argNames, expandVariadic, withOut)
		if c == nil {
			continue
		}
		c.pathPos = path[f.Schema]
		out = mergeCandidate(out, c)
	}
	// The server's list ends with what it found first.
	slices.Reverse(out)
	return out
}

func newCandidate(f *catalog.Func, nargs int, argNames []string, expandVariadic, withOut bool) *candidate {
	types := f.Args
	if withOut && f.AllArgs != nil {
		types = f.AllArgs
	}
	n := len(types)
	c := &candidate{fn: f, nominal: n}
	useDefaults := false
	if n > nargs {
		if nargs+f.Defaults < n {
			return nil
		}
		useDefaults = true
	}
	isVariadic := false
	if len(argNames) > 0 {
		if f.Variadic != 0 && expandVariadic || n != nargs && !useDefaults {
			return nil
		}
		if c.numbers = matchNamed(f, nargs, argNames, n, withOut); c.numbers == nil {
			return nil
		}
		for _, i := range c.numbers {
			c.args = append(c.args, types[i])
		}
	} else {
		isVariadic = n <= nargs && expandVariadic && f.Variadic != 0
		if n != nargs && !isVariadic && !useDefaults {
			return nil
		}
		c.args = slices.Clone(types)
	}
	if isVariadic {
		c.variadic = nargs - n + 1
		c.args = c.args[:n-1]
		for range c.variadic {
			c.args = append(c.args, f.Variadic)
		}
	}
	if useDefaults {
		c.defaults = n - nargs
	}
	return c
}

// mergeCandidate adds a candidate unless one with the same arguments is
// preferred: an earlier schema's, else one that is not variadic.
func mergeCandidate(list []*candidate, c *candidate) []*candidate {
	key := func(x *candidate) []pgtype.OID { return x.args[:len(x.args)-x.defaults] }
	i := slices.IndexFunc(list, func(p *candidate) bool { return slices.Equal(key(p), key(c)) })
	if i < 0 {
		return append(list, c)
	}
	p := list[i]
	preference := 0
	switch {
	case c.pathPos != p.pathPos:
		preference = c.pathPos - p.pathPos
	case c.variadic > 0 && p.variadic == 0:
		preference = 1
	case c.variadic == 0 && p.variadic > 0:
		preference = -1
	}
	switch {
	case preference > 0:
	case preference < 0:
		list = append(slices.Delete(list, i, i+1), c)
	default:
		p.ambiguous = true
	}
	return list
}

// matchNamed maps the arguments of a call with names to a function's positions,
// nil if they do not fit (MatchNamedCall).
func matchNamed(f *catalog.Func, nargs int, argNames []string, total int, withOut bool) []int {
	if f.Names == nil {
		return nil
	}
	positional := nargs - len(argNames)
	given := make([]bool, total)
	var numbers []int
	for i := range positional {
		numbers = append(numbers, i)
		given[i] = true
	}
	for _, name := range argNames {
		pos, found := 0, false
		for i, have := range f.Names {
			if !withOut && f.Modes != nil {
				if m := f.Modes[i]; m != catalog.ArgIn && m != catalog.ArgInOut && m != catalog.ArgVariadic {
					continue
				}
			}
			if have == name && pos < total {
				if given[pos] {
					return nil
				}
				given[pos], found = true, true
				numbers = append(numbers, pos)
				break
			}
			pos++
		}
		if !found {
			return nil
		}
	}
	if nargs < total {
		for pos := positional; pos < total; pos++ {
			if given[pos] {
				continue
			}
			if pos < total-f.Defaults {
				return nil
			}
			numbers = append(numbers, pos)
		}
	}
	return numbers
}

// matchArgs keeps the candidates that the input types can be coerced to
// (func_match_argtypes, parse_func.c).
func (a *analyzer) matchArgs(types []pgtype.OID, list []*candidate) []*candidate {
	var out []*candidate
	for _, c := range list {
		if a.canCoerce(types, c.args[:min(len(types), len(c.args))], implicit) {
			out = append(out, c)
		}
	}
	return out
}

// best keeps the candidates with the highest score.
func best(list []*candidate, score func(*candidate) int) []*candidate {
	top := -1
	var out []*candidate
	for _, c := range list {
		switch n := score(c); {
		case n > top:
			top, out = n, []*candidate{c}
		case n == top:
			out = append(out, c)
		}
	}
	return out
}

// selectCandidate resolves an overload among candidates that all fit, nil if it
// is ambiguous (func_select_candidate).
func (a *analyzer) selectCandidate(types []pgtype.OID, list []*candidate) *candidate {
	base := make([]pgtype.OID, len(types))
	unknowns := 0
	for i, t := range types {
		if base[i] = t; t == pgtype.UnknownOID {
			unknowns++
		} else {
			base[i] = a.cat.BaseType(t)
		}
	}
	list = best(list, func(c *candidate) (n int) {
		for i, t := range base {
			if t != pgtype.UnknownOID && c.args[i] == t {
				n++
			}
		}
		return n
	})
	if len(list) == 1 {
		return list[0]
	}
	category := make([]byte, len(types))
	for i, t := range base {
		category[i], _ = a.category(t)
	}
	list = best(list, func(c *candidate) (n int) {
		for i, t := range base {
			if t != pgtype.UnknownOID && (c.args[i] == t || a.isPreferred(category[i], c.args[i])) {
				n++
			}
		}
		return n
	})
	if len(list) == 1 {
		return list[0]
	}
	if unknowns == 0 {
		return nil
	}
	if list = a.selectByCategory(base, category, list); len(list) == 1 {
		return list[0]
	}
	return a.selectByKnown(base, unknowns, list)
}

func (a *analyzer) isPreferred(category byte, t pgtype.OID) bool {
	c, preferred := a.category(t)
	return (category == c || category == 0) && preferred
}

// selectByCategory uses the categories that the candidates have where the input
// is unknown; strings win.
func (a *analyzer) selectByCategory(base []pgtype.OID, category []byte, list []*candidate) []*candidate {
	const stringCategory = 'S'
	preferred := make([]bool, len(base))
	for i, t := range base {
		if t != pgtype.UnknownOID {
			continue
		}
		category[i] = 0
		conflict := false
		for _, c := range list {
			cat, pref := a.category(c.args[i])
			switch {
			case category[i] == 0:
				category[i], preferred[i] = cat, pref
			case cat == category[i]:
				preferred[i] = preferred[i] || pref
			case cat == stringCategory:
				category[i], preferred[i] = cat, pref
			default:
				conflict = true
			}
		}
		if conflict && category[i] != stringCategory {
			return list
		}
	}
	var kept []*candidate
	for _, c := range list {
		keep := true
		for i, t := range base {
			if t != pgtype.UnknownOID {
				continue
			}
			cat, pref := a.category(c.args[i])
			if cat != category[i] || preferred[i] && !pref {
				keep = false
				break
			}
		}
		if keep {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return list
	}
	return kept
}

// selectByKnown takes unknown inputs to be of the type that all known ones have.
func (a *analyzer) selectByKnown(base []pgtype.OID, unknowns int, list []*candidate) *candidate {
	if unknowns >= len(base) {
		return nil
	}
	known := pgtype.UnknownOID
	for _, t := range base {
		switch {
		case t == pgtype.UnknownOID || t == known:
		case known == pgtype.UnknownOID:
			known = t
		default:
			return nil
		}
	}
	all := make([]pgtype.OID, len(base))
	for i := range all {
		all[i] = known
	}
	var hit *candidate
	for _, c := range list {
		if a.canCoerce(all, c.args[:len(all)], implicit) {
			if hit != nil {
				return nil
			}
			hit = c
		}
	}
	return hit
}

// detail is what a call resolves to (FuncDetailCode, parse_func.h).
type detail int

const (
	detailNotFound detail = iota
	detailMultiple
	detailNormal
	detailProcedure
	detailAggregate
	detailWindow
	detailCoercion
)

// resolved is a call's function with what its signature comes to.
type resolved struct {
	code     detail
	fn       *catalog.Func
	declared []pgtype.OID
	result   pgtype.OID
	variadic int
	defaults []pgtype.OID // types of the arguments that are left out
	target   pgtype.OID   // of a coercion
}

// functionDetail resolves a call (func_get_detail).
func (s *state) functionDetail(names []string, args []query.Expr, argNames []string, types []pgtype.OID, expandVariadic, withOut bool, loc int) resolved {
	raw := s.functionCandidates(names, len(types), argNames, expandVariadic, withOut, loc)
	var hit *candidate
	for _, c := range raw {
		if slices.Equal(types, c.args[:min(len(types), len(c.args))]) {
			hit = c
			break
		}
	}
	if hit == nil {
		if len(types) == 1 && len(args) == 1 && len(argNames) == 0 {
			if t := s.coercionCall(names, args[0], types[0], loc); t != 0 {
				return resolved{code: detailCoercion, target: t}
			}
		}
		switch list := s.matchArgs(types, raw); len(list) {
		case 0:
			return resolved{}
		case 1:
			hit = list[0]
		default:
			if hit = s.selectCandidate(types, list); hit == nil {
				return resolved{code: detailMultiple}
			}
		}
	}
	if hit.ambiguous {
		return resolved{code: detailMultiple}
	}
	n := len(types)
	if len(argNames) > 0 && !expandVariadic && n > 0 && hit.numbers[n-1] != n-1 {
		return resolved{}
	}
	for i, e := range args {
		if na, ok := e.(*query.NamedArgExpr); ok && i < len(hit.numbers) {
			na.Number = hit.numbers[i]
		}
	}
	f := hit.fn
	r := resolved{fn: f, declared: slices.Clone(hit.args), result: f.Result, variadic: hit.variadic}
	for i := n; i < len(hit.args); i++ {
		r.defaults = append(r.defaults, s.defaultType(hit, i))
	}
	switch f.Kind {
	case 'a':
		r.code = detailAggregate
	case 'w':
		r.code = detailWindow
	case 'p':
		r.code = detailProcedure
	default:
		r.code = detailNormal
	}
	return r
}

// defaultType is the type of the default of argument i of a candidate: its
// declared type unless that is polymorphic and the expression is known.
func (s *state) defaultType(c *candidate, i int) pgtype.OID {
	t := c.args[i]
	if !isPolymorphic(t) {
		return t
	}
	pos := i
	if c.numbers != nil {
		pos = c.numbers[i]
	}
	if j := pos - (c.nominal - len(c.fn.DefaultExprs)); j >= 0 && j < len(c.fn.DefaultExprs) && c.fn.DefaultExprs[j] != nil {
		return c.fn.DefaultExprs[j].ResultType()
	}
	return t
}

// coercionCall reports the type that a call such as text(x) casts to, 0 if it
// is none.
func (s *state) coercionCall(names []string, arg query.Expr, from pgtype.OID, loc int) pgtype.OID {
	schema, name := s.qualified(names, loc)
	t := s.cat.TypeByName(schema, name)
	if t == nil || t.Relation != 0 {
		return 0
	}
	if _, isConst := arg.(*query.Const); isConst && from == pgtype.UnknownOID {
		return t.OID
	}
	switch path, _ := s.findPathway(t.OID, from, explicit); path {
	case pathRelabel:
		return t.OID
	case pathIO:
		const stringCategory = 'S'
		if t.Category == stringCategory && (from == pgtype.RecordOID || s.isComplex(from)) {
			return 0
		}
		return t.OID
	}
	return 0
}
