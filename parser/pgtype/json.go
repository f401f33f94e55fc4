package pgtype

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// jsonValue is a decoded JSON value.
type jsonValue struct {
	kind   jsonKind
	s      string // a string's value
	n      *Numeric
	list   []*jsonValue // elements, or members' values
	keys   []string     // of an object, sorted as jsonb does
	truthy bool
}

// jsonKind orders the kinds of jsonb values as compareJsonbContainers does.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonString
	jsonNumber
	jsonBool
	jsonArray
	jsonObject
)

// jsonDepth is how deep values may nest: the server's limit is its stack.
const jsonDepth = 6000

type jsonParser struct {
	s     string
	i     int
	jsonb bool
	depth int
}

// parseJSON reads one JSON text (pg_parse_json, jsonapi.c). For jsonb, numbers
// and \u escapes are checked as jsonb_in does.
func parseJSON(text string, jsonb bool) (*jsonValue, error) {
	p := &jsonParser{s: text, jsonb: jsonb}
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.s) {
		return nil, p.expected("end of input")
	}
	return v, nil
}

// badToken refuses what begins at start as no token, with the word characters
// behind what was read of it.
func (p *jsonParser) badToken(start int) error {
	for isWord(p.peek()) {
		p.i++
	}
	detail := fmt.Sprintf("Token \"%s\" is invalid.", p.s[start:p.i])
	return &ValueError{Code: codeSyntax, Message: jsonSyntax, Detail: detail}
}

// expected is the error of a token that may not stand where it does; a text that
// is no token at all is refused as such (report_parse_error, jsonapi.c).
func (p *jsonParser) expected(what string) error {
	err := p.fail()
	bad, ok := err.(*ValueError) //nolint:errorlint // made above
	if !ok || p.i >= len(p.s) {
		return err
	}
	start := p.i
	defer func() { p.i = start }()
	switch c := p.peek(); {
	case strings.IndexByte("{}[],:", c) >= 0:
		p.i++
	case c == '"':
		if _, e := p.str(); e != nil {
			return e
		}
	case c == '-' || isDigit(c):
		if _, e := p.number(); e != nil {
			return e
		}
	case p.word("true"), p.word("false"), p.word("null"):
	default:
		for isWord(p.peek()) {
			p.i++
		}
		if p.i > start {
			bad.Detail = fmt.Sprintf("Token \"%s\" is invalid.", p.s[start:p.i])
		}
		return bad
	}
	bad.Detail = fmt.Sprintf("Expected %s, but found \"%s\".", what, p.s[start:p.i])
	return bad
}

// isWord reports whether a byte goes on with a word (JSON_ALPHANUMERIC_CHAR).
func isWord(c byte) bool { return isAlpha(c) || isDigit(c) || c == '_' || c >= 0x80 }

func (p *jsonParser) fail() error {
	detail := "The input string ended unexpectedly."
	if p.i < len(p.s) {
		_, w := utf8.DecodeRuneInString(p.s[p.i:])
		detail = fmt.Sprintf("Token \"%s\" is invalid.", p.s[p.i:p.i+w])
	}
	return &ValueError{Code: codeSyntax, Message: jsonSyntax, Detail: detail}
}

const jsonSyntax = "invalid input syntax for type json"

func (p *jsonParser) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\n\r", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *jsonParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *jsonParser) value() (*jsonValue, error) {
	p.space()
	if p.depth++; p.depth > jsonDepth {
		return nil, valueError("54001", "stack depth limit exceeded")
	}
	defer func() { p.depth-- }()
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		s, err := p.str()
		return &jsonValue{kind: jsonString, s: s}, err
	case c == '-' || isDigit(c):
		return p.number()
	case p.word("true"):
		return &jsonValue{kind: jsonBool, truthy: true}, nil
	case p.word("false"):
		return &jsonValue{kind: jsonBool}, nil
	case p.word("null"):
		return &jsonValue{kind: jsonNull}, nil
	}
	return nil, p.expected("JSON value")
}

func (p *jsonParser) word(w string) bool {
	if !strings.HasPrefix(p.s[p.i:], w) {
		return false
	}
	if end := p.i + len(w); end < len(p.s) && isWord(p.s[end]) {
		return false
	}
	p.i += len(w)
	return true
}

func (p *jsonParser) number() (*jsonValue, error) {
	start := p.i
	if p.peek() == '-' {
		p.i++
	}
	digits := func() bool {
		from := p.i
		for isDigit(p.peek()) {
			p.i++
		}
		return p.i > from
	}
	if p.peek() == '0' {
		p.i++
	} else if !digits() {
		return nil, p.badToken(start)
	}
	if p.peek() == '.' {
		if p.i++; !digits() {
			return nil, p.badToken(start)
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		if p.i++; p.peek() == '+' || p.peek() == '-' {
			p.i++
		}
		if !digits() {
			return nil, p.badToken(start)
		}
	}
	if c := p.peek(); isDigit(c) || isAlpha(c) || c == '_' || c >= 0x80 {
		return nil, p.badToken(start)
	}
	v := &jsonValue{kind: jsonNumber}
	if p.jsonb {
		n, err := ParseNumeric(p.s[start:p.i], 15)
		if err != nil {
			return nil, err
		}
		v.n = n
	}
	return v, nil
}

func (p *jsonParser) array() (*jsonValue, error) {
	v := &jsonValue{kind: jsonArray}
	p.i++
	if p.space(); p.peek() == ']' {
		p.i++
		return v, nil
	}
	for {
		e, err := p.value()
		if err != nil {
			return nil, err
		}
		v.list = append(v.list, e)
		p.space()
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			return v, nil
		default:
			return nil, p.expected(`"," or "]"`)
		}
	}
}

