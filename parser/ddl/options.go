package ddl

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// defString is the value of an option as text (defGetString, define.c).
func defString(d *pg.DefElem) string { return valueText(d.GetArg()) }

func valueText(n *pg.Node) string {
	switch v := n.GetNode().(type) {
	case *pg.Node_String_:
		return v.String_.Sval
	case *pg.Node_Integer:
		return strconv.Itoa(int(v.Integer.Ival))
	case *pg.Node_Float:
		return v.Float.Fval
	case *pg.Node_Boolean:
		return strconv.FormatBool(v.Boolean.Boolval)
	case *pg.Node_TypeName:
		_, name := split(v.TypeName.Names)
		return name
	case *pg.Node_AConst:
		switch c := v.AConst.Val.(type) {
		case *pg.A_Const_Sval:
			return c.Sval.Sval
		case *pg.A_Const_Ival:
			return strconv.Itoa(int(c.Ival.Ival))
		case *pg.A_Const_Fval:
			return c.Fval.Fval
		case *pg.A_Const_Boolval:
			return strconv.FormatBool(c.Boolval.Boolval)
		}
	}
	return ""
}

// defInt is the value of an option as a number, 0 for none.
func defInt(d *pg.DefElem) int {
	v, _ := strconv.ParseFloat(defString(d), 64)
	return int(v)
}

// defBool is the value of an option as a boolean; an option without a value is
// true (defGetBoolean, define.c).
func defBool(d *pg.DefElem) bool {
	if d.Arg == nil {
		return true
	}
	return isTrue(defString(d))
}

// isTrue reads a setting's boolean (parse_bool, bool.c).
func isTrue(v string) bool {
	switch strings.ToLower(v) {
	case "true", "on", "1", "yes":
		return true
	}
	return false
}
