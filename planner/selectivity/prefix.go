package selectivity

import "github.com/dbgen/dbgen/planner/rel"

// Prefix is what every string that a pattern matches starts with.
type Prefix struct {
	Text string
	// Exact: the pattern matches this string alone.
	Exact bool
}

// PatternPrefix returns the fixed prefix of a pattern, by the support function of
// its operator (pattern_fixed_prefix, like_support.c); the zero Prefix where
// there is none.
func PatternPrefix(root *rel.PlannerInfo, support, pattern string) Prefix {
	kind, ok := map[string]patternType{
		"textlike_support": patternLike, "texticlike_support": patternLikeIC, "textregexeq_support": patternRegex,
		"texticregexeq_support": patternRegexIC, "text_starts_with_support": patternPrefix,
	}[support]
	if !ok {
		return Prefix{}
	}
	c := &context{root: root}
	text, status, _ := c.fixedPrefix(pattern, kind)
	if status == prefixNone {
		return Prefix{}
	}
	return Prefix{Text: text, Exact: status == prefixExact}
}

// GreaterString returns a string greater, byte by byte, than all that start with
// s (make_greater_string, like_support.c); ok is false if there is none.
func GreaterString(s string) (up string, ok bool) { return greaterString(s, false) }
