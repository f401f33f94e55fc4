package eval

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dbgen/dbgen/parser/pgtype"
)

func text(s string) (pgtype.Datum, bool) { return pgtype.NewText(pgtype.TextOID, s), true }

func int4(n int) (pgtype.Datum, bool) { return pgtype.NewInt(pgtype.Int4OID, int64(n)), true }

func (c *call) text(i int) string { return c.args[i].Text() }

// arg is an integer argument as an int, which every int4 fits.
func (c *call) arg(i int) int { return int(c.args[i].Int()) }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func textFunctions() map[string]impl {
	// Letters beyond ASCII change case by the collation's locale.
	fold := func(fn func(string) string) impl {
		return func(c *call) (pgtype.Datum, bool) {
			if !ascii(c.text(0)) {
				return none()
			}
			return text(fn(c.text(0)))
		}
	}
	trim := func(fn func(s, set string) string) (one, two impl) {
		return func(c *call) (pgtype.Datum, bool) { return text(fn(c.text(0), " ")) },
			func(c *call) (pgtype.Datum, bool) { return text(fn(c.text(0), c.text(1))) }
	}
	t := map[string]impl{
		"lower": fold(strings.ToLower), "upper": fold(strings.ToUpper),
		"textcat":      func(c *call) (pgtype.Datum, bool) { return text(c.text(0) + c.text(1)) },
		"textlen":      func(c *call) (pgtype.Datum, bool) { return int4(utf8.RuneCountInString(c.text(0))) },
		"textoctetlen": func(c *call) (pgtype.Datum, bool) { return int4(len(c.text(0))) },
		"bpcharlen": func(c *call) (pgtype.Datum, bool) {
			return int4(utf8.RuneCountInString(strings.TrimRight(c.text(0), " ")))
		},
		"text_substr":        func(c *call) (pgtype.Datum, bool) { return substring(c.text(0), c.arg(1), c.arg(2), true) },
		"text_substr_no_len": func(c *call) (pgtype.Datum, bool) { return substring(c.text(0), c.arg(1), 0, false) },
		"replace_text": func(c *call) (pgtype.Datum, bool) {
			if c.text(1) == "" {
				return c.args[0], true
			}
			return text(strings.ReplaceAll(c.text(0), c.text(1), c.text(2)))
		},
		"text_left":    func(c *call) (pgtype.Datum, bool) { return side(c.text(0), c.arg(1), true) },
		"text_right":   func(c *call) (pgtype.Datum, bool) { return side(c.text(0), c.arg(1), false) },
		"text_reverse": func(c *call) (pgtype.Datum, bool) { return reverse(c.text(0)) },
		"repeat": func(c *call) (pgtype.Datum, bool) {
			n := max(c.arg(1), 0)
			if n > 0 && len(c.text(0)) > 1<<20/n {
				return none()
			}
			return text(strings.Repeat(c.text(0), n))
		},
		"textpos": func(c *call) (pgtype.Datum, bool) {
			i := strings.Index(c.text(0), c.text(1))
			if i < 0 {
				return int4(0)
			}
			return int4(utf8.RuneCountInString(c.text(0)[:i]) + 1)
		},
		"text_starts_with": func(c *call) (pgtype.Datum, bool) {
			return pgtype.NewBool(strings.HasPrefix(c.text(0), c.text(1))), true
		},
		"md5_text": func(c *call) (pgtype.Datum, bool) {
			sum := md5.Sum([]byte(c.text(0)))
			return text(hex.EncodeToString(sum[:]))
		},
		"to_hex32": func(c *call) (pgtype.Datum, bool) {
			return text(strconv.FormatUint(uint64(uint32(c.args[0].Int())), 16))
		},
		"to_hex64":  func(c *call) (pgtype.Datum, bool) { return text(strconv.FormatUint(uint64(c.args[0].Int()), 16)) },
		"name_text": func(c *call) (pgtype.Datum, bool) { return text(c.text(0)) },
		"split_part": func(c *call) (pgtype.Datum, bool) {
			n := c.arg(2)
			if n < 1 || c.text(1) == "" {
				return none()
			}
			if parts := strings.Split(c.text(0), c.text(1)); n <= len(parts) {
				return text(parts[n-1])
			}
			return text("")
		},
		"lpad":    func(c *call) (pgtype.Datum, bool) { return c.pad(true) },
		"rpad":    func(c *call) (pgtype.Datum, bool) { return c.pad(false) },
		"varchar": func(c *call) (pgtype.Datum, bool) { return c.limit(false) },
		"bpchar":  func(c *call) (pgtype.Datum, bool) { return c.limit(true) },
	}
	t["btrim1"], t["btrim"] = trim(strings.Trim)
	t["ltrim1"], t["ltrim"] = trim(strings.TrimLeft)
	t["rtrim1"], t["rtrim"] = trim(strings.TrimRight)
	return t
}

// limit applies varchar(n) or char(n): an explicit cast cuts, an implicit one
// may cut spaces only (varchar and bpchar, varchar.c).
func (c *call) limit(pad bool) (pgtype.Datum, bool) {
	s, n := c.text(0), int(c.args[1].Int())-4
	if n > 10485760 {
		return none()
	}
	if c.args[1].Int() < 4 {
		return pgtype.NewText(c.fn.Result, s), true
	}
	runes := []rune(s)
	if len(runes) > n {
		rest := string(runes[n:])
		if !c.args[2].Bool() && strings.Trim(rest, " ") != "" {
			return none()
		}
		s = string(runes[:n])
	} else if pad {
		s += strings.Repeat(" ", n-len(runes))
	}
	return pgtype.NewText(c.fn.Result, s), true
}

// substring counts characters from 1; a start before the string uses up length
// (text_substring, varlena.c).
func substring(s string, start, length int, hasLength bool) (pgtype.Datum, bool) {
	if hasLength && length < 0 {
		return none()
	}
	runes := []rune(s)
	end := len(runes) + 1
	if hasLength {
		end = min(end, start+length)
	}
	start = max(start, 1)
	if end <= start {
		return text("")
	}
	return text(string(runes[start-1 : end-1]))
}

// pad fills a text up to a length, or cuts its end.
func (c *call) pad(left bool) (pgtype.Datum, bool) {
	s, fill, n := []rune(c.text(0)), []rune(c.text(2)), max(c.arg(1), 0)
	if n > 1<<20 {
		return none()
	}
	if len(s) >= n {
		return text(string(s[:n]))
	}
	if len(fill) == 0 {
		return text(string(s))
	}
	more := make([]rune, n-len(s))
	for i := range more {
		more[i] = fill[i%len(fill)]
	}
	if left {
		return text(string(more) + string(s))
	}
	return text(string(s) + string(more))
}

// side is left and right; a negative n leaves that many off the other end.
func side(s string, n int, left bool) (pgtype.Datum, bool) {
	runes := []rune(s)
	if n < 0 {
		n = max(len(runes)+n, 0)
	}
	n = min(n, len(runes))
	if left {
		return text(string(runes[:n]))
	}
	return text(string(runes[len(runes)-n:]))
}

func reverse(s string) (pgtype.Datum, bool) {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return text(string(runes))
}
