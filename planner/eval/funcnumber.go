package eval

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// none is the result of a call that is not evaluated.
func none() (pgtype.Datum, bool) { return pgtype.Datum{}, false }

// integer makes an integer of the call's result type; out of range is an error
// on the server.
func (c *call) integer(n *big.Int) (pgtype.Datum, bool) {
	bits := map[pgtype.OID]int{pgtype.Int2OID: 15, pgtype.Int4OID: 31, pgtype.Int8OID: 63}[c.fn.Result]
	if bits == 0 || !n.IsInt64() {
		return none()
	}
	v := n.Int64()
	if limit := int64(1)<<bits - 1; v > limit || v < -limit-1 {
		return none()
	}
	return pgtype.NewInt(c.fn.Result, v), true
}

func (c *call) big(i int) *big.Int { return big.NewInt(c.args[i].Int()) }

func integerFunctions() map[string]impl {
	t := map[string]impl{}
	binary := func(fn func(r, a, b *big.Int) *big.Int, division bool) impl {
		return func(c *call) (pgtype.Datum, bool) {
			b := c.big(1)
			if division && b.Sign() == 0 {
				return none()
			}
			return c.integer(fn(new(big.Int), c.big(0), b))
		}
	}
	for _, p := range []string{"int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84"} {
		t[p+"pl"] = binary((*big.Int).Add, false)
		t[p+"mi"] = binary((*big.Int).Sub, false)
		t[p+"mul"] = binary((*big.Int).Mul, false)
		t[p+"div"] = binary((*big.Int).Quo, true)
	}
	for _, p := range []string{"int2", "int4", "int8"} {
		t[p+"mod"] = binary((*big.Int).Rem, true)
		t[p+"and"] = binary((*big.Int).And, false)
		t[p+"or"] = binary((*big.Int).Or, false)
		t[p+"xor"] = binary((*big.Int).Xor, false)
		t[p+"um"] = func(c *call) (pgtype.Datum, bool) { return c.integer(new(big.Int).Neg(c.big(0))) }
		t[p+"up"] = func(c *call) (pgtype.Datum, bool) { return c.args[0], true }
		t[p+"abs"] = func(c *call) (pgtype.Datum, bool) { return c.integer(new(big.Int).Abs(c.big(0))) }
	}
	return t
}

// float makes a float of the call's result type. A result that overflows from
// finite arguments, or vanishes, is an error on the server.
func (c *call) float(f float64, vanish bool) (pgtype.Datum, bool) {
	if c.fn.Result == pgtype.Float4OID {
		g := float64(float32(f))
		if math.IsInf(g, 0) && !math.IsInf(f, 0) || g == 0 && f != 0 {
			return none()
		}
		f = g
	}
	inf := false
	for _, a := range c.args {
		inf = inf || math.IsInf(a.Float(), 0)
	}
	if math.IsInf(f, 0) && !inf || f == 0 && vanish {
		return none()
	}
	return pgtype.NewFloat(c.fn.Result, f), true
}

