package pgtype

import (
	"strconv"
	"strings"
	"time"
)

// maxDim is the most dimensions an array has (MAXDIM, utils/array.h).
const maxDim = 6

type arrayParser struct {
	d     *Desc
	text  string
	s     string
	i     int
	mod   Typmod
	env   Env
	delim byte
	dims  []int // length per level, -1 while unknown
	depth int   // level of the elements, 0 while unknown
	elems []Datum
}

// parseArray reads an array literal (array_in, arrayfuncs.c).
func parseArray(d *Desc, text string, mod Typmod, env Env) (*array, error) {
	p := &arrayParser{d: d, text: text, s: text, mod: mod, env: env, delim: d.Elem.Delim}
	if p.delim == 0 {
		p.delim = ','
	}
	declared, err := p.bounds()
	if err != nil {
		return nil, err
	}
	if p.peek() != '{' {
		return nil, p.bad("Array value must start with \"{\" or dimension information.")
	}
	if err := p.level(1); err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.s) {
		return nil, p.bad("Junk after closing right brace.")
	}
	a := &array{elems: p.elems}
	if declared != nil {
		if len(declared) != len(p.dims) {
			return nil, p.bad("Specified array dimensions do not match array contents.")
		}
		for k, dim := range declared {
			if dim.Len != p.dims[k] {
				return nil, p.bad("Specified array dimensions do not match array contents.")
			}
		}
	}
	if len(p.elems) == 0 {
		return a, nil
	}
	for k, n := range p.dims {
		dim := Dim{Len: n, Lower: 1}
		if declared != nil {
			dim.Lower = declared[k].Lower
		}
		a.dims = append(a.dims, dim)
	}
	return a, nil
}

func (p *arrayParser) bad(detail string) error {
	return &ValueError{Code: codeSyntax, Message: "malformed array literal: \"" + p.text + "\"", Detail: detail}
}

func (p *arrayParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *arrayParser) space() {
	for p.i < len(p.s) && isSpace(p.s[p.i]) {
		p.i++
	}
}

// number reads a subscript.
func (p *arrayParser) number() (int, error) {
	start := p.i
	if p.peek() == '-' || p.peek() == '+' {
		p.i++
	}
	for isDigit(p.peek()) {
		p.i++
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 32)
	if err != nil {
		if p.i == start {
			return 0, p.bad("\"[\" must introduce explicitly-specified array dimensions.")
		}
		return 0, valueError(codeLimit, "array bound is out of integer range")
	}
	return int(n), nil
}

// bounds reads [l:u][l:u]= in front of the braces; nil for none.
func (p *arrayParser) bounds() ([]Dim, error) {
	var out []Dim
	for {
		p.space()
		if p.peek() != '[' {
			break
		}
		if len(out) == maxDim {
			return nil, valueError(codeLimit, "number of array dimensions exceeds the maximum allowed (%d)", maxDim)
		}
		p.i++
		lower := 1
		upper, err := p.number()
		if err != nil {
			return nil, err
		}
		if p.peek() == ':' {
			p.i++
			lower = upper
			if upper, err = p.number(); err != nil {
				return nil, err
			}
		}
		if p.peek() != ']' {
			return nil, p.bad("Missing \"]\" after array dimensions.")
		}
		p.i++
		if upper < lower {
			return nil, valueError(codeSubscript, "upper bound cannot be less than lower bound")
		}
		out = append(out, Dim{Len: upper - lower + 1, Lower: lower})
	}
	if out == nil {
		return nil, nil
	}
	if p.peek() != '=' {
		return nil, p.bad("Missing \"=\" after array dimensions.")
	}
	p.i++
	p.space()
	return out, nil
}

func (p *arrayParser) uneven() error {
	return p.bad("Multidimensional arrays must have sub-arrays with matching dimensions.")
}

// level reads a brace and what it holds, at the given depth.
func (p *arrayParser) level(depth int) error {
	if depth > maxDim {
		return valueError(codeLimit, "number of array dimensions exceeds the maximum allowed (%d)", maxDim)
	}
	if len(p.dims) < depth {
		if p.depth != 0 {
			return p.uneven()
		}
		p.dims = append(p.dims, -1)
	}
	p.i++
	count := 0
	for {
		p.space()
		switch c := p.peek(); {
		case p.i >= len(p.s):
			return p.bad("Unexpected end of input.")
		case c == '}' && count == 0:
			// Empty braces within braces are read from PostgreSQL 17 on.
			if depth > 1 && p.env.major() < 17 {
				return p.bad("Unexpected \"}\" character.")
			}
			p.i++
			return p.close(depth, 0)
		case c == '{':
			if p.depth != 0 && depth >= p.depth {
				return p.uneven()
			}
			if err := p.level(depth + 1); err != nil {
				return err
			}
		default:
			if p.depth == 0 {
				if depth != len(p.dims) {
					return p.uneven()
				}
				p.depth = depth
			} else if p.depth != depth {
				return p.uneven()
			}
			if err := p.element(); err != nil {
				return err
			}
		}
		count++
		p.space()
		switch {
		case p.peek() == p.delim && p.i < len(p.s):
			p.i++
			if p.space(); p.peek() == '}' {
				return p.bad("Unexpected \"}\" character.")
			}
		case p.peek() == '}':
			p.i++
			return p.close(depth, count)
		case p.i >= len(p.s):
			return p.bad("Unexpected end of input.")
		default:
			return p.bad("Incorrectly quoted array element.")
		}
	}
}

