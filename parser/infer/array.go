package infer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// constant is a constant, with what its text says of its parts.
func constant(cat *catalog.Catalog, n *query.Const) value {
	if n.Null {
		return value{null: true, elements: true, why: doubtPrefix + "NULL constant"}
	}
	v := never("a constant")
	if t := cat.Type(n.Typ); t != nil && t.IsArray() {
		v.elements = !strings.Contains(strings.ToUpper(n.Value), "NULL")
		if list, ok := arrayElements(n.Value); ok && commas(cat, t) {
			v.elements = !slices.ContainsFunc(list, func(x arrayElement) bool { return x.null })
		}
	}
	if isJSON(n.Typ) {
		v.json = readDocument(n.Value)
	}
	return v
}

// commas reports whether commas part an array's elements, as they do but for box.
func commas(cat *catalog.Catalog, t *catalog.Type) bool {
	elem := cat.Type(t.Element)
	return elem != nil && (elem.Delim == ',' || elem.Delim == 0)
}

// arrayElement is one element of an array's text.
type arrayElement struct {
	text string
	null bool
}

// arrayElements reads the text of an array of one dimension, as its output function
// writes it (array_out, arrayfuncs.c); false for another.
func arrayElements(text string) ([]arrayElement, bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, false
	}
	text = text[1 : len(text)-1]
	var out []arrayElement
	for len(text) > 0 {
		var b strings.Builder
		quoted := text[0] == '"'
		i := 0
		if quoted {
			for i = 1; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
				if i < len(text) {
					b.WriteByte(text[i])
				}
			}
			i++
		} else {
			for ; i < len(text) && text[i] != ','; i++ {
				if strings.IndexByte("{}\"\\", text[i]) >= 0 {
					return nil, false
				}
				b.WriteByte(text[i])
			}
		}
		if i > len(text) || i < len(text) && text[i] != ',' || i == len(text)-1 {
			return nil, false
		}
		out = append(out, arrayElement{b.String(), !quoted && strings.EqualFold(b.String(), "NULL")})
		if i == len(text) {
			break
		}
		text = text[i+1:]
	}
	return out, true
}

// length is how many elements an array has that is written out, -1 where it is not.
func (s *scope) length(e query.Expr) int {
	if list, ok := s.elementsOf(e); ok {
		return len(list)
	}
	if n, ok := e.(*query.ArrayCoerceExpr); ok {
		return s.length(n.Arg)
	}
	return -1
}

// arrayValue is ARRAY[…]: values that are arrays themselves become a dimension.
func (s *scope) arrayValue(n *query.ArrayExpr) value {
	v := never("ARRAY[…] is never NULL itself")
	v.elements = true
	for i, e := range n.Elements {
		x := s.value(e)
		v.elements = v.elements && x.notNull && (!n.Multidims || x.elements)
		if n.Multidims {
			continue
		}
		if i == 0 {
			v.elem = &x
		} else {
			v.elem = meetElem(v.elem, &x)
		}
	}
	return v
}

// arrayOf is what is known of an array that is made of values: those that are arrays
// themselves become a dimension, and their elements the elements.
func (s *scope) arrayOf(typ pgOID, v value) (elements bool, elem *value) {
	if t := s.cat.Type(typ); t == nil || t.IsArray() || t.Kind == 'd' {
		return v.notNull && v.elements, nil
	}
	return v.notNull, &v
}

// subscript is container[…]: a slice is never NULL for bounds that are not, an
// element may lie outside.
func (s *scope) subscript(n *query.SubscriptingRef) value {
	if n.Assign != nil {
		return maybe("an assignment to a part of a value may give NULL")
	}
	c := s.value(n.Container)
	if t := s.cat.Type(s.cat.BaseType(n.ContainerType)); t == nil || !t.IsArray() {
		if t != nil && isJSON(t.OID) {
			return s.jsonSubscript(n, c)
		}
		return maybe("a subscript may find nothing")
	}
	if len(n.Lower) > 0 {
		v := value{notNull: c.notNull, elements: c.elements, elem: c.elem, why: c.why}
		for _, list := range [][]query.Expr{n.Lower, n.Upper} {
			for _, b := range list {
				if b != nil && !s.value(b).notNull {
					v.notNull = false
					return v.because("a bound of the slice can be NULL")
				}
			}
		}
		return v.because("a slice of an array (" + c.reason() + ")")
	}
	v := maybe("an element may lie outside of the array")
	if c.elem != nil {
		v.elements, v.elem, v.fields, v.json = c.elem.elements, c.elem.elem, c.elem.fields, c.elem.json
	}
	if len(n.Upper) == 1 && n.Upper[0] != nil {
		list, ok := s.elementsOf(n.Container)
		k, isConst := n.Upper[0].(*query.Const)
		if ok && isConst && !k.Null {
			if i, err := strconv.Atoi(k.Value); err == nil && i >= 1 && i <= len(list) {
				return s.value(list[i-1])
			}
		}
	}
	return v
}

// arrayFunction adds what a built-in function's array result is known to hold.
func (s *scope) arrayFunction(f *catalog.Func, args []query.Expr, v *value) {
	part := func(i int) value {
		if i < len(args) {
			return s.value(args[i])
		}
		return value{}
	}
	switch f.Source {
	case "array_append", "array_prepend":
		list, one := part(0), part(1)
		if f.Source == "array_prepend" {
			list, one = one, list
		}
		v.elements = list.elements && one.notNull
		v.elem = meetElem(list.elem, &one)
		if list.null {
			v.elem = &one
		}
	case "array_cat":
		a, b := part(0), part(1)
		m := meet(a, b)
		v.elements, v.elem = m.elements, m.elem
	case "array_remove":
		list := part(0)
		v.elements, v.elem = list.elements || part(1).null, list.elem
	case "array_replace":
		list := part(0)
		v.elements = part(2).notNull && (list.elements || part(1).null)
	case "array_fill", "array_fill_with_lower_bounds":
		v.elements = part(0).notNull
	case "text_to_array", "regexp_split_to_array", "regexp_split_to_array_no_flags", "tsvector_to_array", "current_schemas",
		"array_positions", "parse_ident", "pg_blocking_pids", "pg_safe_snapshot_blocking_pids", "show_trgm":
		v.elements = true
	case "text_to_array_null":
		v.elements = part(2).null
	case "trim_array", "array_shuffle", "array_sample", "array_reverse", "array_sort", "array_sort_order", "array_sort_order_nulls_first", "array_larger", "array_smaller":
		list := part(0)
		v.elements, v.elem = list.elements, list.elem
		if f.Source == "array_larger" || f.Source == "array_smaller" {
			v.elements = v.elements && part(1).elements
		}
	}
}
