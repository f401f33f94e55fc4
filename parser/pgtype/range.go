package pgtype

import (
	"strings"
	"time"
)

// Bound is one end of a range. A NULL value is infinite.
type Bound struct {
	Value     Datum
	Inclusive bool
}

// Infinite reports whether the bound is open to infinity.
func (b Bound) Infinite() bool { return b.Value.IsNull() }

// span is the value of a range.
type span struct {
	empty        bool
	lower, upper Bound
}

// Range returns the bounds of a range; ok is false for an empty range and for
// other kinds.
func (v Datum) Range() (lower, upper Bound, ok bool) {
	if r, is := v.x.(*span); is && !r.empty {
		return r.lower, r.upper, true
	}
	return Bound{}, Bound{}, false
}

// parseRange reads a range literal (range_in, range_parse; rangetypes.c).
func parseRange(d *Desc, text string, env Env) (*span, error) {
	bad := func(detail string) (*span, error) {
		return nil, &ValueError{Code: codeSyntax, Message: "malformed range literal: \"" + text + "\"", Detail: detail}
	}
	s := trimSpace(text)
	if strings.EqualFold(s, "empty") {
		return &span{empty: true}, nil
	}
	if s == "" || s[0] != '[' && s[0] != '(' {
		return bad("Missing left parenthesis or bracket.")
	}
	r := &span{}
	r.lower.Inclusive = s[0] == '['
	i := 1
	lower, present, i, detail := rangeBound(s, i)
	if detail != "" {
		return bad(detail)
	}
	if present {
		v, err := Parse(d.Sub, lower, NoTypmod, env)
		if err != nil {
			return nil, err
		}
		r.lower.Value = v
	}
	if i >= len(s) || s[i] != ',' {
		return bad("Missing comma after lower bound.")
	}
	upper, present, i, detail := rangeBound(s, i+1)
	if detail != "" {
		return bad(detail)
	}
	if i >= len(s) || s[i] != ']' && s[i] != ')' {
		return bad("Too many commas.")
	}
	r.upper.Inclusive = s[i] == ']'
	if i+1 != len(s) {
		return bad("Junk after right parenthesis or bracket.")
	}
	if present {
		v, err := Parse(d.Sub, upper, NoTypmod, env)
		if err != nil {
			return nil, err
		}
		r.upper.Value = v
	}
	return r, r.normalize()
}

// rangeBound reads a bound from s[i:] up to its comma or closing bracket.
func rangeBound(s string, i int) (text string, present bool, next int, detail string) {
	if i < len(s) && (s[i] == ',' || s[i] == ')' || s[i] == ']') {
		return "", false, i, ""
	}
	var b strings.Builder
	quoted := false
	for ; ; i++ {
		switch {
		case i >= len(s):
			return "", false, i, "Unexpected end of input."
		case s[i] == '\\':
			if i++; i >= len(s) {
				return "", false, i, "Unexpected end of input."
			}
			b.WriteByte(s[i])
		case s[i] == '"' && !quoted:
			quoted = true
		case s[i] == '"' && i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		case s[i] == '"':
			quoted = false
		case !quoted && (s[i] == ',' || s[i] == ')' || s[i] == ']'):
			return b.String(), true, i, ""
		default:
			b.WriteByte(s[i])
		}
	}
}

// normalize checks the order of the bounds, finds the empty range, and gives
// ranges of integers and dates the form [a,b) (make_range and
// int4range_canonical, rangetypes.c).
func (r *span) normalize() error {
	if r.lower.Infinite() {
		r.lower.Inclusive = false
	}
	if r.upper.Infinite() {
		r.upper.Inclusive = false
	}
	if err := r.checkOrder(); err != nil || r.empty {
		return err
	}
	next := func(b *Bound) error {
		v := b.Value
		switch v.d.class() {
		case classInt:
			if limit := int64(1)<<(intBits(v.d.OID)-1) - 1; v.n == limit {
				return valueError(codeRange, "%s out of range", intName(v.d.OID))
			}
		case classDate:
			if v.n == DateInfinity || v.n == DateNegInfinity {
				return nil
			}
			if v.n+1 >= dateEnd {
				return valueError(codeDateOverflow, "date out of range")
			}
		default:
			return nil
		}
		b.Value.n++
		b.Inclusive = !b.Inclusive
		return nil
	}
	if !r.lower.Infinite() && !r.lower.Inclusive {
		if err := next(&r.lower); err != nil {
			return err
		}
	}
	if !r.upper.Infinite() && r.upper.Inclusive {
		if err := next(&r.upper); err != nil {
			return err
		}
	}
	return r.checkOrder()
}

func (r *span) checkOrder() error {
	if r.lower.Infinite() || r.upper.Infinite() {
		return nil
	}
	c, ok := Compare(r.lower.Value, r.upper.Value, r.lower.Value.d.Collation)
	if !ok {
		return nil
	}
	if c > 0 {
		return valueError(codeData, "range lower bound must be less than or equal to range upper bound")
	}
	if c == 0 && !(r.lower.Inclusive && r.upper.Inclusive) {
		*r = span{empty: true}
	}
	return nil
}

func (v Datum) formatRange(loc *time.Location) string {
	r := v.x.(*span)
	if r.empty {
		return "empty"
	}
	var b strings.Builder
	if r.lower.Inclusive {
		b.WriteByte('[')
	} else {
		b.WriteByte('(')
	}
	writeBound(&b, r.lower, loc)
	b.WriteByte(',')
	writeBound(&b, r.upper, loc)
	if r.upper.Inclusive {
		b.WriteByte(']')
	} else {
		b.WriteByte(')')
	}
	return b.String()
}

func writeBound(b *strings.Builder, x Bound, loc *time.Location) {
	if x.Infinite() {
		return
	}
	s := x.Value.Format(loc)
	quote := s == ""
	for i := range len(s) {
		quote = quote || strings.IndexByte(`"\()[],`, s[i]) >= 0 || isSpace(s[i])
	}
	if !quote {
		b.WriteString(s)
		return
	}
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte(s[i])
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}

// compareRange orders ranges: empty ones first, then by lower and upper bound
// (range_cmp, rangetypes.c).
func compareRange(a, b *span, coll OID) (int, bool) {
	switch {
	case a.empty && b.empty:
		return 0, true
	case a.empty:
		return -1, true
	case b.empty:
		return 1, true
	}
	if c, ok := compareBound(a.lower, b.lower, true, true, coll); c != 0 || !ok {
		return c, ok
	}
	return compareBound(a.upper, b.upper, false, false, coll)
}

// compareBound orders two bounds (range_cmp_bounds, rangetypes.c).
func compareBound(a, b Bound, aLower, bLower bool, coll OID) (int, bool) {
	end := func(lower bool) int {
		if lower {
			return -1
		}
		return 1
	}
	switch {
	case a.Infinite() && b.Infinite():
		return end(aLower) - end(bLower), true
	case a.Infinite():
		return end(aLower), true
	case b.Infinite():
		return -end(bLower), true
	}
	c, ok := Compare(a.Value, b.Value, coll)
	if c != 0 || !ok {
		return c, ok
	}
	// An exclusive lower bound lies behind the value, an exclusive upper before.
	place := func(x Bound, lower bool) int {
		if x.Inclusive {
			return 0
		}
		return -end(lower)
	}
	return place(a, aLower) - place(b, bLower), true
}
