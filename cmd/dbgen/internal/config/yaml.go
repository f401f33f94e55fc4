package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// reader reads a YAML tree strictly: what is unknown or of another type is an
// error at its place. The library's own decoder is not used for dbgen.yaml: to
// it a key spelled null is the value null, and its messages speak of Go types.
type reader struct {
	file  *source.File
	diags *diag.List
	// spans are the places of values by key: "postgres", "findings.PL001",
	// "queries[0]".
	spans map[string]source.Span
}

// field is a key that may stand in a mapping, and what takes its value.
type field struct {
	key  string
	read func(ast.Node)
}

// parse returns the tree of the first document; nil for an empty file, and
// where there is an error.
func (r *reader) parse() ast.Node {
	tree, err := parser.ParseBytes([]byte(r.file.Text), 0)
	if err != nil {
		r.add(syntaxError(r.file, err))
		return nil
	}
	var bodies []ast.Node
	for _, d := range tree.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) > 1 {
		r.fail(bodies[1], "a configuration is one YAML document, this is a second")
		return nil
	}
	if len(bodies) == 0 {
		return nil
	}
	return bodies[0]
}

// syntaxError gives an error of the YAML library its place.
func syntaxError(f *source.File, err error) diag.Diagnostic {
	d := diag.Diagnostic{Severity: diag.Error, Code: "config", Message: "not YAML: " + err.Error(), File: f}
	var ye yaml.Error
	if errors.As(err, &ye) {
		d.Message = ye.GetMessage()
		if t := ye.GetToken(); t != nil {
			d.Span = tokenSpan(f, t)
		}
	}
	return d
}

func (r *reader) add(d diag.Diagnostic) { r.diags.Add(d) }

func (r *reader) fail(n ast.Node, format string, args ...any) {
	r.add(diag.Diagnostic{
		Severity: diag.Error, Code: "config", Message: fmt.Sprintf(format, args...), File: r.file, Span: r.span(n),
	})
}

// span is the place of a node; of a mapping or list, where it begins.
func (r *reader) span(n ast.Node) source.Span {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return r.span(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return r.span(n.Key)
	case *ast.TagNode:
		return r.span(n.Value)
	}
	return tokenSpan(r.file, n.GetToken())
}

func tokenSpan(f *source.File, t *token.Token) source.Span {
	// The library counts columns in characters.
	start := 0
	for line := 1; line < t.Position.Line; line++ {
		next := strings.IndexByte(f.Text[start:], '\n')
		if next < 0 {
			return source.Span{}
		}
		start += next + 1
	}
	for range t.Position.Column - 1 {
		if start >= len(f.Text) || f.Text[start] == '\n' {
			break
		}
		start++
		for start < len(f.Text) && f.Text[start]&0xC0 == 0x80 {
			start++
		}
	}
	end := start + len(strings.TrimSpace(t.Origin))
	if line := strings.IndexByte(f.Text[min(start, len(f.Text)):], '\n'); line >= 0 {
		end = min(end, start+line)
	}
	return source.Span{Start: start, End: min(max(end, start+1), len(f.Text))}
}

