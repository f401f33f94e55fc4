package pgtype

import (
	"math/big"
)

// Cmp orders a and b as numeric_cmp does: NaN equals itself and is greater than
// anything else.
func (n *Numeric) Cmp(b *Numeric) int {
	rank := func(x *Numeric) int {
		switch x.form {
		case numNegInf:
			return -1
		case numInf:
			return 1
		case numNaN:
			return 2
		}
		return 0
	}
	if ra, rb := rank(n), rank(b); ra != 0 || rb != 0 {
		return ra - rb
	}
	x, y := align(n, b)
	return x.Cmp(y)
}

// align returns the coefficients of a and b at the greater of their scales.
func align(a, b *Numeric) (*big.Int, *big.Int) {
	s := max(a.scale, b.scale)
	return a.Round(s).coef, b.Round(s).coef
}

// Neg returns -n.
func (n *Numeric) Neg() *Numeric {
	switch n.form {
	case numInf:
		return special(numNegInf)
	case numNegInf:
		return special(numInf)
	case numNaN:
		return n
	}
	return &Numeric{coef: new(big.Int).Neg(n.coef), scale: n.scale}
}

func checked(n *Numeric) (*Numeric, error) {
	if n.overflows() {
		return nil, valueError(codeRange, "value overflows numeric format")
	}
	return n, nil
}

// Add returns n + b with the greater scale (numeric_add).
func (n *Numeric) Add(b *Numeric) (*Numeric, error) {
	switch {
	case n.IsNaN() || b.IsNaN() || n.IsInf() && b.IsInf() && n.form != b.form:
		return special(numNaN), nil
	case n.IsInf():
		return n, nil
	case b.IsInf():
		return b, nil
	}
	x, y := align(n, b)
	return checked(&Numeric{coef: new(big.Int).Add(x, y), scale: max(n.scale, b.scale)})
}

// Sub returns n - b with the greater scale (numeric_sub).
func (n *Numeric) Sub(b *Numeric) (*Numeric, error) { return n.Add(b.Neg()) }

// Mul returns n × b with the sum of the scales, at most 16383 (numeric_mul).
func (n *Numeric) Mul(b *Numeric) (*Numeric, error) {
	if n.IsNaN() || b.IsNaN() {
		return special(numNaN), nil
	}
	if n.IsInf() || b.IsInf() {
		return infinite(n.Sign() * b.Sign()), nil
	}
	r := &Numeric{coef: new(big.Int).Mul(n.coef, b.coef), scale: n.scale + b.scale}
	if r.scale > numMaxScale {
		r = r.Round(numMaxScale)
	}
	return checked(r)
}

// infinite returns the infinity with a sign, NaN for 0.
func infinite(sign int) *Numeric {
	switch {
	case sign > 0:
		return special(numInf)
	case sign < 0:
		return special(numNegInf)
	}
	return special(numNaN)
}

// divisionByZero is the server's error for x / 0.
func divisionByZero() error { return valueError("22012", "division by zero") }

// Div returns n / b, with at least 16 significant digits and no fewer digits
// after the point than either has (numeric_div, select_div_scale; numeric.c).
func (n *Numeric) Div(b *Numeric) (*Numeric, error) {
	switch {
	case n.IsNaN() || b.IsNaN():
		return special(numNaN), nil
	case n.IsInf() && b.IsInf():
		return special(numNaN), nil
	case n.IsInf():
		if b.Sign() == 0 {
			return nil, divisionByZero()
		}
		return infinite(n.Sign() * b.Sign()), nil
	case b.IsInf():
		return NumericFromInt(0), nil
	case b.Sign() == 0:
		return nil, divisionByZero()
	}
	scale := divScale(n, b)
	// n.coef/10^n.scale ÷ b.coef/10^b.scale × 10^scale, in integers.
	num, den := new(big.Int).Set(n.coef), new(big.Int).Set(b.coef)
	if e := scale + b.scale - n.scale; e >= 0 {
		num.Mul(num, pow10(e))
	} else {
		den.Mul(den, pow10(-e))
	}
	return checked(&Numeric{coef: divRound(num, den), scale: scale})
}

// Mod returns the remainder of n / b truncated, with the greater scale
// (numeric_mod).
func (n *Numeric) Mod(b *Numeric) (*Numeric, error) {
	switch {
	case n.IsNaN() || b.IsNaN():
		return special(numNaN), nil
	case n.IsInf():
		if b.Sign() == 0 {
			return nil, divisionByZero()
		}
		return special(numNaN), nil
	case b.IsInf():
		return n, nil
	case b.Sign() == 0:
		return nil, divisionByZero()
	}
	x, y := align(n, b)
	return checked(&Numeric{coef: new(big.Int).Rem(x, y), scale: max(n.scale, b.scale)})
}

// weight returns the power of 10000 of the first of the server's digits, and
// that digit; 0, 0 for zero.
func (n *Numeric) weight() (int, int64) {
	if n.coef.Sign() == 0 {
		return 0, 0
	}
	s := new(big.Int).Abs(n.coef).String()
	whole := len(s) - n.scale // digits before the point, negative behind it
	w := floorDiv(whole-1, numDigitsGroup)
	first := whole - w*numDigitsGroup // decimal digits in the first group, 1 to 4
	v := int64(0)
	for i := range first {
		v *= 10
		if i < len(s) {
			v += int64(s[i] - '0')
		}
	}
	return w, v
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func divScale(a, b *Numeric) int {
	w1, f1 := a.weight()
	w2, f2 := b.weight()
	q := w1 - w2
	if f1 <= f2 {
		q--
	}
	return min(max(numMinSig-q*numDigitsGroup, a.scale, b.scale, 0), numMaxDisplay)
}