func floatFunctions() map[string]impl {
	t := map[string]impl{}
	for _, p := range []string{"float4", "float8", "float48", "float84"} {
		t[p+"pl"] = func(c *call) (pgtype.Datum, bool) { return c.float(c.args[0].Float()+c.args[1].Float(), false) }
		t[p+"mi"] = func(c *call) (pgtype.Datum, bool) { return c.float(c.args[0].Float()-c.args[1].Float(), false) }
		t[p+"mul"] = func(c *call) (pgtype.Datum, bool) {
			a, b := c.args[0].Float(), c.args[1].Float()
			return c.float(a*b, a != 0 && b != 0)
		}
		t[p+"div"] = func(c *call) (pgtype.Datum, bool) {
			a, b := c.args[0].Float(), c.args[1].Float()
			if b == 0 && !math.IsNaN(a) {
				return none()
			}
			return c.float(a/b, a != 0 && !math.IsInf(b, 0))
		}
	}
	unary := func(fn func(float64) float64) impl {
		return func(c *call) (pgtype.Datum, bool) {
			return pgtype.NewFloat(c.fn.Result, fn(c.args[0].Float())), true
		}
	}
	for _, p := range []string{"float4", "float8"} {
		t[p+"um"] = unary(func(f float64) float64 { return -f })
		t[p+"abs"] = unary(math.Abs)
	}
	// Powers of whole numbers that a float holds are certain to the last bit.
	t["dpow"] = func(c *call) (pgtype.Datum, bool) {
		a, b := c.args[0].Float(), c.args[1].Float()
		r := math.Pow(a, b)
		if a != math.Trunc(a) || b != math.Trunc(b) || b < 0 || math.IsNaN(r) || math.Abs(r) >= 1<<53 {
			return none()
		}
		return pgtype.NewFloat(pgtype.Float8OID, r), true
	}
	t["dround"], t["dceil"], t["dfloor"], t["dtrunc"] = unary(math.RoundToEven), unary(math.Ceil), unary(math.Floor), unary(math.Trunc)
	return t
}

func numericFunctions() map[string]impl {
	binary := func(fn func(a, b *pgtype.Numeric) (*pgtype.Numeric, error)) impl {
		return func(c *call) (pgtype.Datum, bool) {
			n, err := fn(c.args[0].Numeric(), c.args[1].Numeric())
			if err != nil {
				return none()
			}
			return pgtype.NewNumeric(n), true
		}
	}
	toInteger := func(up int) impl {
		return func(c *call) (pgtype.Datum, bool) {
			n := c.args[0].Numeric()
			cut, ok := c.cut(n, 0)
			if !ok {
				return none()
			}
			// Cutting goes towards zero.
			if n.Sign() == up && n.Cmp(cut) != 0 {
				more, err := cut.Add(pgtype.NumericFromInt(int64(up)))
				return pgtype.NewNumeric(more), err == nil
			}
			return pgtype.NewNumeric(cut), true
		}
	}
	return map[string]impl{
		"numeric_ceil":  toInteger(1),
		"numeric_floor": toInteger(-1),
		"numeric_trunc": func(c *call) (pgtype.Datum, bool) {
			n, ok := c.cut(c.args[0].Numeric(), c.arg(1))
			return pgtype.NewNumeric(n), ok
		},
		"numeric_add":    binary((*pgtype.Numeric).Add),
		"numeric_sub":    binary((*pgtype.Numeric).Sub),
		"numeric_mul":    binary((*pgtype.Numeric).Mul),
		"numeric_div":    binary((*pgtype.Numeric).Div),
		"numeric_mod":    binary((*pgtype.Numeric).Mod),
		"numeric_uminus": func(c *call) (pgtype.Datum, bool) { return pgtype.NewNumeric(c.args[0].Numeric().Neg()), true },
		"numeric_uplus":  func(c *call) (pgtype.Datum, bool) { return c.args[0], true },
		"numeric_abs": func(c *call) (pgtype.Datum, bool) {
			if n := c.args[0].Numeric(); n.Sign() < 0 {
				return pgtype.NewNumeric(n.Neg()), true
			}
			return c.args[0], true
		},
		"numeric_round": func(c *call) (pgtype.Datum, bool) {
			scale, n := c.args[1].Int(), c.args[0].Numeric()
			if scale < 0 || scale > 1000 || n.IsNaN() || n.IsInf() {
				return none()
			}
			return pgtype.NewNumeric(n.Round(int(scale))), true
		},
	}
}

// cut drops the decimals behind a scale.
func (c *call) cut(n *pgtype.Numeric, scale int) (*pgtype.Numeric, bool) {
	if n.IsNaN() || n.IsInf() || scale < 0 || scale > 1000 {
		return nil, false
	}
	if n.Scale() <= scale {
		return n.Round(scale), true
	}
	text := n.String()
	text = text[:len(text)-(n.Scale()-scale)]
	r, err := pgtype.ParseNumeric(strings.TrimSuffix(text, "."), c.f.g.VersionNum/10000)
	return r, err == nil
}

