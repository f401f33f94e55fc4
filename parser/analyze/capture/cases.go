package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// testCase is a statement with what each major version answers.
//
// In a file a case is lines of "# …" comments, the statement, a line "----" and
// the answer; an empty line ends it. Where versions differ, each answer stands
// under a line with its versions, "[15 16]". A comment "# differs: …" names an
// answer that analysis words or places otherwise, and why; "# unsupported: …" one
// that it refuses by name.
type testCase struct {
	comments []string
	sql      string
	answers  map[int]string
}

// readCases reads a case file.
func readCases(text string) ([]*testCase, error) {
	var out []*testCase
	for _, block := range strings.Split(text, "\n\n") {
		block = strings.Trim(block, "\n")
		if block == "" {
			continue
		}
		c := &testCase{answers: map[int]string{}}
		lines := strings.Split(block, "\n")
		for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
			c.comments = append(c.comments, lines[0])
			lines = lines[1:]
		}
		end := slices.Index(lines, "----")
		if end < 0 {
			end = len(lines)
		}
		c.sql = strings.Join(lines[:end], "\n")
		if c.sql == "" {
			return nil, fmt.Errorf("no statement in %q", block)
		}
		majors := []int{15, 16, 17, 18}
		for _, l := range lines[min(end+1, len(lines)):] {
			if strings.HasPrefix(l, "[") {
				majors = nil
				for _, f := range strings.Fields(strings.Trim(l, "[]")) {
					n, err := strconv.Atoi(f)
					if err != nil {
						return nil, fmt.Errorf("%q: %w", l, err)
					}
					majors = append(majors, n)
				}
				continue
			}
			for _, m := range majors {
				c.answers[m] += l + "\n"
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// writeCases is the text that readCases reads.
func writeCases(cases []*testCase) string {
	var b strings.Builder
	for i, c := range cases {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, l := range c.comments {
			b.WriteString(l + "\n")
		}
		b.WriteString(c.sql + "\n----\n")
		var texts []string
		majors := map[string][]string{}
		for m := 15; m <= 18; m++ {
			a, ok := c.answers[m]
			if !ok {
				continue
			}
			if majors[a] == nil {
				texts = append(texts, a)
			}
			majors[a] = append(majors[a], strconv.Itoa(m))
		}
		for _, a := range texts {
			if len(texts) > 1 {
				b.WriteString("[" + strings.Join(majors[a], " ") + "]\n")
			}
			b.WriteString(a)
		}
	}
	return b.String()
}

// count tells how many statements the newest version accepts and refuses.
func count(cases []*testCase) (accepted, refused int) {
	for _, c := range cases {
		if strings.HasPrefix(c.answers[18], "ok") {
			accepted++
		} else {
			refused++
		}
	}
	return accepted, refused
}

// accepted is the answer for a statement that can be prepared.
func accepted(params, columns []string) string {
	s := "ok (" + strings.Join(params, ", ") + ")"
	if columns != nil {
		s += " -> (" + strings.Join(columns, ", ") + ")"
	}
	return oneLine(s) + "\n"
}

// refusal is what is wrong with a statement.
type refusal struct {
	state, message, detail, hint string
	// line and column count from 1, column in characters; 0 for no place.
	line, column int
}

func (r refusal) String() string {
	s := "error " + r.state
	if r.line > 0 {
		s += fmt.Sprintf(" at %d:%d", r.line, r.column)
	}
	s += ": " + oneLine(r.message) + "\n"
	if r.detail != "" {
		s += "detail: " + oneLine(r.detail) + "\n"
	}
	if r.hint != "" {
		s += "hint: " + oneLine(r.hint) + "\n"
	}
	return s
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }

// place turns an offset in characters from 0 into line and column from 1.
func place(sql string, offset int) (line, column int) {
	before := []rune(sql)
	before = before[:min(offset, len(before))]
	line, column = 1, 1
	for _, r := range before {
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}
