package stats

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dbgen/dbgen/parser/source"
)

// node is a JSON value with its place. encoding/json keeps no places, and a
// finding about one of ten thousand numbers is of no use without one.
type node struct {
	kind    nodeKind
	span    source.Span
	text    string // a string's value, a number's text
	members []member
	items   []*node
}

type member struct {
	key   string
	span  source.Span
	value *node
}

type nodeKind byte

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	arrayNode
	objectNode
)

func (k nodeKind) String() string {
	return [...]string{"null", "true or false", "a number", "a string", "a list", "an object"}[k]
}

// get returns the value of a key, nil if n is no object or has no such key.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for i := range n.members {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

// maxDepth bounds the nesting; the format needs nine levels.
const maxDepth = 32

// jsonError is a text that is not JSON.
type jsonError struct {
	span    source.Span
	message string
}

func (e *jsonError) Error() string { return e.message }

// parseJSON reads one JSON value (RFC 8259) and nothing behind it.
func parseJSON(text string, at int) (*node, *jsonError) {
	for i := at; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size <= 1 {
			return nil, &jsonError{source.Span{Start: i, End: i + 1}, "not UTF-8: is this a statistics file?"}
		}
		i += size
	}
	p := jsonParser{text: text, pos: at}
	p.space()
	if p.pos == len(text) {
		return nil, p.errorf("the file is empty")
	}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(text) {
		return nil, p.errorf("unexpected text behind the end of the object")
	}
	return n, nil
}

type jsonParser struct {
	text string
	pos  int
}

func (p *jsonParser) errorf(format string, args ...any) *jsonError {
	if p.pos >= len(p.text) {
		// A caret needs a character: the last one that is there.
		end := len(strings.TrimRight(p.text, " \t\r\n"))
		return &jsonError{source.Span{Start: max(end-1, 0), End: max(end, 0)}, fmt.Sprintf(format, args...)}
	}
	_, size := utf8.DecodeRuneInString(p.text[p.pos:])
	return &jsonError{source.Span{Start: p.pos, End: p.pos + size}, fmt.Sprintf(format, args...)}
}

func (p *jsonParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *jsonParser) value(depth int) (*node, *jsonError) {
	if p.pos >= len(p.text) {
		return nil, p.errorf("the file ends too early: it is truncated")
	}
	if depth > maxDepth {
		return nil, p.errorf("nested too deeply")
	}
	start := p.pos
	switch c := p.text[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		if err != nil {
			return nil, err
		}
		return &node{kind: stringNode, span: source.Span{Start: start, End: p.pos}, text: s}, nil
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	default:
		for p.pos < len(p.text) && p.text[p.pos] >= 'a' && p.text[p.pos] <= 'z' {
			p.pos++
		}
		word := p.text[start:p.pos]
		span := source.Span{Start: start, End: p.pos}
		switch word {
		case "null":
			return &node{kind: nullNode, span: span}, nil
		case "true", "false":
			return &node{kind: boolNode, span: span, text: word}, nil
		}
		if p.pos == len(p.text) && word != "" {
			return nil, p.errorf("the file ends too early: it is truncated")
		}
		p.pos = start
		return nil, p.errorf("expected a JSON value")
	}
}

func (p *jsonParser) object(depth int) (*node, *jsonError) {
	n := &node{kind: objectNode, span: source.Span{Start: p.pos}}
	p.pos++
	seen := map[string]bool{}
	for {
		p.space()
		if p.pos >= len(p.text) {
			return nil, p.errorf("the file ends too early: it is truncated")
		}
		if p.text[p.pos] == '}' && len(n.members) == 0 {
			break
		}
		if p.text[p.pos] != '"' {
			return nil, p.errorf("expected a key in double quotes")
		}
		start := p.pos
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		m := member{key: key, span: source.Span{Start: start, End: p.pos}}
		if seen[key] {
			p.pos = start
			return nil, &jsonError{m.span, fmt.Sprintf("key %q is there twice", key)}
		}
		seen[key] = true
		p.space()
		if p.pos >= len(p.text) {
			return nil, p.errorf("the file ends too early: it is truncated")
		}
		if p.text[p.pos] != ':' {
			return nil, p.errorf("expected a colon behind the key %q", key)
		}
		p.pos++
		p.space()
		if m.value, err = p.value(depth + 1); err != nil {
			return nil, err
		}
		n.members = append(n.members, m)
		more, err := p.more('}')
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	p.pos++
	n.span.End = p.pos
	return n, nil
}

func (p *jsonParser) array(depth int) (*node, *jsonError) {
	n := &node{kind: arrayNode, span: source.Span{Start: p.pos}}
	p.pos++
	for {
		p.space()
		if len(n.items) == 0 && p.pos < len(p.text) && p.text[p.pos] == ']' {
			break
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, v)
		more, err := p.more(']')
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	p.pos++
	n.span.End = p.pos
	return n, nil
}

// more steps over a comma; it stays on the closing bracket.
func (p *jsonParser) more(closing byte) (bool, *jsonError) {
	p.space()
	switch {
	case p.pos >= len(p.text):
		return false, p.errorf("the file ends too early: it is truncated")
	case p.text[p.pos] == ',':
		p.pos++
		return true, nil
	case p.text[p.pos] == closing:
		return false, nil
	}
	return false, p.errorf("expected a comma or %q", closing)
}

func (p *jsonParser) str() (string, *jsonError) {
	start, escaped := p.pos, false
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == '\\':
			escaped = true
			p.pos++
		case c == '"':
			p.pos++
			if !escaped {
				return p.text[start+1 : p.pos-1], nil
			}
			var s string
			if err := json.Unmarshal([]byte(p.text[start:p.pos]), &s); err != nil {
				return "", &jsonError{source.Span{Start: start, End: p.pos}, "not a JSON string"}
			}
			return s, nil
		case c < 0x20:
			return "", p.errorf("a control character in a string")
		}
	}
	p.pos = len(p.text)
	return "", p.errorf("the file ends too early: it is truncated")
}

func (p *jsonParser) number() (*node, *jsonError) {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.pos]) >= 0 {
		p.pos++
	}
	n := &node{kind: numberNode, span: source.Span{Start: start, End: p.pos}, text: p.text[start:p.pos]}
	if !json.Valid([]byte(n.text)) {
		return nil, &jsonError{n.span, "not a JSON number"}
	}
	return n, nil
}
