package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// source is the C text of a server, taken apart into functions and macros.
type source struct {
	// funcs are the bodies of all functions by name, each with the file it is in:
	// a static function's name may stand in several.
	funcs map[string][]function
	// macros are those that a function's body may use.
	macros map[string]macro
	// verdicts are the functions that have been judged.
	verdicts map[string]verdict
}

// function is a C function.
type function struct {
	file string
	// params is the text between the parentheses, body that between the braces.
	params, body string
}

// macro is a #define; params is nil for one without parentheses.
type macro struct {
	params []string
	body   string
}

var (
	defineStart = regexp.MustCompile(`^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^()]*\))?[ \t]*(.*)$`)
	funcStart   = regexp.MustCompile(`(?m)^(\w+)\s*\(([^;{}]*?)\)\s*\n\{`)
	comment     = regexp.MustCompile(`(?s)/\*.*?\*/`)
	literal     = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+'`)
	invocation  = regexp.MustCompile(`(?m)^(\w+)\(([^()]*)\)\s*;?\s*$`)
	made        = regexp.MustCompile(`(\w+)\s*\(\s*PG_FUNCTION_ARGS\s*\)\s*\{`)
)

// readSource reads the server's and the extensions' C files below a source tree.
func readSource(tree string) (*source, error) {
	s := &source{funcs: map[string][]function{}, macros: map[string]macro{}, verdicts: map[string]verdict{}}
	texts := map[string]string{}
	for _, dir := range []string{"src/backend", "src/include", "src/common", "src/port", "contrib"} {
		err := filepath.WalkDir(filepath.Join(tree, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".c") && !strings.HasSuffix(path, ".h") {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			texts[strings.TrimPrefix(path, tree+"/")] = s.define(clean(string(b)))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for file, text := range texts {
		s.functions(file, text)
		for _, m := range invocation.FindAllStringSubmatch(text, -1) {
			if mac, ok := s.macros[m[1]]; ok && strings.Contains(mac.body, "PG_FUNCTION_ARGS") {
				s.generated(file, mac.expand(strings.Split(m[2], ",")))
			}
		}
	}
	return s, nil
}

// clean takes comments and literals out of a C text.
func clean(text string) string {
	text = comment.ReplaceAllString(text, " ")
	return literal.ReplaceAllString(text, "0")
}

// define notes the macros of a text and returns the text without them.
func (s *source) define(text string) string {
	var rest []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		m := defineStart.FindStringSubmatch(lines[i])
		if m == nil {
			rest = append(rest, lines[i])
			continue
		}
		mac := macro{body: m[3]}
		if m[2] != "" {
			mac.params = strings.Split(strings.Trim(m[2], "()"), ",")
			for j := range mac.params {
				mac.params[j] = strings.TrimSpace(mac.params[j])
			}
		}
		for strings.HasSuffix(mac.body, "\\") && i+1 < len(lines) {
			i++
			mac.body = strings.TrimSuffix(mac.body, "\\") + "\n" + strings.TrimRight(lines[i], " \t")
		}
		// A name that is defined twice keeps what is worse for a proof: both.
		if old, ok := s.macros[m[1]]; ok {
			mac.body += "\n" + old.body
		}
		s.macros[m[1]] = mac
	}
	return strings.Join(rest, "\n")
}

// functions notes the functions of a text, which are those in the server's own
// layout: the name and the braces at the start of a line.
func (s *source) functions(file, text string) {
	for _, at := range funcStart.FindAllStringSubmatchIndex(text, -1) {
		end := strings.Index(text[at[1]:], "\n}")
		if end < 0 {
			continue
		}
		name := text[at[2]:at[3]]
		s.funcs[name] = append(s.funcs[name], function{file, text[at[4]:at[5]], text[at[1] : at[1]+end]})
	}
}

// generated notes the functions that a macro makes.
func (s *source) generated(file, text string) {
	all := made.FindAllStringSubmatchIndex(text, -1)
	for i, at := range all {
		end := len(text)
		if i+1 < len(all) {
			end = all[i+1][0]
		}
		name := text[at[2]:at[3]]
		s.funcs[name] = append(s.funcs[name], function{file, "PG_FUNCTION_ARGS", text[at[1]:end]})
	}
}

var word = regexp.MustCompile(`\b[A-Za-z_]\w*\b`)

// expand puts arguments in for the parameters of a macro.
func (m macro) expand(args []string) string {
	text := word.ReplaceAllStringFunc(m.body, func(w string) string {
		for i, p := range m.params {
			if p == w && i < len(args) {
				return strings.TrimSpace(args[i])
			}
		}
		return w
	})
	return regexp.MustCompile(`\s*##\s*`).ReplaceAllString(text, "")
}