func (p *jsonParser) object() (*jsonValue, error) {
	v := &jsonValue{kind: jsonObject}
	members := map[string]*jsonValue{}
	p.i++
	if p.space(); p.peek() == '}' {
		p.i++
		return v, nil
	}
	for {
		if p.space(); p.peek() != '"' {
			if len(members) == 0 {
				return nil, p.expected(`string or "}"`)
			}
			return nil, p.expected("string")
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if p.space(); p.peek() != ':' {
			return nil, p.expected(`":"`)
		}
		p.i++
		e, err := p.value()
		if err != nil {
			return nil, err
		}
		if _, ok := members[key]; !ok {
			v.keys = append(v.keys, key)
		}
		members[key] = e
		p.space()
		switch p.peek() {
		case ',':
			p.i++
		case '}':
			p.i++
			slices.SortFunc(v.keys, compareKeys)
			for _, k := range v.keys {
				v.list = append(v.list, members[k])
			}
			return v, nil
		default:
			return nil, p.expected(`"," or "}"`)
		}
	}
}

// compareKeys orders an object's keys: shorter ones first, then by bytes
// (lengthCompareJsonbString, jsonb_util.c).
func compareKeys(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func (p *jsonParser) str() (string, error) {
	start := p.i
	p.i++
	var b strings.Builder
	for {
		switch c := p.peek(); {
		case p.i >= len(p.s):
			return "", p.badToken(start)
		case c < ' ':
			detail := fmt.Sprintf("Character with value 0x%02x must be escaped.", c)
			return "", &ValueError{Code: codeSyntax, Message: jsonSyntax, Detail: detail}
		case c == '"':
			p.i++
			return b.String(), nil
		case c == '\\':
			p.i++
			if err := p.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
			p.i++
		}
	}
}

func (p *jsonParser) escape(b *strings.Builder) error {
	c := p.peek()
	if k := strings.IndexByte(`"\/bfnrt`, c); k >= 0 && p.i < len(p.s) {
		b.WriteByte("\"\\/\b\f\n\r\t"[k])
		p.i++
		return nil
	}
	if c != 'u' {
		return p.fail()
	}
	r, err := p.hex4()
	if err != nil || !p.jsonb {
		return err
	}
	untranslatable := func(code, detail string) error {
		return &ValueError{Code: code, Message: "invalid input syntax for type json", Detail: detail}
	}
	switch {
	case r == 0:
		return &ValueError{
			Code: codeUntranslatable, Message: "unsupported Unicode escape sequence",
			Detail: "\\u0000 cannot be converted to text.",
		}
	case r >= 0xDC00 && r < 0xE000:
		return untranslatable(codeSyntax, "Unicode low surrogate must follow a high surrogate.")
	case r >= 0xD800 && r < 0xDC00:
		if !strings.HasPrefix(p.s[p.i:], `\u`) {
			return untranslatable(codeSyntax, "Unicode low surrogate must follow a high surrogate.")
		}
		p.i++
		low, err := p.hex4()
		if err != nil {
			return err
		}
		if low < 0xDC00 || low >= 0xE000 {
			return untranslatable(codeSyntax, "Unicode low surrogate must follow a high surrogate.")
		}
		r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
	}
	b.WriteRune(r)
	return nil
}

// hex4 reads the u of an escape and its four digits.
func (p *jsonParser) hex4() (rune, error) {
	p.i++
	var r rune
	for range 4 {
		d := digitValue(p.peek())
		if d > 15 {
			return 0, p.fail()
		}
		r = r<<4 | rune(d)
		p.i++
	}
	return r, nil
}

// String prints the value as jsonb_out does.
func (v *jsonValue) String() string {
	var b strings.Builder
	v.write(&b)
	return b.String()
}

func (v *jsonValue) write(b *strings.Builder) {
	switch v.kind {
	case jsonNull:
		b.WriteString("null")
	case jsonBool:
		if v.truthy {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
	case jsonNumber:
		b.WriteString(v.n.String())
	case jsonString:
		writeJSONString(b, v.s)
	case jsonArray:
		b.WriteByte('[')
		for i, e := range v.list {
			if i > 0 {
				b.WriteString(", ")
			}
			e.write(b)
		}
		b.WriteByte(']')
	case jsonObject:
		b.WriteByte('{')
		for i, e := range v.list {
			if i > 0 {
				b.WriteString(", ")
			}
			writeJSONString(b, v.keys[i])
			b.WriteString(": ")
			e.write(b)
		}
		b.WriteByte('}')
	}
}

// writeJSONString quotes a string as escape_json does (json.c).
func writeJSONString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\f':
			b.WriteString(`\f`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ':
			fmt.Fprintf(b, "\\u%04x", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
