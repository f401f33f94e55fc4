package query

import "reflect"

// EqualQuery reports whether two queries are the same but for places in the
// text. It is used where a sublink is compared, which is rare, so it compares
// structure by reflection and expressions by [Equal].
func EqualQuery(a, b *Query) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	return equalValue(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
}

var exprType = reflect.TypeFor[Expr]()

func equalValue(a, b reflect.Value) bool {
	if a.Type() == exprType {
		x, _ := a.Interface().(Expr)
		y, _ := b.Interface().(Expr)
		return Equal(x, y)
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		if a.Elem().Type() != b.Elem().Type() {
			return false
		}
		return equalValue(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equalValue(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[Relids]() {
			return a.Equal(b)
		}
		for i := range a.NumField() {
			if a.Type().Field(i).Name == "Loc" {
				continue
			}
			if !equalValue(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return a.Equal(b)
}