func castFunctions() map[string]impl {
	t := map[string]impl{}
	toInt := func(c *call) (pgtype.Datum, bool) { return c.integer(c.big(0)) }
	for _, name := range []string{"i2toi4", "i4toi2", "int28", "int82", "int48", "int84"} {
		t[name] = toInt
	}
	toFloat := func(c *call) (pgtype.Datum, bool) { return c.float(c.args[0].Float(), false) }
	for _, name := range []string{"i2tod", "i4tod", "i8tod", "i2tof", "i4tof", "i8tof", "ftod", "dtof", "numeric_float4", "numeric_float8"} {
		t[name] = toFloat
	}
	rint := func(c *call) (pgtype.Datum, bool) {
		f := math.RoundToEven(c.args[0].Float())
		if math.IsNaN(f) || math.Abs(f) >= 1<<63 {
			return none()
		}
		return c.integer(big.NewInt(int64(f)))
	}
	for _, name := range []string{"dtoi2", "dtoi4", "dtoi8", "ftoi2", "ftoi4", "ftoi8"} {
		t[name] = rint
	}
	toNumeric := func(c *call) (pgtype.Datum, bool) { return pgtype.NewNumeric(c.args[0].Numeric()), true }
	t["int2_numeric"], t["int4_numeric"], t["int8_numeric"] = toNumeric, toNumeric, toNumeric
	fromNumeric := func(c *call) (pgtype.Datum, bool) {
		n := c.args[0].Numeric()
		if n.IsNaN() || n.IsInf() {
			return none()
		}
		i, ok := n.Round(0).Int()
		if !ok {
			return none()
		}
		return c.integer(big.NewInt(i))
	}
	t["numeric_int2"], t["numeric_int4"], t["numeric_int8"] = fromNumeric, fromNumeric, fromNumeric
	// Floats become numeric by their certain digits (float8_numeric, numeric.c).
	digits := func(n int) impl {
		return func(c *call) (pgtype.Datum, bool) {
			return c.parse(pgtype.NumericOID, strconv.FormatFloat(c.args[0].Float(), 'g', n, 64), pgtype.NoTypmod)
		}
	}
	t["float4_numeric"], t["float8_numeric"] = digits(6), digits(15)
	t["bool_int4"] = func(c *call) (pgtype.Datum, bool) { return pgtype.NewInt(pgtype.Int4OID, c.args[0].Int()), true }
	t["int4_bool"] = func(c *call) (pgtype.Datum, bool) { return pgtype.NewBool(c.args[0].Int() != 0), true }
	t["booltext"] = func(c *call) (pgtype.Datum, bool) {
		return pgtype.NewText(pgtype.TextOID, strconv.FormatBool(c.args[0].Bool())), true
	}
	// Length and precision coercions read the value again.
	for _, name := range []string{"numeric", "timestamp_scale", "timestamptz_scale", "time_scale", "timetz_scale", "interval_scale"} {
		t[name] = func(c *call) (pgtype.Datum, bool) {
			env, mod := c.f.environment(), c.args[1].Int()
			switch {
			case name == "numeric":
			case name == "interval_scale" && mod>>16 == 0, name != "interval_scale" && (mod < 0 || mod > 6):
				return none()
			}
			return c.parse(c.fn.Result, c.args[0].Format(env.Location), pgtype.Typmod(mod))
		}
	}
	return t
}

// parse reads a text as a value of a built-in type.
func (c *call) parse(typ pgtype.OID, text string, mod pgtype.Typmod) (pgtype.Datum, bool) {
	d := DescOf(c.f.cat, typ)
	if d == nil || !d.Known() {
		return none()
	}
	v, err := pgtype.Parse(d, text, mod, c.f.environment())
	return v, err == nil
}
