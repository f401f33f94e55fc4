package infer

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// document is what is known of a JSON document. The zero one knows nothing.
type document struct {
	// some: it is not the JSON null, which ->> and casts make NULL.
	some bool
	// keys: it is an object that has these; closed: and no others. nil for what is
	// not known to be an object.
	keys   map[string]*document
	closed bool
	// items: it is an array of just these, nil for what is not known to be one.
	items []*document
}

// maxDocument bounds the constants that are read, in bytes.
const maxDocument = 1 << 14

func isJSON(typ pgOID) bool { return typ == pgtype.JsonOID || typ == pgtype.JsonbOID }

// meetJSON is what is known of one of two documents.
func meetJSON(a, b *document) *document {
	if a == nil || b == nil {
		return nil
	}
	out := &document{some: a.some && b.some}
	if a.keys != nil && b.keys != nil {
		out.keys, out.closed = map[string]*document{}, a.closed && b.closed && len(a.keys) == len(b.keys)
		for k, x := range a.keys {
			if y, ok := b.keys[k]; ok {
				out.keys[k] = orUnknown(meetJSON(x, y))
			} else {
				out.closed = false
			}
		}
	}
	return out
}

func orUnknown(d *document) *document {
	if d == nil {
		return &document{}
	}
	return d
}