// entries returns the pairs of a mapping, in one form for all of the library's.
func entries(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// mapping reads a mapping of known keys. prefix stands in front of them in the
// names of places.
func (r *reader) mapping(n ast.Node, prefix string, fields []field) {
	list, ok := entries(n)
	if !ok {
		r.fail(n, "a mapping is wanted, key: value, not %s", describe(n))
		return
	}
	seen := map[string]bool{}
	for _, e := range list {
		key := keyText(e.Key)
		if seen[key] {
			r.fail(e.Key, "the key %q stands here a second time", key)
			continue
		}
		seen[key] = true
		at := -1
		var known []string
		for i, f := range fields {
			known = append(known, f.key)
			if f.key == key {
				at = i
			}
		}
		if at < 0 {
			d := diag.Diagnostic{
				Severity: diag.Error, Code: "config", Message: fmt.Sprintf("unknown key %q", key), File: r.file, Span: r.span(e.Key),
			}
			if near, ok := diag.DidYouMean(key, known); ok {
				d.Hint = fmt.Sprintf("did you mean %q?", near)
			} else {
				d.Hint = "the keys are " + strings.Join(known, ", ")
			}
			r.add(d)
			continue
		}
		r.spans[prefix+key] = r.span(e.Key)
		if e.Value.Type() == ast.NullType {
			continue // a key without a value is as if left out
		}
		r.spans[prefix+key] = r.span(e.Value)
		if seq, ok := e.Value.(*ast.SequenceNode); ok {
			for i, v := range seq.Values {
				r.spans[fmt.Sprintf("%s%s[%d]", prefix, key, i)] = r.span(v)
			}
		}
		fields[at].read(e.Value)
	}
}

// nested reads a mapping of known keys that is a value.
func (r *reader) nested(prefix string, fields []field) func(ast.Node) {
	return func(n ast.Node) { r.mapping(n, prefix, fields) }
}

// keyText is a key as written; the library takes null and true for values.
func keyText(k ast.MapKeyNode) string {
	if s, ok := k.(*ast.StringNode); ok {
		return s.Value
	}
	return k.GetToken().Value
}

// describe says what a node is, for a message.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return strconv.Quote(n.Value)
	case *ast.LiteralNode:
		return "a block of text"
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode:
		return "an anchor, alias or tag"
	}
	return n.GetToken().Value
}

func (r *reader) number(to *int) func(ast.Node) {
	return func(n ast.Node) {
		if i, ok := n.(*ast.IntegerNode); ok {
			if v, err := strconv.Atoi(i.GetToken().Value); err == nil {
				*to = v
				return
			}
		}
		r.fail(n, "a number is wanted, not %s", describe(n))
	}
}

func (r *reader) text(to *string) func(ast.Node) {
	return func(n ast.Node) {
		if s, ok := r.scalar(n); ok {
			*to = s
			return
		}
		r.fail(n, "a text is wanted, not %s", describe(n))
	}
}

// scalar is a text; a plain number, as in a path that is one, counts as well.
func (r *reader) scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", false
}

func (r *reader) boolean(to **bool) func(ast.Node) {
	return func(n ast.Node) {
		if b, ok := n.(*ast.BoolNode); ok {
			v := b.Value
			*to = &v
			return
		}
		r.fail(n, "true or false is wanted, not %s", describe(n))
	}
}

// list reads a list of texts; of says what they are.
func (r *reader) list(to *[]string, of string) func(ast.Node) {
	return func(n ast.Node) {
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			r.fail(n, "a list of %s is wanted, [a, b], not %s", of, describe(n))
			return
		}
		for _, v := range seq.Values {
			s, ok := r.scalar(v)
			if !ok || s == "" {
				r.fail(v, "a path is wanted, not %s", describe(v))
				continue
			}
			*to = append(*to, s)
		}
	}
}

// words reads a mapping of any keys to texts; check is called for each pair.
func (r *reader) words(prefix string, to *map[string]string) func(ast.Node) {
	return func(n ast.Node) {
		list, ok := entries(n)
		if !ok {
			r.fail(n, "a mapping is wanted, key: value, not %s", describe(n))
			return
		}
		*to = map[string]string{}
		for _, e := range list {
			key := keyText(e.Key)
			if _, ok := (*to)[key]; ok {
				r.fail(e.Key, "the key %q stands here a second time", key)
				continue
			}
			v := e.Value.GetToken().Value // off is a boolean to YAML 1.1
			if _, scalar := e.Value.(ast.ScalarNode); !scalar {
				r.fail(e.Value, "a text is wanted, not %s", describe(e.Value))
				continue
			}
			(*to)[key] = v
			r.spans[prefix+key+":"] = r.span(e.Key)
			r.spans[prefix+key] = r.span(e.Value)
		}
	}
}
