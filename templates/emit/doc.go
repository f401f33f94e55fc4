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
	return "// " + line
}

// doc writes a doc comment in front of what is added to it. jennifer would make
// a block comment of several lines.
func doc(lines ...string) *jen.Statement {
	s := jen.Null()
	for i, l := range lines {
		if i == 0 {
			s = jen.Comment(comment(l)).Line()
			continue
		}
		s.Add(jen.Comment(comment(l))).Line()
	}
	return s
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