// readDocument reads a constant; nil for one that is too long or names a key twice.
func readDocument(text string) *document {
	if len(text) > maxDocument {
		return nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	d, ok := readValue(dec)
	if !ok {
		return nil
	}
	return d
}

func readValue(dec *json.Decoder) (*document, bool) {
	tok, err := dec.Token()
	if err != nil {
		return nil, false
	}
	delim, ok := tok.(json.Delim)
	switch {
	case !ok:
		return &document{some: tok != nil}, true
	case delim == '{':
		d := &document{some: true, keys: map[string]*document{}, closed: true}
		for dec.More() {
			k, err := dec.Token()
			key, isText := k.(string)
			if err != nil || !isText {
				return nil, false
			}
			v, ok := readValue(dec)
			if _, twice := d.keys[key]; !ok || twice {
				return nil, false
			}
			d.keys[key] = v
		}
		_, err = dec.Token()
		return d, err == nil
	}
	d := &document{some: true, items: []*document{}}
	for dec.More() {
		v, ok := readValue(dec)
		if !ok {
			return nil, false
		}
		d.items = append(d.items, v)
	}
	_, err = dec.Token()
	return d, err == nil
}

// asDocument is the document that to_jsonb and its kin make of a value.
func (s *scope) asDocument(e query.Expr, v value) *document {
	typ := s.cat.BaseType(e.ResultType())
	t := s.cat.Type(typ)
	switch {
	case v.null:
		return &document{}
	case isJSON(typ):
		if !v.notNull {
			return &document{}
		}
		return orUnknown(v.json)
	case t == nil || t.OID >= pgtype.FirstNormalOID && t.Kind != 'c' && s.cat.Cast(typ, pgtype.JsonOID) != nil:
		// A type of a user's may have a cast to json of its own.
		return &document{}
	case v.notNull && v.fields != nil && (t.Kind == 'c' || typ == pgtype.RecordOID):
		names := s.fieldNames(e)
		d := &document{some: true}
		if len(names) == len(v.fields) {
			d.keys, d.closed = map[string]*document{}, true
			for i, name := range names {
				if name != "" {
					d.keys[name] = &document{some: v.fields[i].notNull && v.fields[i].json == nil && s.scalarField(e, i)}
				}
			}
		}
		return d
	}
	return &document{some: v.notNull}
}

// fieldNames are the names of a row's fields, "" for a dropped column.
func (s *scope) fieldNames(e query.Expr) []string {
	switch n := e.(type) {
	case *query.RowExpr:
		if n.ColNames != nil {
			return n.ColNames
		}
		var out []string
		for i := range n.Args {
			out = append(out, fmt.Sprintf("f%d", i+1))
		}
		return out
	case *query.Var:
		if at := s.up(n.LevelsUp); at != nil && n.AttNo == 0 && n.VarNo <= len(at.q.RangeTable) {
			return at.q.RTE(n.VarNo).ERef.Columns
		}
	}
	return nil
}

// scalarField reports whether a field of a row becomes a JSON value that is null for
// NULL alone: one that is JSON itself may be null besides.
func (s *scope) scalarField(e query.Expr, i int) bool {
	var typ pgOID
	switch n := e.(type) {
	case *query.RowExpr:
		typ = n.Args[i].ResultType()
	case *query.Var:
		at := s.up(n.LevelsUp)
		if at == nil {
			return false
		}
		if rte := at.q.RTE(n.VarNo); rte.Kind == query.RTERelation {
			if t := s.cat.Table(rte.Relation); t != nil && t.Attr(i+1) != nil {
				typ = t.Attr(i + 1).Type
			}
		}
	}
	return typ != 0 && !isJSON(typ) && typ < pgtype.FirstNormalOID
}

// jsonFunction adds what a built-in function's JSON result is known to hold, and
// looks into documents that are known.
func (s *scope) jsonFunction(f *catalog.Func, args []query.Expr, variadic bool, v *value) {
	arg := func(i int) (query.Expr, value) {
		if i < len(args) {
			return args[i], s.value(args[i])
		}
		return nil, value{}
	}
	switch f.Source {
	case "json_build_object", "jsonb_build_object":
		if !variadic {
			v.json = s.buildObject(args)
		}
	case "json_build_object_noargs", "jsonb_build_object_noargs":
		v.json = &document{some: true, keys: map[string]*document{}, closed: true}
	case "json_build_array", "jsonb_build_array":
		if !variadic {
			v.json = &document{some: true, items: []*document{}}
			for _, a := range args {
				v.json.items = append(v.json.items, s.asDocument(a, s.value(a)))
			}
		}
	case "to_json", "to_jsonb", "row_to_json", "row_to_json_pretty":
		if e, x := arg(0); e != nil {
			v.json = s.asDocument(e, x)
		}
	case "jsonb_concat":
		_, a := arg(0)
		_, b := arg(1)
		v.json = concat(a.json, b.json)
	case "jsonb_object_field", "json_object_field", "jsonb_object_field_text", "json_object_field_text":
		_, x := arg(0)
		if key, ok := constText(args, 1); ok {
			lookInto(v, x, []string{key}, strings.HasSuffix(f.Source, "_text"))
		}
	case "jsonb_array_element", "json_array_element", "jsonb_array_element_text", "json_array_element_text":
		_, x := arg(0)
		if key, ok := constText(args, 1); ok && x.json != nil && x.json.items != nil {
			lookInto(v, x, []string{key}, strings.HasSuffix(f.Source, "_text"))
		}
	case "jsonb_extract_path", "json_extract_path", "jsonb_extract_path_text", "json_extract_path_text":
		_, x := arg(0)
		if len(args) != 2 {
			return
		}
		if list, ok := s.elementsOf(args[1]); ok {
			var path []string
			for i := range list {
				key, ok := constText(list, i)
				if !ok {
					return
				}
				path = append(path, key)
			}
			lookInto(v, x, path, strings.HasSuffix(f.Source, "_text"))
		}
	}
}

// buildObject is json_build_object of keys and values by turns.
func (s *scope) buildObject(args []query.Expr) *document {
	d := &document{some: true, keys: map[string]*document{}, closed: true}
	for i := 0; i+1 < len(args); i += 2 {
		key, ok := constText(args, i)
		if !ok {
			d.closed = false
			continue
		}
		doc := s.asDocument(args[i+1], s.value(args[i+1]))
		if _, twice := d.keys[key]; twice {
			doc = &document{}
		}
		d.keys[key] = doc
	}
	if !d.closed {
		// A key that is not known may be one of the others again.
		for k := range d.keys {
			d.keys[k] = &document{}
		}
	}
	return d
}

// concat is || of two documents: the keys of the second win.
func concat(a, b *document) *document {
	if a == nil || b == nil || a.keys == nil || b.keys == nil {
		return nil
	}
	out := &document{some: true, keys: maps.Clone(a.keys), closed: a.closed && b.closed}
	if !b.closed {
		for k := range out.keys {
			out.keys[k] = &document{}
		}
	}
	maps.Copy(out.keys, b.keys)
	return out
}

// constText is a constant argument as a key.
func constText(args []query.Expr, i int) (string, bool) {
	if i >= len(args) {
		return "", false
	}
	e := args[i]
	if r, ok := e.(*query.RelabelType); ok {
		e = r.Arg
	}
	k, ok := e.(*query.Const)
	if !ok || k.Null {
		return "", false
	}
	switch k.Typ {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.UnknownOID, pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return k.Value, true
	}
	// Others are written otherwise as a key: true for t.
	return "", false
}

// lookInto is the value at a path of a document, as text or as JSON.
func lookInto(v *value, x value, path []string, text bool) {
	if !x.notNull || x.json == nil {
		return
	}
	d := x.json
	for _, key := range path {
		var next *document
		if d.keys != nil {
			next = d.keys[key]
		} else if i, err := strconv.Atoi(key); err == nil && d.items != nil {
			if i < 0 {
				i += len(d.items)
			}
			if i >= 0 && i < len(d.items) {
				next = d.items[i]
			}
		}
		if next == nil {
			return
		}
		d = next
	}
	switch {
	case !text:
		*v = never("the document has the key")
		v.json = d
	case d.some:
		*v = never("the document has the key, and its value is not null")
	}
}

// jsonSubscript is document[key].
func (s *scope) jsonSubscript(n *query.SubscriptingRef, c value) value {
	v := maybe("the document may not have the key")
	if len(n.Lower) > 0 {
		return v
	}
	var path []string
	for i := range n.Upper {
		key, ok := constText(n.Upper, i)
		if !ok {
			return v
		}
		path = append(path, key)
	}
	lookInto(&v, c, path, false)
	return v
}

// jsonExpr is a SQL/JSON constructor or test.
func (s *scope) jsonExpr(n *query.JSONExpr) value {
	switch {
	case n.Func != nil:
		return s.value(n.Func)
	case n.Op == "JSON_OBJECT" || n.Op == "JSON_ARRAY":
		return never(n.Op)
	case strings.HasPrefix(n.Op, "IS JSON"):
		return s.all("operand", n.Args)
	}
	return maybe(n.Op)
}
