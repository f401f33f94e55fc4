package selectivity

import "strings"

// tsNode is a node of a text search query: a lexeme, or an operator: ! & | and
// < for the phrase operator.
type tsNode struct {
	op          byte // 0 for a lexeme
	lexeme      string
	prefix      bool
	left, right *tsNode
}

// parseTSQuery reads a tsquery (parse_tsquery, tsquery.c): lexemes with or
// without quotes. A nil node is the empty query.
func parseTSQuery(s string) (*tsNode, bool) {
	p := &tsParser{s: s}
	p.space()
	if p.at == len(p.s) {
		return nil, true
	}
	n, ok := p.or()
	p.space()
	return n, ok && p.at == len(p.s)
}

type tsParser struct {
	s  string
	at int
}

func (p *tsParser) space() {
	for p.at < len(p.s) && p.s[p.at] == ' ' {
		p.at++
	}
}

func (p *tsParser) next(c byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *tsParser) or() (*tsNode, bool) {
	n, ok := p.and()
	for ok && p.next('|') {
		var r *tsNode
		if r, ok = p.and(); ok {
			n = &tsNode{op: '|', left: n, right: r}
		}
	}
	return n, ok
}

func (p *tsParser) and() (*tsNode, bool) {
	n, ok := p.phrase()
	for ok && p.next('&') {
		var r *tsNode
		if r, ok = p.phrase(); ok {
			n = &tsNode{op: '&', left: n, right: r}
		}
	}
	return n, ok
}

func (p *tsParser) phrase() (*tsNode, bool) {
	n, ok := p.not()
	for ok && p.next('<') {
		end := strings.IndexByte(p.s[p.at:], '>')
		if end < 0 {
			return nil, false
		}
		p.at += end + 1
		var r *tsNode
		if r, ok = p.not(); ok {
			n = &tsNode{op: '<', left: n, right: r}
		}
	}
	return n, ok
}

func (p *tsParser) not() (*tsNode, bool) {
	if p.next('!') {
		n, ok := p.not()
		return &tsNode{op: '!', left: n}, ok
	}
	if p.next('(') {
		n, ok := p.or()
		return n, ok && p.next(')')
	}
	return p.word()
}

// word reads lexeme:ABCD* or 'lexeme':ABCD*, in which quotes and backslashes are
// doubled.
func (p *tsParser) word() (*tsNode, bool) {
	if !p.next('\'') {
		end := strings.IndexAny(p.s[p.at:], " \t\n!&|()<>:'\\")
		if end < 0 {
			end = len(p.s) - p.at
		}
		if end == 0 {
			return nil, false
		}
		n := &tsNode{lexeme: p.s[p.at : p.at+end]}
		p.at += end
		p.weights(n)
		return n, true
	}
	var b strings.Builder
	for {
		if p.at >= len(p.s) {
			return nil, false
		}
		c := p.s[p.at]
		p.at++
		if c == '\'' || c == '\\' {
			if p.at < len(p.s) && p.s[p.at] == c {
				p.at++
			} else if c == '\'' {
				break
			}
		}
		b.WriteByte(c)
	}
	n := &tsNode{lexeme: b.String()}
	p.weights(n)
	return n, true
}

// weights reads the weights and the mark of a prefix behind a lexeme.
func (p *tsParser) weights(n *tsNode) {
	if p.at < len(p.s) && p.s[p.at] == ':' {
		p.at++
		for p.at < len(p.s) && strings.IndexByte("*ABCDabcd", p.s[p.at]) >= 0 {
			n.prefix = n.prefix || p.s[p.at] == '*'
			p.at++
		}
	}
}

// lexemes are a column's most common lexemes.
type lexemes struct {
	known bool
	words []string
	freqs []float64
	least float32
}

// selectivity is tsquery_opr_selec (ts_selfuncs.c): lexemes are independent.
func (t *lexemes) selectivity(n *tsNode) float64 {
	switch n.op {
	case '!':
		return clamp(1.0 - t.selectivity(n.left))
	case '&', '<':
		// The server goes through the right operand first, which comes to
		// the same.
		return clamp(t.selectivity(n.right) * t.selectivity(n.left))
	case '|':
		s1, s2 := t.selectivity(n.right), t.selectivity(n.left)
		return clamp(s1 + s2 - float64(s1*s2))
	}
	if n.prefix {
		return t.prefix(n.lexeme)
	}
	if !t.known {
		return defaultTSMatch
	}
	for i, w := range t.words {
		if w == n.lexeme {
			return clamp(t.freqs[i])
		}
	}
	return clamp(min(defaultTSMatch, float64(t.least/2)))
}

// prefix estimates word:* by the common lexemes that start so.
func (t *lexemes) prefix(word string) float64 {
	if !t.known || len(t.words) < 100 {
		return defaultTSMatch * 4
	}
	matched, all, n := 0.0, 0.0, 0
	for i, w := range t.words {
		f := t.freqs[i]
		if strings.HasPrefix(w, word) {
			matched += f - float64(matched*f)
			n++
		}
		all += f - float64(all*f)
	}
	matched, all = clamp(matched), clamp(all)
	s := matched + float64((1.0-all)*(float64(n)/float64(len(t.words))))
	return clamp(max(min(defaultTSMatch, float64(t.least/2)), s))
}
