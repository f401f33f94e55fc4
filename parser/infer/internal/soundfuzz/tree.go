// Package soundfuzz makes random schemas, data and queries, and holds what
// parser/analyze and parser/infer say of each query against what a server says
// and returns: parameters, columns, errors, NULLs, array elements, row counts and
// whether a statement writes. Only its own test uses it.
//
// A statement is built as a tree of text, so that one that shows a fault can be
// cut down to what the fault needs.
package soundfuzz

import (
	"slices"
	"strings"
)

// node is a piece of SQL: its own text, or kids with sep between them.
type node struct {
	text string
	kids []*node
	sep  string
	// typ tells expressions that may stand for one another; "" for what is none.
	typ string
	// optional pieces may be left out; of a list all kids but min.
	optional, list bool
	min            int
}

// seq joins pieces, strings and nodes, by spaces.
func seq(parts ...any) *node {
	n := &node{sep: " "}
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			n.kids = append(n.kids, &node{text: p})
		case *node:
			if p != nil {
				n.kids = append(n.kids, p)
			}
		}
	}
	return n
}

// expression is a piece that another of its type may stand for.
func expression(typ string, parts ...any) *node {
	n := seq(parts...)
	n.typ = typ
	return n
}

// maybe is a piece that may be left out.
func maybe(parts ...any) *node {
	n := seq(parts...)
	n.optional = true
	return n
}

// listOf is a list of which at least min entries must stay.
func listOf(sep string, least int, kids ...*node) *node {
	return &node{sep: sep, kids: kids, list: true, min: least}
}

// String is the text.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	b.WriteString(n.text)
	first := true
	for _, k := range n.kids {
		if k.list && len(k.kids) == 0 {
			continue
		}
		if !first {
			b.WriteString(n.sep)
		}
		first = false
		k.write(b)
	}
}

// shrink leaves out and replaces pieces of n as long as fails holds, for at most
// budget tries.
func shrink(n *node, budget int, fails func() bool) {
	for again := true; again && budget > 0; {
		again = false
		var all []*node
		var collect func(*node)
		collect = func(x *node) {
			all = append(all, x)
			for _, k := range x.kids {
				collect(k)
			}
		}
		collect(n)
		try := func(x *node, edit func()) bool {
			if budget <= 0 {
				return false
			}
			budget--
			saved := *x
			saved.kids = slices.Clone(x.kids)
			edit()
			if fails() {
				again = true
				return true
			}
			*x = saved
			return false
		}
		for _, x := range all {
			for i := 0; i < len(x.kids); i++ {
				if x.kids[i].optional || x.list && len(x.kids) > x.min {
					if try(x, func() { x.kids = slices.Delete(x.kids, i, i+1) }) {
						i--
					}
				}
			}
			if x.typ == "" || len(x.kids) == 0 {
				continue
			}
			for _, d := range within(x) {
				if try(x, func() { *x = *d }) {
					break
				}
			}
			if len(x.kids) > 0 && len(x.String()) > 12 {
				_ = try(x, func() { *x = node{text: "NULL::" + x.typ, typ: x.typ} })
			}
		}
	}
}

// within are the expressions of x's type below it, the smallest first.
func within(x *node) []*node {
	var out []*node
	var walk func(*node)
	walk = func(y *node) {
		for _, k := range y.kids {
			if k.typ == x.typ {
				out = append(out, k)
			}
			walk(k)
		}
	}
	walk(x)
	slices.SortStableFunc(out, func(a, b *node) int { return len(a.String()) - len(b.String()) })
	return out[:min(len(out), 6)]
}
