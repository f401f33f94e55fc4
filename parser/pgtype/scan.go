package pgtype

import (
	"math"
	"strconv"
	"strings"
)

// Characters are classed as isspace, isdigit and isalpha of the C locale do.

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func trimSpace(s string) string {
	return strings.Trim(s, " \t\n\v\f\r")
}

// parseInt reads an integer of the given number of bits as pg_strtoint16, 32 and
// 64 do (numutils.c): from PostgreSQL 16 on with 0x, 0o, 0b and underscores.
func parseInt(typ, text string, bits, major int) (int64, error) {
	s := trimSpace(text)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	radix := 10
	if major >= 16 {
		if len(s) > 1 && s[0] == '0' && radixOf(s[1]) != 0 {
			radix, s = radixOf(s[1]), s[2:]
		} else if strings.HasPrefix(s, "_") {
			return 0, syntaxError(typ, text)
		}
		digits, ok := underscored(s, radix)
		if !ok {
			return 0, syntaxError(typ, text)
		}
		s = digits
	}
	if s == "" {
		return 0, syntaxError(typ, text)
	}
	for i := range len(s) {
		if digitValue(s[i]) >= radix {
			return 0, syntaxError(typ, text)
		}
	}
	u, err := strconv.ParseUint(s, radix, 64)
	limit := uint64(1) << (bits - 1)
	if !neg {
		limit--
	}
	if err != nil || u > limit {
		return 0, rangeError(typ, text)
	}
	if neg {
		return -int64(u), nil
	}
	return int64(u), nil
}

// parseOID reads an oid as uint32in_subr does (numutils.c): a negative number
// wraps around.
func parseOID(text string, major int) (int64, error) {
	s := trimSpace(text)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg, s = s[0] == '-', s[1:]
	}
	radix := 10
	if major >= 16 && len(s) > 1 && s[0] == '0' {
		switch {
		case radixOf(s[1]) == 16 && len(s) > 2:
			radix, s = 16, s[2:]
		default:
			radix, s = 8, s[1:]
		}
	}
	if s == "" {
		return 0, syntaxError("oid", text)
	}
	for i := range len(s) {
		if digitValue(s[i]) >= radix {
			return 0, syntaxError("oid", text)
		}
	}
	u, err := strconv.ParseUint(s, radix, 64)
	if err != nil {
		return 0, rangeError("oid", text)
	}
	if neg {
		u = -u
	}
	// What fits 32 bits with or without a sign is taken.
	if u != uint64(uint32(u)) && u != uint64(int64(int32(u))) {
		return 0, rangeError("oid", text)
	}
	return int64(uint32(u)), nil
}

// parseFloat reads a float as float8in_internal and float4in_internal do
// (float.c), which means what strtod takes, without overflow and underflow.
func parseFloat(typ, text string, bits int) (float64, error) {
	s := trimSpace(text)
	body := strings.TrimLeft(s, "+-")
	if len(s)-len(body) > 1 || body == "" {
		return 0, syntaxError(typ, text)
	}
	neg := s[0] == '-'
	sign := 1.0
	if neg {
		sign = -1
	}
	switch strings.ToLower(body) {
	case "nan":
		return math.NaN(), nil
	case "inf", "infinity":
		return math.Inf(int(sign)), nil
	}
	literal, zero := body, false
	if len(body) > 2 && body[0] == '0' && radixOf(body[1]) == 16 {
		if strings.ContainsAny(body, "_") {
			return 0, syntaxError(typ, text)
		}
		if !strings.ContainsAny(body, "pP") {
			literal += "p0"
		}
		mantissa, _, _ := strings.Cut(strings.ToLower(body[2:]), "p")
		zero = strings.Trim(mantissa, "0.") == ""
	} else {
		mantissa, _, ok := splitDecimal(body, false)
		if !ok {
			return 0, syntaxError(typ, text)
		}
		zero = strings.Trim(mantissa, "0.") == ""
	}
	f, err := strconv.ParseFloat(literal, bits)
	if ne, ok := err.(*strconv.NumError); ok && ne.Err == strconv.ErrSyntax { //nolint:errorlint // strconv's own
		return 0, syntaxError(typ, text)
	}
	if math.IsInf(f, 0) || f == 0 && !zero {
		return 0, valueError(codeRange, "\"%s\" is out of range for type %s", s, typ)
	}
	return math.Copysign(f, sign), nil
}

// formatFloat prints a float as float8out and float4out do with the shortest
// digits that read back (extra_float_digits 1; d2s.c, f2s.c): with an exponent
// from 10^15, or 10^6 for float4, on and below 10^-4.
func formatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0"
		}
		return "0"
	}
	e := strconv.FormatFloat(f, 'e', -1, bits)
	exp, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	limit := 15
	if bits == 32 {
		limit = 6
	}
	if exp >= -4 && exp < limit {
		return strconv.FormatFloat(f, 'f', -1, bits)
	}
	return e
}

// parseBool reads a boolean: a unique beginning of true, false, yes, no, on or
// off, or 1 or 0 (parse_bool_with_len, bool.c).
func parseBool(text string) (bool, error) {
	s := strings.ToLower(trimSpace(text))
	switch {
	case s == "":
	case strings.HasPrefix("true", s), strings.HasPrefix("yes", s), s == "on", s == "1":
		return true, nil
	case strings.HasPrefix("false", s), strings.HasPrefix("no", s), s == "of", s == "off", s == "0":
		return false, nil
	}
	return false, syntaxError("boolean", text)
}
