package pgtype

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Numeric is a decimal with a display scale, or NaN or an infinity. It is
// immutable.
type Numeric struct {
	form  numForm
	coef  *big.Int // value × 10^scale
	scale int      // digits after the point, as displayed
}

type numForm uint8

const (
	numFinite numForm = iota
	numNaN
	numInf
	numNegInf
)

// Limits of numeric (NUMERIC_WEIGHT_MAX, NUMERIC_DSCALE_MAX and others,
// utils/numeric.h and numeric.c).
const (
	numMaxWhole    = 131072 // digits before the point
	numMaxScale    = 16383
	numMinSig      = 16
	numMaxDisplay  = 1000
	numDigitsGroup = 4 // decimal digits in one of the server's digits
)

func special(f numForm) *Numeric { return &Numeric{form: f, coef: new(big.Int)} }

// NumericFromInt returns n with scale 0.
func NumericFromInt(n int64) *Numeric { return &Numeric{coef: big.NewInt(n)} }

// IsNaN reports whether n is NaN.
func (n *Numeric) IsNaN() bool { return n.form == numNaN }

// IsInf reports whether n is infinite.
func (n *Numeric) IsInf() bool { return n.form == numInf || n.form == numNegInf }

// Sign returns -1, 0 or 1; 0 for NaN.
func (n *Numeric) Sign() int {
	switch n.form {
	case numNaN:
		return 0
	case numInf:
		return 1
	case numNegInf:
		return -1
	}
	return n.coef.Sign()
}

// Scale returns the number of digits after the point, as displayed.
func (n *Numeric) Scale() int { return n.scale }

