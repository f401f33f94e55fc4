package selectivity

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
)

// patternType is the kind of a pattern (Pattern_Type, like_support.c).
type patternType int

const (
	patternLike patternType = iota
	patternLikeIC
	patternRegex
	patternRegexIC
	patternPrefix
)

// patternOperator is likesel and its kin (patternsel, like_support.c).
func (c *context) patternOperator(op pgtype.OID, args []query.Expr, coll pgtype.OID, kind patternType, negate bool) float64 {
	if negate {
		o := c.root.Global.Catalog.Operator(op)
		if o == nil || o.Negator == 0 {
			return 1.0 - DefaultMatch
		}
		op = o.Negator
	}
	fn := pgtype.OID(0)
	if o := c.root.Global.Catalog.Operator(op); o != nil {
		fn = o.Func
	}
	return c.pattern(fn, args, coll, kind, negate)
}

// pattern is patternsel_common (like_support.c).
func (c *context) pattern(fn pgtype.OID, args []query.Expr, coll pgtype.OID, kind patternType, negate bool) float64 {
	def := DefaultMatch
	if negate {
		def = 1.0 - DefaultMatch
	}
	v, other, onLeft, ok := c.restrictionVar(args)
	if !ok {
		return def
	}
	k, ok := other.(*query.Const)
	if !ok || !onLeft {
		return def
	}
	if k.Null {
		return 0
	}
	ops, ok := patternOps(v.VarType)
	if !ok || k.Typ != pgtype.TextOID && k.Typ != pgtype.ByteaOID {
		return def
	}
	d, ok := v.constant(k)
	if !ok {
		return def
	}
	prefix, status, rest := c.fixedPrefix(d.Text(), kind)
	asConst := *k
	asConst.Typ, asConst.Value = ops.rightType, prefix
	var s float64
	if status == prefixExact {
		s = eqConst(v, ops.eq, coll, &asConst, true, false)
	} else {
		var size int
		s, size = v.histogramSelectivity(fn, coll, d, true, 10, 1)
		if size < 100 {
			guess := 1.0
			if status == prefixPartial {
				guess = c.prefixSelectivity(v, ops, coll, &asConst)
			}
			guess *= rest
			if s < 0 {
				s = guess
			} else {
				weight := float64(size) / 100.0
				s = float64(s*weight) + float64(guess*(1.0-weight))
			}
		}
		s = min(max(s, 0.0001), 0.9999)
		mcv, common := v.mcvSelectivity(fn, coll, d, true)
		s = float64(s * (1.0 - v.nullFrac() - common))
		s += mcv
	}
	if negate {
		s = 1.0 - s - v.nullFrac()
	}
	return clamp(s)
}

// textOps are the comparison operators by which a prefix becomes a range: the
// pinned OIDs of pg_operator.dat that patternsel_common names.
type textOps struct {
	eq, less, greaterEq pgtype.OID
	rightType           pgtype.OID
}

func patternOps(typ pgtype.OID) (textOps, bool) {
	switch typ {
	case pgtype.TextOID:
		return textOps{98, 664, 667, pgtype.TextOID}, true
	case pgtype.NameOID:
		return textOps{254, 255, 257, pgtype.TextOID}, true
	case pgtype.BpcharOID:
		return textOps{1054, 1058, 1061, pgtype.BpcharOID}, true
	case pgtype.ByteaOID:
		return textOps{1955, 1957, 1960, pgtype.ByteaOID}, true
	}
	return textOps{}, false
}

type prefixStatus int

const (
	prefixNone prefixStatus = iota
	prefixPartial
	prefixExact
)

// Heuristic selectivities of pattern elements (like_support.c).
const (
	fixedChar       = 0.20
	charRange       = 0.25
	anyChar         = 0.9
	fullWildcard    = 5.0
	partialWildcard = 2.0
)

