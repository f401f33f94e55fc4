package ddl

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// functionOptions reads LANGUAGE, volatility and the rest into f and returns the
// AS clause, nil for none (compute_function_attributes, functioncmds.c).
func (a *applier) functionOptions(f *catalog.Func, options []*pg.Node, procedure bool) (as *pg.DefElem) {
	seen := map[string]bool{}
	for _, n := range options {
		d := n.GetDefElem()
		loc := int(d.Location)
		switch d.Defname {
		case "set":
		case "as", "language", "transform", "security":
		default:
			if procedure {
				a.fail("42P13", loc, "invalid attribute in procedure definition")
			}
		}
		if seen[d.Defname] && d.Defname != "set" {
			a.fail("42601", loc, "conflicting or redundant options")
		}
		seen[d.Defname] = true
		switch d.Defname {
		case "language":
			f.Language = defString(d)
		case "volatility":
			f.Volatile = defString(d)[0]
		case "strict":
			f.Strict = defBool(d)
		case "security":
			f.SecurityDefiner = defBool(d)
		case "leakproof":
			f.LeakProof = defBool(d)
		case "window":
			if defBool(d) {
				f.Kind = 'w'
			}
		case "cost":
			f.Cost = a.positive(d, "COST")
		case "rows":
			f.Rows = a.positive(d, "ROWS")
		case "parallel":
			switch defString(d) {
			case "safe":
				f.Parallel = 's'
			case "restricted":
				f.Parallel = 'r'
			case "unsafe":
				f.Parallel = 'u'
			default:
				a.fail("42601", int(d.Location), "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE")
			}
		case "support":
			if parts := nameParts(d.Arg); parts != nil {
				f.Support = a.named(parts, []pgtype.OID{pgtype.InternalOID}, int(d.Location)).Name
			}
		case "set":
			f.Settings = setting(f.Settings, d.Arg.GetVariableSetStmt())
		case "as":
			as = d
		}
	}
	return as
}

// named finds a function by its name and exact arguments, or fails
// (LookupFuncName, parse_func.c).
func (a *applier) named(parts []*pg.Node, args []pgtype.OID, loc int) *catalog.Func {
	schema, name := split(parts)
	for _, f := range a.cat.FuncsByName(schema, name) {
		if slices.Equal(f.Args, args) {
			return f
		}
	}
	if schema != "" && a.cat.Schema(schema) == nil {
		a.fail("3F000", loc, "schema %q does not exist", schema)
	}
	a.fail("42883", loc, "function %s does not exist", a.funcSignature(schema, name, args))
	return nil
}

// funcSignature is a call as messages have it: name(type, type).
func (a *applier) funcSignature(schema, name string, args []pgtype.OID) string {
	words := make([]string, len(args))
	for i, t := range args {
		words[i] = a.typeWord(t)
	}
	return shown(schema, name) + "(" + strings.Join(words, ", ") + ")"
}

// setting applies a SET clause to the settings of a function
// (update_proconfig_value, functioncmds.c).
func setting(list []string, s *pg.VariableSetStmt) []string {
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return strings.HasPrefix(x, name+"=") })
	}
	name := strings.ToLower(s.Name)
	switch s.Kind {
	case pg.VariableSetKind_VAR_RESET_ALL:
		return nil
	case pg.VariableSetKind_VAR_SET_VALUE:
		values := make([]string, len(s.Args))
		for i, n := range s.Args {
			values[i] = valueText(n)
		}
		list = append(without(name), name+"="+strings.Join(values, ", "))
		slices.Sort(list)
		return list
	case pg.VariableSetKind_VAR_SET_CURRENT:
		// The value is the session's.
		return without(name)
	}
	return without(name)
}

// settingOf is the value of a setting that a function fixes.
func settingOf(f *catalog.Func, name string) (string, bool) {
	for _, s := range f.Settings {
		if v, ok := strings.CutPrefix(s, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

func (a *applier) positive(d *pg.DefElem, word string) float64 {
	v, err := strconv.ParseFloat(defString(d), 64)
	if err != nil || v <= 0 {
		a.fail("22023", int(d.Location), "%s must be positive", word)
	}
	return v
}

// language fails for a language that is not there. Languages that extensions
// bring are not known by name: only one that is near a known one can be told to
// be a mistake.
func (a *applier) language(name string) {
	if slices.Contains([]string{"internal", "c", "sql", "plpgsql"}, name) {
		return
	}
	if near := suggest(name, []string{"sql", "plpgsql", "internal"}); near != "" {
		a.failMore("42704", noLoc, "", near, "language %q does not exist", name)
	}
}

func (a *applier) alterFunction(s *pg.AlterFunctionStmt) {
	f := a.routine(s.Func, s.Objtype)
	if f.Kind == 'a' {
		schema, name := split(s.Func.Objname)
		a.fail("42809", noLoc, "%q is an aggregate function", shown(schema, name))
	}
	if f.OID < pgtype.FirstNormalOID {
		return
	}
	for _, n := range s.Actions {
		if d := n.GetDefElem(); d.Defname == "rows" && !f.RetSet {
			a.positive(d, "ROWS")
			a.fail("22023", int(d.Location), "ROWS is not applicable when function does not return a set")
		}
	}
	a.functionOptions(f, s.Actions, f.Kind == 'p')
}