// String returns n as numeric_out prints it.
func (n *Numeric) String() string {
	switch n.form {
	case numNaN:
		return "NaN"
	case numInf:
		return "Infinity"
	case numNegInf:
		return "-Infinity"
	}
	s := n.coef.String()
	if n.scale == 0 {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if len(s) <= n.scale {
		s = strings.Repeat("0", n.scale-len(s)+1) + s
	}
	return sign + s[:len(s)-n.scale] + "." + s[len(s)-n.scale:]
}

// Float returns the nearest float8, as numeric_float8 does.
func (n *Numeric) Float() float64 {
	switch n.form {
	case numNaN:
		return math.NaN()
	case numInf:
		return math.Inf(1)
	case numNegInf:
		return math.Inf(-1)
	}
	f, _ := strconv.ParseFloat(n.String(), 64)
	return f
}

// Int returns n rounded half away from zero, and whether it fits.
func (n *Numeric) Int() (int64, bool) {
	if n.form != numFinite {
		return 0, false
	}
	r := n.Round(0)
	return r.coef.Int64(), r.coef.IsInt64()
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// Round returns n with the given scale, half away from zero. A negative scale
// rounds before the point; the result then has scale 0 (round_var, numeric.c).
func (n *Numeric) Round(scale int) *Numeric {
	if n.form != numFinite || scale == n.scale {
		return n
	}
	if scale > n.scale {
		return &Numeric{coef: new(big.Int).Mul(n.coef, pow10(scale-n.scale)), scale: scale}
	}
	c := divRound(n.coef, pow10(n.scale-scale))
	if scale < 0 {
		return &Numeric{coef: c.Mul(c, pow10(-scale))}
	}
	return &Numeric{coef: c, scale: scale}
}

// divRound returns a/b rounded half away from zero; b is positive or negative.
func divRound(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(b) >= 0 {
		if a.Sign()*b.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// overflows reports whether n is beyond what the type can hold (make_result_opt_error,
// numeric.c).
func (n *Numeric) overflows() bool {
	if n.form != numFinite {
		return false
	}
	if n.scale > numMaxScale {
		return true
	}
	// 2^(3.32·k) > 10^k: only long numbers need their digits counted.
	if n.coef.BitLen() < 3*numMaxWhole {
		return false
	}
	digits := len(new(big.Int).Abs(n.coef).String())
	return digits-n.scale > numMaxWhole
}

// ParseNumeric reads a numeric as numeric_in does. major decides whether 0x, 0o,
// 0b and underscores are read (from 16 on).
func ParseNumeric(text string, major int) (*Numeric, error) {
	s := trimSpace(text)
	bad := func() (*Numeric, error) { return nil, syntaxError("numeric", text) }
	over := func() (*Numeric, error) {
		return nil, valueError(codeRange, "value overflows numeric format")
	}
	if s == "" {
		return bad()
	}
	if strings.EqualFold(s, "nan") {
		return special(numNaN), nil
	}
	neg := false
	body := s
	if body[0] == '+' || body[0] == '-' {
		neg, body = body[0] == '-', body[1:]
	}
	if strings.EqualFold(body, "inf") || strings.EqualFold(body, "infinity") {
		if neg {
			return special(numNegInf), nil
		}
		return special(numInf), nil
	}
	if major >= 16 && len(body) > 1 && body[0] == '0' {
		if radix := radixOf(body[1]); radix != 0 {
			digits, ok := underscored(body[2:], radix)
			if !ok {
				return bad()
			}
			c, ok := new(big.Int).SetString(digits, radix)
			if !ok {
				return bad()
			}
			if neg {
				c.Neg(c)
			}
			n := &Numeric{coef: c}
			if n.overflows() {
				return over()
			}
			return n, nil
		}
	}
	mantissa, exp, ok := splitDecimal(body, major >= 16)
	if !ok {
		return bad()
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	e := 0
	if exp != "" {
		v, err := strconv.Atoi(exp)
		if err != nil || v >= math.MaxInt32/2 || v <= -math.MaxInt32/2 {
			return over()
		}
		e = v
	}
	digits := strings.TrimLeft(whole+frac, "0")
	scale := len(frac) - e
	if digits == "" {
		n := &Numeric{coef: new(big.Int), scale: max(scale, 0)}
		if n.overflows() {
			return over()
		}
		return n, nil
	}
	if scale > numMaxScale || len(digits)-scale > numMaxWhole {
		return over()
	}
	c, _ := new(big.Int).SetString(digits, 10)
	if scale < 0 {
		c.Mul(c, pow10(-scale))
		scale = 0
	}
	if neg {
		c.Neg(c)
	}
	return &Numeric{coef: c, scale: scale}, nil
}

func radixOf(b byte) int {
	switch b {
	case 'x', 'X':
		return 16
	case 'o', 'O':
		return 8
	case 'b', 'B':
		return 2
	}
	return 0
}

// underscored returns digits of a radix without the single underscores between
// and before them; false if anything else is in s.
func underscored(s string, radix int) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '_' {
			if i+1 == len(s) || s[i+1] == '_' {
				return "", false
			}
			continue
		}
		if digitValue(s[i]) >= radix {
			return "", false
		}
		b.WriteByte(s[i])
	}
	return b.String(), b.Len() > 0
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 99
}

// splitDecimal cuts an unsigned decimal number into its mantissa (digits with at
// most one point) and exponent (with sign, "" for none). Underscores are dropped
// where they stand between digits.
func splitDecimal(s string, underscores bool) (mantissa, exp string, ok bool) {
	var b strings.Builder
	digits, point := false, false
	i := 0
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case isDigit(c):
			digits = true
		case c == '.' && !point:
			point = true
		case c == '_' && underscores && i > 0 && isDigit(s[i-1]) && i+1 < len(s) && isDigit(s[i+1]):
			continue
		case (c == 'e' || c == 'E') && digits:
			exp, ok = exponent(s[i+1:], underscores)
			return b.String(), exp, ok
		default:
			return "", "", false
		}
		b.WriteByte(c)
	}
	return b.String(), "", digits
}

func exponent(s string, underscores bool) (string, bool) {
	sign := ""
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = "-"
		}
		s = s[1:]
	}
	if s == "" || !isDigit(s[0]) {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '_' && underscores && i+1 < len(s) && isDigit(s[i+1]) {
			continue
		}
		if !isDigit(s[i]) {
			return "", false
		}
		b.WriteByte(s[i])
	}
	return sign + b.String(), true
}

// applyTypmod rounds n to a numeric(p, s) and checks that it fits
// (apply_typmod, numeric.c).
func (n *Numeric) applyTypmod(mod Typmod) (*Numeric, error) {
	if mod < 4 || n.form == numNaN {
		return n, nil
	}
	precision := int(mod-4) >> 16 & 0xffff
	scale := (int(mod-4)&0x7ff ^ 1024) - 1024
	overflow := func() error {
		detail := "A field with precision " + strconv.Itoa(precision) + ", scale " + strconv.Itoa(scale)
		if n.IsInf() {
			detail += " cannot hold an infinite value."
		} else {
			limit := "1"
			if precision != scale {
				limit = "10^" + strconv.Itoa(precision-scale)
			}
			detail += " must round to an absolute value less than " + limit + "."
		}
		return &ValueError{Code: codeRange, Message: "numeric field overflow", Detail: detail}
	}
	if n.IsInf() {
		return nil, overflow()
	}
	r := n.Round(scale)
	limit := pow10(max(precision-scale+r.scale, 0))
	if r.coef.Sign() != 0 && r.coef.CmpAbs(limit) >= 0 {
		return nil, overflow()
	}
	return r, nil
}
