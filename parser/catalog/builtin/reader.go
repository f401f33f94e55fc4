package builtin

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// section is the part of a data file between two head lines.
type section struct {
	name string
	rows int
	text string
	// ext is set in the block of an extension.
	ext *extensionRead
}

// split returns the sections of a data file by name, those that are there. A
// section whose head line does not list the expected columns is an error: file
// and reader are of different ages.
func split(data string, heads []string) (map[string]section, error) {
	out := make(map[string]section, len(heads))
	want := make(map[string]string, len(heads))
	for _, h := range heads {
		name, columns, _ := strings.Cut(h, " ")
		want[name] = columns
	}
	for data != "" {
		head, rest, ok := strings.Cut(data, "\n")
		if !ok || !strings.HasPrefix(head, "== ") {
			return nil, fmt.Errorf("head line of a section expected, got %q", head)
		}
		name, columns, _ := strings.Cut(head[3:], " ")
		if columns != want[name] {
			return nil, fmt.Errorf("section %s has columns %q, expected %q", name, columns, want[name])
		}
		text := rest
		if end := strings.Index(rest, "\n== "); strings.HasPrefix(rest, "== ") {
			text, data = "", rest
		} else if end >= 0 {
			text, data = rest[:end+1], rest[end+1:]
		} else {
			data = ""
		}
		out[name] = section{name: name, rows: strings.Count(text, "\n"), text: text}
	}
	return out, nil
}

// cursor reads the values of a section one after the other. The first value that
// cannot be read is kept as an error.
type cursor struct {
	section string
	text    string
	err     error
	ext     *extensionRead
	// lists backs the slices that oids returns.
	lists []pgtype.OID
}

// more reports whether there is another row.
func (c *cursor) more() bool { return c.text != "" && c.err == nil }

// raw returns the next value as it is written.
func (c *cursor) raw() string {
	for i := 0; i < len(c.text); i++ {
		if b := c.text[i]; b == '\t' || b == '\n' {
			v := c.text[:i]
			c.text = c.text[i+1:]
			return v
		}
	}
	c.fail("unexpected end")
	return ""
}

func (c *cursor) fail(what string) {
	if c.err == nil {
		c.err = fmt.Errorf("section %s: %s", c.section, what)
	}
	c.text = ""
}

// str returns the next value with its escapes undone.
func (c *cursor) str() string {
	v := c.raw()
	if strings.IndexByte(v, '\\') < 0 {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' || i+1 == len(v) {
			b.WriteByte(v[i])
			continue
		}
		i++
		switch v[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		default:
			b.WriteByte(v[i])
		}
	}
	return b.String()
}

// char returns the next value, which is one byte, or 0 for an empty one.
func (c *cursor) char() byte {
	v := c.raw()
	switch len(v) {
	case 0:
		return 0
	case 1:
		return v[0]
	case 2:
		if v == `\t` {
			return '\t'
		}
		return v[1]
	}
	c.fail(fmt.Sprintf("one character expected, got %q", v))
	return 0
}

func (c *cursor) bool() bool { return c.raw() == "t" }

func (c *cursor) int() int {
	v := c.raw()
	n, err := strconv.Atoi(v)
	if err != nil {
		c.fail(fmt.Sprintf("number expected, got %q", v))
	}
	return n
}

func (c *cursor) float() float64 {
	v := c.raw()
	if v == "1" {
		return 1
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		c.fail(fmt.Sprintf("number expected, got %q", v))
	}
	return f
}

// oid returns the next value, 0 for an empty one.
func (c *cursor) oid() pgtype.OID {
	v := c.raw()
	var n uint32
	for i := 0; i < len(v); i++ {
		d := v[i] - '0'
		if d > 9 {
			c.fail(fmt.Sprintf("OID expected, got %q", v))
			return 0
		}
		n = n*10 + uint32(d)
	}
	return c.global(pgtype.OID(n))
}

// global is the catalog's OID for one of the file.
func (c *cursor) global(n pgtype.OID) pgtype.OID {
	if c.ext == nil || n < pgtype.FirstNormalOID {
		return n
	}
	if i := int(n - pgtype.FirstNormalOID); i < len(c.ext.local) {
		return c.ext.local[i]
	}
	c.fail(fmt.Sprintf("the object %d is not in the file", n))
	return 0
}

// schema returns the next value, a schema: an empty one is that of the
// extension.
func (c *cursor) schema() string {
	s := c.str()
	if s == "" && c.ext != nil {
		return c.ext.schema
	}
	return s
}

// oids returns the next value as a list, nil for an empty one.
func (c *cursor) oids() []pgtype.OID {
	v := c.raw()
	if v == "" {
		return nil
	}
	if cap(c.lists)-len(c.lists) < len(v) {
		c.lists = make([]pgtype.OID, 0, 4096+len(v))
	}
	start := len(c.lists)
	n := pgtype.OID(0)
	for i := 0; i < len(v); i++ {
		if v[i] == ' ' {
			c.lists = append(c.lists, c.global(n))
			n = 0
			continue
		}
		d := v[i] - '0'
		if d > 9 {
			c.fail(fmt.Sprintf("list of OIDs expected, got %q", v))
			return nil
		}
		n = n*10 + pgtype.OID(d)
	}
	c.lists = append(c.lists, c.global(n))
	return c.lists[start:len(c.lists):len(c.lists)]
}

// ints returns the next value as a list of numbers, nil for an empty one.
func (c *cursor) ints() []int {
	list := c.oids()
	out := make([]int, len(list))
	for i, n := range list {
		out[i] = int(n)
	}
	return out
}

// strs returns the next value cut at sep, nil for an empty one.
func (c *cursor) strs(sep string) []string {
	v := c.str()
	if v == "" {
		return nil
	}
	return strings.Split(v, sep)
}