// fixedPrefix finds what every match starts with, and estimates the rest of the
// pattern (pattern_fixed_prefix, like_support.c).
func (c *context) fixedPrefix(p string, kind patternType) (prefix string, status prefixStatus, rest float64) {
	switch kind {
	case patternLike, patternLikeIC:
		return likePrefix(p, kind == patternLikeIC)
	case patternPrefix:
		return p, prefixPartial, 1
	}
	fold := kind == patternRegexIC
	prefix, exact, ok := regexPrefix(p, fold)
	if !ok {
		c.approximate("the fixed prefix of a regular expression is not known")
	}
	switch {
	case exact:
		return prefix, prefixExact, 1
	case prefix == "":
		return "", prefixNone, regexSelectivity(p, 0)
	}
	return prefix, prefixPartial, regexSelectivity(p, len(prefix))
}

// likePrefix reads a LIKE pattern up to its first wildcard (like_fixed_prefix,
// like_support.c). Without regard to case, letters end it too.
func likePrefix(p string, fold bool) (string, prefixStatus, float64) {
	var b strings.Builder
	i := 0
	for ; i < len(p); i++ {
		if p[i] == '%' || p[i] == '_' {
			break
		}
		if p[i] == '\\' {
			i++
			if i >= len(p) {
				break
			}
		}
		if fold && (isLetter(p[i]) || p[i] >= utf8.RuneSelf) {
			break
		}
		b.WriteByte(p[i])
	}
	i = min(i, len(p))
	rest := likeSelectivity(p[i:])
	switch {
	case i == len(p):
		return b.String(), prefixExact, rest
	case b.Len() > 0:
		return b.String(), prefixPartial, rest
	}
	return "", prefixNone, rest
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// likeSelectivity guesses by the elements of a pattern (like_selectivity,
// like_support.c).
func likeSelectivity(p string) float64 {
	s := 1.0
	i := 0
	for i < len(p) && (p[i] == '%' || p[i] == '_') {
		i++
	}
	for ; i < len(p); i++ {
		switch p[i] {
		case '%':
			s *= fullWildcard
		case '_':
			s *= anyChar
		case '\\':
			i++
			if i < len(p) {
				s *= fixedChar
			}
		default:
			s *= fixedChar
		}
	}
	return min(s, 1)
}

// regexPrefix finds the fixed prefix of a regular expression that is anchored
// at its start and plain (regexp_fixed_prefix, regexp.c). ok is false where the
// expression is beyond what is read here.
func regexPrefix(p string, fold bool) (prefix string, exact, ok bool) {
	if strings.HasPrefix(p, "***") || strings.HasPrefix(p, "(?") {
		return "", false, false
	}
	if !strings.HasPrefix(p, "^") {
		return "", false, true
	}
	p = p[1:]
	if strings.ContainsAny(p, "|") {
		return "", false, !strings.ContainsAny(p, "()[]\\")
	}
	i := 0
	var b strings.Builder
	for i < len(p) {
		ch := p[i]
		n := 1
		switch {
		case ch == '$' && i == len(p)-1:
			return b.String(), !fold || b.Len() > 0, true
		case ch == '\\':
			if i+1 >= len(p) || isLetter(p[i+1]) || p[i+1] >= '0' && p[i+1] <= '9' {
				return b.String(), false, i+1 < len(p) && strings.IndexByte("dswDSW", p[i+1]) >= 0
			}
			ch, n = p[i+1], 2
		case strings.IndexByte(".[(*+?{$)^", ch) >= 0:
			return b.String(), false, ch != '(' && ch != '$' && ch != '^'
		}
		if fold && (isLetter(ch) || ch >= utf8.RuneSelf) {
			return b.String(), false, true
		}
		if j := i + n; j < len(p) && strings.IndexByte("*?{", p[j]) >= 0 {
			// The character may be missing.
			return b.String(), false, true
		}
		b.WriteByte(ch)
		if j := i + n; j < len(p) && p[j] == '+' {
			return b.String(), false, true
		}
		i += n
	}
	return b.String(), false, true
}

// regexSelectivity guesses by the elements of a regular expression
// (regex_selectivity, like_support.c); the fixed prefix is taken out again.
func regexSelectivity(p string, prefixLen int) float64 {
	var s float64
	if n := len(p); n > 0 && p[n-1] == '$' && (n == 1 || p[n-2] != '\\') {
		s = regexPart(p[:n-1])
	} else {
		s = regexPart(p) * fullWildcard
	}
	if prefixLen > 0 {
		if fixed := math.Pow(fixedChar, float64(prefixLen)); fixed > 0 {
			s /= fixed
		}
	}
	return clamp(s)
}

// regexPart is regex_selectivity_sub (like_support.c).
func regexPart(p string) float64 {
	s := 1.0
	depth, open := 0, 0
	times := func(f float64) {
		if depth == 0 {
			s *= f
		}
	}
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '(':
			if depth == 0 {
				open = i
			}
			depth++
		case p[i] == ')' && depth > 0:
			depth--
			times(regexPart(p[open+1 : i]))
		case p[i] == '|' && depth == 0:
			return min(s+regexPart(p[i+1:]), 1)
		case p[i] == '[':
			i++
			negated := i < len(p) && p[i] == '^'
			if negated {
				i++
			}
			if i < len(p) && p[i] == ']' {
				i++
			}
			for i < len(p) && p[i] != ']' {
				i++
			}
			if negated {
				times(1.0 - charRange)
			} else {
				times(charRange)
			}
		case p[i] == '.':
			times(anyChar)
		case p[i] == '*' || p[i] == '?' || p[i] == '+':
			times(partialWildcard)
		case p[i] == '{':
			for i < len(p) && p[i] != '}' {
				i++
			}
			times(partialWildcard)
		case p[i] == '\\':
			i++
			if i < len(p) {
				times(fixedChar)
			}
		default:
			times(fixedChar)
		}
	}
	return min(s, 1)
}

