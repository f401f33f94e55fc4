package eval

import (
	"bytes"
	"encoding/json"

	"github.com/dbgen/dbgen/parser/pgtype"
)

func jsonFunctions() map[string]impl {
	contains := func(outer, inner int) impl {
		return func(c *call) (pgtype.Datum, bool) {
			a, ok := jsonTree(c.args[outer])
			b, ok2 := jsonTree(c.args[inner])
			if !ok || !ok2 {
				return none()
			}
			return pgtype.NewBool(jsonContains(a, b, true)), true
		}
	}
	return map[string]impl{
		"jsonb_contains":  contains(0, 1),
		"jsonb_contained": contains(1, 0),
		"jsonb_exists": func(c *call) (pgtype.Datum, bool) {
			a, ok := jsonTree(c.args[0])
			return pgtype.NewBool(jsonHas(a, c.text(1))), ok
		},
	}
}

func jsonTree(v pgtype.Datum) (any, bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(v.Text())))
	d.UseNumber()
	var x any
	err := d.Decode(&x)
	return x, err == nil
}

// jsonHas is the ? operator: a key of an object, a string of an array, or the
// string itself.
func jsonHas(v any, key string) bool {
	switch n := v.(type) {
	case map[string]any:
		_, ok := n[key]
		return ok
	case []any:
		for _, x := range n {
			if s, ok := x.(string); ok && s == key {
				return true
			}
		}
	case string:
		return n == key
	}
	return false
}

// jsonContains is the @> operator (JsonbDeepContains, jsonb_util.c): objects by
// their keys, arrays as sets; on top an array may contain a bare scalar.
func jsonContains(a, b any, top bool) bool {
	switch y := b.(type) {
	case map[string]any:
		x, ok := a.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range y {
			w, ok := x[k]
			if !ok || !jsonContains(w, v, false) {
				return false
			}
		}
		return true
	case []any:
		x, ok := a.([]any)
		if !ok {
			return false
		}
		for _, v := range y {
			if !jsonAmong(x, v) {
				return false
			}
		}
		return true
	}
	if x, ok := a.([]any); ok {
		return top && jsonAmong(x, b)
	}
	return jsonScalarEqual(a, b)
}

func jsonAmong(list []any, v any) bool {
	for _, w := range list {
		if jsonContains(w, v, false) {
			return true
		}
	}
	return false
}

func jsonScalarEqual(a, b any) bool {
	x, ok := a.(json.Number)
	y, ok2 := b.(json.Number)
	if ok && ok2 {
		p, err := pgtype.ParseNumeric(x.String(), 16)
		q, err2 := pgtype.ParseNumeric(y.String(), 16)
		return err == nil && err2 == nil && p.Cmp(q) == 0
	}
	if ok != ok2 {
		return false
	}
	switch a.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}
