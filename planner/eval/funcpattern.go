package eval

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/dbgen/dbgen/parser/pgtype"
)

func patternFunctions() map[string]impl {
	t := map[string]impl{}
	add := func(names []string, fn func(c *call) (bool, bool), negate bool) {
		for _, name := range names {
			t[name] = func(c *call) (pgtype.Datum, bool) {
				hit, ok := fn(c)
				return pgtype.NewBool(hit != negate), ok
			}
		}
	}
	like := func(c *call) (bool, bool) { return matchLike(c.text(0), c.text(1)) }
	ilike := func(c *call) (bool, bool) {
		if !ascii(c.text(0)) || !ascii(c.text(1)) {
			return false, false
		}
		return matchLike(strings.ToLower(c.text(0)), strings.ToLower(c.text(1)))
	}
	add([]string{"textlike", "namelike", "bytealike"}, like, false)
	add([]string{"textnlike", "namenlike", "byteanlike"}, like, true)
	add([]string{"texticlike", "nameiclike"}, ilike, false)
	add([]string{"texticnlike", "nameicnlike"}, ilike, true)
	re := func(fold bool) func(c *call) (bool, bool) {
		return func(c *call) (bool, bool) { return matchRegexp(c.text(0), c.text(1), fold) }
	}
	add([]string{"textregexeq", "nameregexeq"}, re(false), false)
	add([]string{"textregexne", "nameregexne"}, re(false), true)
	add([]string{"texticregexeq", "nameicregexeq"}, re(true), false)
	add([]string{"texticregexne", "nameicregexne"}, re(true), true)
	return t
}

// matchLike matches a LIKE pattern: % any string, _ one character, backslash
// takes the next literally. A pattern that ends in a backslash is an error on
// the server (MatchText, like_match.c).
func matchLike(s, p string) (hit, ok bool) {
	type token struct {
		kind byte // 'c' a literal byte, '_', '%'
		b    byte
	}
	var tokens []token
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '%', '_':
			tokens = append(tokens, token{kind: p[i]})
		case '\\':
			i++
			if i >= len(p) {
				return false, false
			}
			tokens = append(tokens, token{'c', p[i]})
		default:
			tokens = append(tokens, token{'c', p[i]})
		}
	}
	at, ti, star, mark := 0, 0, -1, 0
	for at < len(s) {
		switch {
		case ti < len(tokens) && tokens[ti].kind == '%':
			star, mark = ti, at
			ti++
		case ti < len(tokens) && tokens[ti].kind == 'c' && tokens[ti].b == s[at]:
			at++
			ti++
		case ti < len(tokens) && tokens[ti].kind == '_':
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
			ti++
		case star >= 0:
			_, n := utf8.DecodeRuneInString(s[mark:])
			mark += n
			at, ti = mark, star+1
		default:
			return false, true
		}
	}
	for ti < len(tokens) && tokens[ti].kind == '%' {
		ti++
	}
	return ti == len(tokens), true
}

// plainRegexp are the expressions in which PostgreSQL's and Go's dialects agree.
var plainRegexp = regexp.MustCompile(`^\^?([A-Za-z0-9 _,;:@/=<>!#%&~'"-]|\.[*+]?|\\[.dswW]|\[\^?[A-Za-z0-9_ -]+\][*+?]?|[()|*+?])*\$?$`)

// matchRegexp matches a regular expression of the plain kind; other ones are
// not evaluated.
func matchRegexp(s, p string, fold bool) (hit, ok bool) {
	if !plainRegexp.MatchString(p) || strings.Contains(p, "(?") || strings.HasPrefix(p, "***") || fold && (!ascii(s) || !ascii(p)) {
		return false, false
	}
	if !ascii(s) && strings.ContainsAny(p, `\[`) {
		return false, false
	}
	flags := "(?s)"
	if fold {
		flags = "(?si)"
	}
	re, err := regexp.Compile(flags + p)
	if err != nil {
		return false, false
	}
	return re.MatchString(s), true
}