// prefixSelectivity takes a prefix as a range of the histogram
// (prefix_selectivity, like_support.c).
func (c *context) prefixSelectivity(v *VarData, ops textOps, coll pgtype.OID, prefix *query.Const) float64 {
	d, ok := c.asText(v, ops, prefix)
	if !ok {
		return DefaultMatch
	}
	s := v.ineqHistogram(ops.greaterEq, true, true, coll, d)
	if s < 0 {
		return DefaultMatch
	}
	if up, ok := greaterString(d.Text(), ops.rightType == pgtype.ByteaOID); ok {
		if !eval.Bytewise(c.root.Global, coll) {
			c.approximate("strings are compared by their bytes, not by their collation")
		}
		top := v.ineqHistogram(ops.less, false, false, coll, pgtype.NewText(ops.rightType, up))
		s = top + s - 1.0
	}
	return math.Max(s, eqConst(v, ops.eq, coll, prefix, true, false))
}

// asText makes the value of a prefix, whose text is not in input form for
// bytea.
func (c *context) asText(v *VarData, ops textOps, k *query.Const) (pgtype.Datum, bool) {
	if ops.rightType == pgtype.ByteaOID {
		c.approximate("a prefix of bytea is estimated by a default")
		return pgtype.Datum{}, false
	}
	return v.constant(k)
}

// greaterString returns a string greater than all that start with s: its last
// character that can be is made the next one (make_greater_string,
// like_support.c; pg_utf8_increment, mbutils.c).
func greaterString(s string, bytes bool) (string, bool) {
	for s != "" {
		n := 1
		if !bytes {
			_, n = utf8.DecodeLastRuneInString(s)
		}
		if last, ok := increment(s[len(s)-n:]); ok {
			return s[:len(s)-n] + last, true
		}
		s = s[:len(s)-n]
	}
	return "", false
}

// increment makes a UTF-8 character greater, of the same length, at its last byte
// that can be.
func increment(ch string) (string, bool) {
	b := []byte(ch)
	for i := len(b) - 1; i > 0; i-- {
		limit := byte(0xbf)
		if i == 1 && b[0] == 0xed {
			limit = 0x9f
		} else if i == 1 && b[0] == 0xf4 {
			limit = 0x8f
		}
		if b[i] < limit {
			b[i]++
			return string(b), true
		}
	}
	switch b[0] {
	case 0x7f, 0xdf, 0xef, 0xf4:
		return "", false
	}
	b[0]++
	return string(b), true
}
