package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"
)

// docWidth is where sentences of our own are broken.
const docWidth = 77

// comment makes a comment of one line.
func comment(line string) string {
	line = strings.TrimRight(line, " \t")
	if line == "" {
		return "//"
	}
	if strings.HasPrefix(line, "\t") {
		return "//" + line
	}
	return "// " + line
}

// docText is a doc comment at the head of a statement.
type docText struct{ jen.Code }

// doc writes a doc comment in front of the declaration that is added to it.
// jennifer would make a block comment of several lines; see [declaration] too.
func doc(lines ...string) *jen.Statement {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = comment(l)
	}
	return &jen.Statement{docText{jen.Op(strings.Join(out, "\n") + "\n")}}
}

// declaration takes away the space that jennifer puts between the pieces of a
// statement where it is one between a doc comment and what follows: go/format
// knows a doc comment by the declaration beginning right below it.
func declaration(c jen.Code) jen.Code {
	s, ok := c.(*jen.Statement)
	if !ok || len(*s) == 0 {
		return c
	}
	d, ok := (*s)[0].(docText)
	if !ok {
		return c
	}
	rest := (*s)[1:]
	return jen.Custom(jen.Options{}, d.Code, &rest)
}

// wrap breaks a sentence into lines.
func wrap(text string) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > docWidth:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// paragraphs joins blocks of lines with an empty line between them.
func paragraphs(blocks ...[]string) []string {
	var out []string
	for _, b := range blocks {
		if len(b) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, b...)
	}
	return out
}

// trailing makes a comment behind a field of the first line of text; nothing
// where there is none.
func trailing(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimSpace(line)
	if line == "" {
		return ""
	}
	return comment(line)
}
