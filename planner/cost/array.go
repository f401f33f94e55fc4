package cost

import (
	"github.com/dbgen/dbgen/parser/query"
)

// defaultArrayLength is what the planner takes an unknown array to hold
// (estimate_array_length, selfuncs.c).
const defaultArrayLength = 10

// ArrayLength guesses the number of elements of an array from the expression
// alone (estimate_array_length, selfuncs.c). known is false where PostgreSQL
// from 17 on would look for the column's statistics.
func ArrayLength(e query.Expr) (n float64, known bool) {
	e = stripArray(e)
	switch e := e.(type) {
	case *query.Const:
		if e.Null {
			return 0, true
		}
		return float64(CountElements(e.Value)), true
	case *query.ArrayExpr:
		if !e.Multidims {
			return float64(len(e.Elements)), true
		}
	case *query.Param:
		return defaultArrayLength, true
	}
	return defaultArrayLength, false
}

// stripArray looks through casts that keep the number of elements
// (strip_array_coercion, selfuncs.c).
func stripArray(e query.Expr) query.Expr {
	for {
		switch n := e.(type) {
		case *query.ArrayCoerceExpr:
			// Only a cast of elements that merely relabels them is looked
			// through.
			elem := n.Elem
			if r, ok := elem.(*query.RelabelType); ok {
				elem = r.Arg
			} else {
				return e
			}
			if _, ok := elem.(*query.CaseTestExpr); !ok {
				return e
			}
			e = n.Arg
		case *query.RelabelType:
			e = n.Arg
		default:
			return e
		}
	}
}

// CountElements counts the elements of an array in text form, whatever its
// dimensions. A box array separates with semicolons; both separators are
// counted only outside of quotes and of an element's own parentheses.
func CountElements(text string) int {
	n, quoted, open := 0, false, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if quoted {
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
			continue
		}
		switch c {
		case '[':
			// Explicit bounds stand before the first brace.
			if n == 0 && !open && i == 0 {
				for i < len(text) && text[i] != '{' {
					i++
				}
				i--
				continue
			}
			open = true
		case '"':
			quoted, open = true, true
		case '{':
			open = false
		case '\\':
			i++
			open = true
		case ',', '}':
			if open {
				n++
			}
			open = false
		case ' ':
		default:
			open = true
		}
	}
	return n
}