func (p *arrayParser) close(depth, count int) error {
	if p.dims[depth-1] >= 0 && p.dims[depth-1] != count {
		return p.uneven()
	}
	p.dims[depth-1] = count
	return nil
}

// element reads one element: quoted, or bare up to the next delimiter with the
// blanks around it dropped.
func (p *arrayParser) element() error {
	var b strings.Builder
	quoted, escaped := false, false
	keep := 0 // length of b up to the last character that is no bare blank
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '"':
			if b.Len() > 0 || quoted {
				return p.bad("Incorrectly quoted array element.")
			}
			quoted = true
			for p.i++; p.peek() != '"'; p.i++ {
				if p.peek() == '\\' {
					p.i++
				}
				if p.i >= len(p.s) {
					return p.bad("Unexpected end of input.")
				}
				b.WriteByte(p.s[p.i])
			}
			p.i++
			keep = b.Len()
			p.space()
			if c := p.peek(); c != p.delim && c != '}' {
				return p.bad("Incorrectly quoted array element.")
			}
			continue
		case c == '\\':
			if p.i++; p.i >= len(p.s) {
				return p.bad("Unexpected end of input.")
			}
			b.WriteByte(p.s[p.i])
			escaped = true
			keep = b.Len()
		case c == p.delim || c == '}':
			return p.add(b.String()[:keep], quoted, escaped)
		case c == '{':
			return p.bad("Unexpected \"{\" character.")
		default:
			b.WriteByte(c)
			if !isSpace(c) {
				keep = b.Len()
			}
		}
		p.i++
	}
	return p.bad("Unexpected end of input.")
}

func (p *arrayParser) add(s string, quoted, escaped bool) error {
	if !quoted && !escaped {
		if s == "" {
			return p.bad("Unexpected \"" + string(p.peek()) + "\" character.")
		}
		if strings.EqualFold(s, "null") {
			p.elems = append(p.elems, Datum{})
			return nil
		}
	}
	v, err := Parse(p.d.Elem, s, p.mod, p.env)
	if err != nil {
		return err
	}
	p.elems = append(p.elems, v)
	return nil
}

// formatArray prints an array (array_out, arrayfuncs.c).
func (v Datum) formatArray(loc *time.Location) string {
	a := v.x.(*array)
	if len(a.elems) == 0 {
		return "{}"
	}
	var b strings.Builder
	for _, dim := range a.dims {
		if dim.Lower != 1 {
			for _, dim := range a.dims {
				b.WriteString("[" + strconv.Itoa(dim.Lower) + ":" + strconv.Itoa(dim.Lower+dim.Len-1) + "]")
			}
			b.WriteByte('=')
			break
		}
	}
	delim := v.d.Elem.Delim
	if delim == 0 {
		delim = ','
	}
	next := 0
	var level func(k int)
	level = func(k int) {
		b.WriteByte('{')
		for i := range a.dims[k].Len {
			if i > 0 {
				b.WriteByte(delim)
			}
			switch {
			case k+1 < len(a.dims):
				level(k + 1)
			default:
				writeElement(&b, a.elems[next], delim, loc)
				next++
			}
		}
		b.WriteByte('}')
	}
	level(0)
	return b.String()
}

func writeElement(b *strings.Builder, e Datum, delim byte, loc *time.Location) {
	if e.IsNull() {
		b.WriteString("NULL")
		return
	}
	s := e.Format(loc)
	quote := s == "" || strings.EqualFold(s, "null")
	for i := range len(s) {
		c := s[i]
		quote = quote || c == '"' || c == '\\' || c == '{' || c == '}' || c == delim || isSpace(c)
	}
	if !quote {
		b.WriteString(s)
		return
	}
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}

// parseVector reads an int2vector or oidvector: numbers between blanks
// (int2vectorin, int.c; oidvectorin, oid.c).
func parseVector(d *Desc, text string, env Env) (*array, error) {
	a := &array{}
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) }) {
		v, err := Parse(d.Elem, w, NoTypmod, env)
		if err != nil {
			return nil, err
		}
		a.elems = append(a.elems, v)
	}
	if len(a.elems) > 0 {
		a.dims = []Dim{{Len: len(a.elems)}}
	}
	return a, nil
}

func (v Datum) formatVector(loc *time.Location) string {
	words := make([]string, 0, len(v.Elements()))
	for _, e := range v.Elements() {
		words = append(words, e.Format(loc))
	}
	return strings.Join(words, " ")
}
