package analyze

import (
	"math/big"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func (a *analyzer) constOf(t pgtype.OID, value string) *query.Const {
	ty := a.typ(t)
	c := &query.Const{Value: value, Len: ty.Len, ByVal: ty.ByVal}
	c.Typ, c.Mod, c.Coll = t, -1, ty.Collation
	return c
}

func (a *analyzer) boolConst(v bool) *query.Const {
	if v {
		return a.constOf(pgtype.BoolOID, "t")
	}
	return a.constOf(pgtype.BoolOID, "f")
}

func (a *analyzer) nullConst(t pgtype.OID) *query.Const {
	c := a.constOf(t, "")
	c.Null = true
	return c
}

// constant makes the Const for a literal (make_const, parse_node.c).
func (a *analyzer) constant(n *pg.A_Const) *query.Const {
	loc := int(n.Location)
	var c *query.Const
	switch v := n.Val.(type) {
	case *pg.A_Const_Ival:
		c = a.constOf(pgtype.Int4OID, strconv.Itoa(int(v.Ival.Ival)))
	case *pg.A_Const_Fval:
		c = a.numberConst(v.Fval.Fval)
	case *pg.A_Const_Boolval:
		c = a.boolConst(v.Boolval.Boolval)
	case *pg.A_Const_Bsval:
		c = a.constOf(pgtype.BitOID, a.bitString(v.Bsval.Bsval, loc))
	case *pg.A_Const_Sval:
		c = a.constOf(pgtype.UnknownOID, v.Sval.Sval)
	default:
		c = a.nullConst(pgtype.UnknownOID)
	}
	c.Loc = a.span(loc)
	return c
}

// numberConst types a number that the scanner did not take for an int4.
func (a *analyzer) numberConst(text string) *query.Const {
	clean := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(clean, 0, 64); err == nil && !octalLike(clean) {
		return a.integerConst(i)
	}
	if i, err := strconv.ParseInt(clean, 10, 64); err == nil {
		return a.integerConst(i)
	}
	if i, ok := new(big.Int).SetString(clean, 0); ok && !octalLike(clean) {
		return a.constOf(pgtype.NumericOID, i.String())
	}
	out, _ := numericOut(clean)
	return a.constOf(pgtype.NumericOID, out)
}

// octalLike reports a leading zero, which means nothing in SQL.
func octalLike(s string) bool { return len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' }

func (a *analyzer) integerConst(i int64) *query.Const {
	if i == int64(int32(i)) {
		return a.constOf(pgtype.Int4OID, strconv.FormatInt(i, 10))
	}
	return a.constOf(pgtype.Int8OID, strconv.FormatInt(i, 10))
}

// bitString expands b'…' and x'…' (bit_in, varbit.c).
func (a *analyzer) bitString(text string, loc int) string {
	if text == "" {
		return ""
	}
	digits := text[1:]
	if text[0] == 'b' || text[0] == 'B' {
		if i := strings.IndexFunc(digits, func(r rune) bool { return r != '0' && r != '1' }); i >= 0 {
			a.fail(errInvalidText, loc, "\"%c\" is not a valid binary digit", []rune(digits[i:])[0])
		}
		return digits
	}
	var b strings.Builder
	for _, r := range digits {
		v, err := strconv.ParseUint(string(r), 16, 8)
		if err != nil {
			a.fail(errInvalidText, loc, "\"%c\" is not a valid hexadecimal digit", r)
		}
		s := strconv.FormatUint(v, 2)
		b.WriteString(strings.Repeat("0", 4-len(s)) + s)
	}
	return b.String()
}

// numericOut prints a decimal number as numeric's output function does: no
// exponent, one digit before the point, the scale as written (numeric_in and
// numeric_out, numeric.c).
func numericOut(text string) (string, bool) {
	s := strings.TrimSpace(text)
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = "-"
		}
		s = s[1:]
	}
	switch strings.ToLower(s) {
	case "nan":
		return "NaN", sign == ""
	case "inf", "infinity":
		return sign + "Infinity", true
	}
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e > 16383 || e < -16383 {
			return text, false
		}
		exp, s = e, s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" && frac == "" || strings.Trim(whole+frac, "0123456789") != "" {
		return text, false
	}
	digits := whole + frac
	point := len(whole) + exp
	if point <= 0 {
		digits = strings.Repeat("0", 1-point) + digits
		point = 1
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, frac = strings.TrimLeft(digits[:point], "0"), digits[point:]
	if whole == "" {
		whole = "0"
	}
	if strings.Trim(whole+frac, "0") == "" {
		sign = ""
	}
	if frac != "" {
		frac = "." + frac
	}
	return sign + whole + frac, true
}
