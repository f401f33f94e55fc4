package catalog

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// InputNames returns the names of a function's input arguments in the order of
// Args, "" for one without a name; nil where none has a name
// (get_func_input_arg_names, funcapi.c).
func (f *Func) InputNames() []string {
	if f.Names == nil {
		return nil
	}
	names := make([]string, 0, len(f.Args))
	for i, n := range f.Names {
		if f.Modes == nil || f.Modes[i] == ArgIn || f.Modes[i] == ArgInOut || f.Modes[i] == ArgVariadic {
			names = append(names, n)
		}
	}
	return names
}

// ResultColumns returns the columns of the rows that a function returns: those
// of its composite result, or its output arguments; nil for a scalar result and
// for a row whose columns only the call tells (get_func_result_type,
// funcapi.c). Columns that a table has dropped are among them.
func (c *Catalog) ResultColumns(f *Func) []*Column {
	if f.Result != pgtype.RecordOID {
		if t := c.Type(c.BaseType(f.Result)); t != nil && t.Kind == 'c' {
			if rel := c.Table(t.Relation); rel != nil {
				return rel.Columns
			}
		}
		return nil
	}
	var out []*Column
	for i, m := range f.Modes {
		if m != ArgOut && m != ArgInOut && m != ArgTable {
			continue
		}
		col := &Column{Number: len(out) + 1, Type: f.AllArgs[i], Typmod: pgtype.NoTypmod}
		if f.Names != nil {
			col.Name = f.Names[i]
		}
		if col.Name == "" {
			col.Name = fmt.Sprintf("column%d", col.Number)
		}
		if t := c.Type(col.Type); t != nil {
			col.Collation = t.Collation
		}
		out = append(out, col)
	}
	return out
}

// Effects are what running a function does to tables, as far as its text says.
type Effects struct {
	// Reads and Writes are relations that its own statements name, by OID, each
	// once and in ascending order.
	Reads, Writes []pgtype.OID
	// Calls are user-defined functions that its own statements may call, by
	// OID, ascending; what they do comes on top.
	Calls []pgtype.OID
	// Known is false where there is more than that: a statement made at run
	// time, or one that could not be read.
	Known bool
	// Volatile says that a built-in function or one of an extension is called
	// that is volatile, as nextval is.
	Volatile bool
}
