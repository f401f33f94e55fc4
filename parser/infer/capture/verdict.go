package main

import (
	"regexp"
	"slices"
	"strings"
)

// verdict is what the C text of a function says of NULL results.
type verdict int

const (
	// unknown: the text was not found, or hands its call data to what was not.
	unknown verdict = iota
	// mayReturnNull: it sets isnull somewhere.
	mayReturnNull
	// guarded: it sets isnull only at once after a test that an argument is NULL.
	guarded
	// neverNull: nothing that it reaches with its call data sets isnull.
	neverNull
)

// A function of the server returns NULL by setting isnull in its call data, and in
// no other way: PG_RETURN_NULL does that, and so can whoever the call data is handed
// to. DirectFunctionCall and its kin raise an error where a callee returns NULL.
var (
	// guard is a return of NULL for NULL arguments alone.
	guard = regexp.MustCompile(`if\s*\(\s*PG_ARGISNULL\s*\(\s*\d+\s*\)(?:\s*\|\|\s*PG_ARGISNULL\s*\(\s*\d+\s*\))*\s*\)\s*\{?\s*PG_RETURN_NULL\s*\(\s*\)\s*;`)
	// harmless are the uses of call data that cannot set isnull.
	// unreached is a return for the compiler's sake.
	unreached = regexp.MustCompile(`(?:ereport|elog)\s*\(\s*ERROR\b[^;]*;\s*PG_RETURN_NULL\s*\(\s*\)\s*;`)
	harmless  = regexp.MustCompile(`^\s*->\s*(flinfo|args|nargs|fncollation|context|resultinfo)\b`)
	infoArg   = regexp.MustCompile(`(?:FunctionCallInfo|FunctionCallInfoBaseData\s*\*)\s*(\w+)`)
)

// judge tells the verdict on a function by name; file is that of its caller, whose
// static function is meant where there are several.
func (s *source) judge(name, file string) verdict {
	key := name
	var list []function
	for _, f := range s.funcs[name] {
		if f.file == file {
			list, key = []function{f}, file+":"+name
			break
		}
	}
	if list == nil {
		list = s.funcs[name]
	}
	if v, ok := s.verdicts[key]; ok {
		return v
	}
	// A function that is being judged is not what makes itself return NULL.
	s.verdicts[key] = neverNull
	v := neverNull
	if len(list) == 0 {
		v = unknown
	}
	for _, f := range list {
		info := "fcinfo"
		if m := infoArg.FindStringSubmatch(f.params); m != nil {
			info = m[1]
		}
		v = min(v, s.text(f.body, info, f.file, map[string]bool{}))
	}
	s.verdicts[key] = v
	return v
}

// text judges a piece of C whose call data has the name info.
func (s *source) text(body, info, file string, within map[string]bool) verdict {
	v := neverNull
	body = unreached.ReplaceAllString(body, "")
	if rest := guard.ReplaceAllString(body, ""); rest != body {
		v, body = guarded, rest
	}
	for _, at := range regexp.MustCompile(`\b`+info+`\b`).FindAllStringIndex(body, -1) {
		switch after := body[at[1]:]; {
		case harmless.MatchString(after):
		case regexp.MustCompile(`^\s*(->|\.)`).MatchString(after):
			return mayReturnNull
		default:
			callee := enclosing(body[:at[0]])
			if callee == "" {
				// Assigned, or compared: no telling where it goes.
				return unknown
			}
			if _, ok := s.macros[callee]; ok {
				continue // judged below, as it uses its own words
			}
			if got := s.judge(callee, file); got < guarded {
				return got
			} else {
				v = min(v, got)
			}
		}
	}
	for _, m := range word.FindAllString(body, -1) {
		mac, ok := s.macros[m]
		if !ok || within[m] || m == "PG_FUNCTION_ARGS" || m == "LOCAL_FCINFO" || m == "Assert" {
			continue // LOCAL_FCINFO makes call data for others
		}
		within[m] = true
		if slices.Contains(mac.params, "fcinfo") {
			// Whose call data it works on is the caller's choice.
			if !regexp.MustCompile(`\b` + m + `\s*\(\s*` + info + `\b`).MatchString(body) {
				continue
			}
		}
		if got := s.text(mac.body, "fcinfo", file, within); got < guarded {
			return got
		}
		// A macro's parameter may be the call data under another name.
		if len(mac.params) > 0 && regexp.MustCompile(`\b`+regexp.QuoteMeta(m)+`\s*\(\s*`+info+`\s*[,)]`).MatchString(body) && mac.params[0] != "" {
			if got := s.text(mac.body, mac.params[0], file, within); got < guarded {
				return got
			}
		}
	}
	return v
}

// enclosing names the function in whose argument list a text ends.
func enclosing(text string) string {
	depth := 0
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case ')':
			depth++
		case ';', '{', '}':
			return ""
		case '(':
			if depth > 0 {
				depth--
				continue
			}
			if m := regexp.MustCompile(`([A-Za-z_]\w*)\s*$`).FindString(text[:i]); m != "" {
				switch m = strings.TrimSpace(m); m {
				case "if", "while", "for", "switch", "return":
					return ""
				default:
					return m
				}
			}
			// Parentheses around an expression: look further out.
		}
	}
	return ""
}
