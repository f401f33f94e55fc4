package builtin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// heads lists the sections of a data file with their columns.
func heads() []string {
	return []string{
		"schemas oid name",
		"types oid schema name len byval kind category preferred delim align storage relation element array subscript base base_typmod dims not_null collation input output receive send typmod_in range_subtype range_multi range_of range_collation range_opclass",
		"functions oid schema name kind language cost rows variadic support volatile parallel strict retset leakproof result args defaults all_args modes names default_texts source",
		"aggregates function kind direct_args trans final combine serial deserial sortop trans_type trans_space init_null moving_trans final_modify",
		"operators oid schema name left right result function commutator negator restrict join merges hashes",
		"casts source target function context method",
		"collations oid schema name provider deterministic",
		"textsearch kind schema name",
		"opclasses oid schema name method family type key_type default",
		"opfamilies oid schema name method",
		"amops family method left right strategy purpose operator sort_family",
		"amprocs family left right number function",
		"relations oid schema name kind row_type columns",
		"columns name type typmod collation not_null dims",
		"indexes oid schema name table method key_columns unique primary immediate nulls_not_distinct columns types collations opclasses options",
		"constraints oid name kind table columns index",
		"methods oid name kind can_order can_order_by_op can_unique can_multi_col optional_key search_array search_nulls can_parallel can_include gettuple getbitmap",
	}
}

// extensionHeads lists the sections of an extension's block: those of a data
// file, some with more columns, and what it names of others.
func extensionHeads() []string {
	extra := map[string]string{
		"types": " labels default", "relations": " definition", "columns": " dropped identity generated default",
		"constraints": " type condition",
	}
	out := []string{"refs oid class extension schema name types"}
	for _, h := range heads() {
		name, _, _ := strings.Cut(h, " ")
		out = append(out, h+extra[name])
	}
	return out
}

// rows reads every row of a section with f into values that lie together, and
// returns pointers to them.
func rows[V any](s section, f func(c *cursor, v *V)) ([]*V, error) {
	vals := make([]V, s.rows)
	out := make([]*V, 0, s.rows)
	c := &cursor{section: s.name, text: s.text, ext: s.ext}
	for i := 0; c.more() && i < len(vals); i++ {
		f(c, &vals[i])
		out = append(out, &vals[i])
	}
	return out, c.err
}

// read turns a data file into a catalog layer.
func read(major int, data string) (*catalog.Builtins, error) {
	o, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("built-in objects of PostgreSQL %d: %w", major, err)
	}
	b := catalog.NewBuiltins(major, o)
	l, err := Contrib()
	if err != nil {
		return nil, fmt.Errorf("extensions of PostgreSQL: %w", err)
	}
	b.Extensions = func(name string) *catalog.AvailableExtension {
		if x := l.Find(name, major); x != nil && x.For(major) {
			return l.Available(x)
		}
		return nil
	}
	b.Bringing = func(class, name string) []string {
		var out []string
		for _, x := range l.Blocks {
			if x.For(major) && x.has(class, name) {
				out = append(out, x.Name)
			}
		}
		return out
	}
	return b, nil
}

// parse reads all sections.
func parse(data string) (*catalog.Objects, error) {
	parts, err := split(data, heads())
	if err != nil {
		return nil, err
	}
	for _, h := range heads() {
		name, _, _ := strings.Cut(h, " ")
		if _, ok := parts[name]; !ok {
			return nil, fmt.Errorf("section %s is missing", name)
		}
	}
	return readAll(parts)
}

// readAll reads the objects of all sections.
func readAll(parts map[string]section) (*catalog.Objects, error) {
	var err error
	o := &catalog.Objects{}
	if o.Schemas, err = rows(parts["schemas"], func(c *cursor, s *catalog.Schema) {
		s.OID, s.Name = c.oid(), c.str()
	}); err != nil {
		return nil, err
	}
	if o.Types, err = rows(parts["types"], readType); err != nil {
		return nil, err
	}
	if o.Funcs, err = rows(parts["functions"], readFunc); err != nil {
		return nil, err
	}
	if err = readAggregates(parts["aggregates"], o.Funcs); err != nil {
		return nil, err
	}
	if o.Operators, err = rows(parts["operators"], func(c *cursor, p *catalog.Operator) {
		p.OID, p.Schema, p.Name = c.oid(), c.schema(), c.str()
		p.Left, p.Right, p.Result, p.Func = c.oid(), c.oid(), c.oid(), c.oid()
		p.Commutator, p.Negator = c.oid(), c.oid()
		p.Restrict, p.Join, p.CanMerge, p.CanHash = c.str(), c.str(), c.bool(), c.bool()
	}); err != nil {
		return nil, err
	}
	if o.Casts, err = rows(parts["casts"], func(c *cursor, k *catalog.Cast) {
		k.Source, k.Target, k.Func, k.Context, k.Method = c.oid(), c.oid(), c.oid(), c.char(), c.char()
	}); err != nil {
		return nil, err
	}
	if o.Collations, err = rows(parts["collations"], func(c *cursor, x *catalog.Collation) {
		x.OID, x.Schema, x.Name, x.Provider, x.Deterministic = c.oid(), c.schema(), c.str(), c.char(), c.bool()
	}); err != nil {
		return nil, err
	}
	if o.TextSearch, err = rows(parts["textsearch"], func(c *cursor, x *catalog.TextSearch) {
		x.Kind, x.Schema, x.Name = c.char(), c.schema(), c.str()
	}); err != nil {
		return nil, err
	}
	if err := readMethods(parts, o); err != nil {
		return nil, err
	}
	return o, readRelations(parts, o)
}

func readType(c *cursor, t *catalog.Type) {
	t.OID, t.Schema, t.Name, t.Len, t.ByVal = c.oid(), c.schema(), c.str(), c.int(), c.bool()
	t.Kind, t.Category, t.Preferred, t.Delim = c.char(), c.char(), c.bool(), c.char()
	t.Align, t.Storage = c.char(), c.char()
	t.Relation, t.Element, t.Array, t.Subscript = c.oid(), c.oid(), c.oid(), c.str()
	t.Base, t.BaseTypmod, t.Dims, t.NotNull = c.oid(), pgtype.Typmod(c.int()), c.int(), c.bool()
	t.Collation = c.oid()
	t.Input, t.Output, t.Receive, t.Send, t.TypmodIn = c.oid(), c.oid(), c.oid(), c.oid(), c.oid()
	t.RangeSubtype, t.RangeMulti, t.RangeOf = c.oid(), c.oid(), c.oid()
	t.RangeCollation, t.RangeOpClass = c.oid(), c.oid()
	if c.ext != nil {
		t.Labels = c.strs("\x1f")
		c.ext.text(catalog.ExtensionText{Type: t, SQL: c.str()})
	}
}

func readFunc(c *cursor, f *catalog.Func) {
	f.OID, f.Schema, f.Name, f.Kind, f.Language = c.oid(), c.schema(), c.str(), c.char(), c.str()
	f.Cost, f.Rows, f.Variadic, f.Support = c.float(), c.float(), c.oid(), c.str()
	f.Volatile, f.Parallel, f.Strict, f.RetSet, f.LeakProof = c.char(), c.char(), c.bool(), c.bool(), c.bool()
	f.Result, f.Args, f.Defaults = c.oid(), c.oids(), c.int()
	f.AllArgs = c.oids()
	if modes := c.raw(); modes != "" {
		f.Modes = []byte(modes)
	}
	f.Names = c.strs(",")
	f.DefaultTexts = c.strs("\x1f")
	f.Source = c.str()
	if f.Defaults < 0 || f.Defaults > len(f.Args) || f.Modes != nil && len(f.Modes) != max(len(f.AllArgs), len(f.Args)) {
		c.fail("uneven lists in function " + f.Name)
	}
}

// readAggregates hangs each aggregate on its function. Both lists are ordered by
// the function's OID.
func readAggregates(s section, funcs []*catalog.Func) error {
	type row struct {
		function pgtype.OID
		catalog.Aggregate
	}
	list, err := rows(s, func(c *cursor, a *row) {
		a.function, a.Kind, a.DirectArgs = c.oid(), c.char(), c.int()
		a.TransFunc, a.FinalFunc, a.CombineFunc = c.oid(), c.oid(), c.oid()
		a.SerialFunc, a.DeserialFunc, a.SortOp = c.oid(), c.oid(), c.oid()
		a.TransType, a.TransSpace, a.InitValNull = c.oid(), c.int(), c.bool()
		a.MovingTransFunc, a.FinalModify = c.oid(), c.char()
	})
	if err != nil {
		return err
	}
	i := 0
	for _, a := range list {
		for i < len(funcs) && funcs[i].OID < a.function {
			i++
		}
		if i == len(funcs) || funcs[i].OID != a.function {
			return fmt.Errorf("aggregate %d has no function", a.function)
		}
		funcs[i].Aggregate = &a.Aggregate
	}
	return nil
}

// readMethods reads the access methods and what belongs to them.
func readMethods(parts map[string]section, o *catalog.Objects) (err error) {
	if o.Methods, err = rows(parts["methods"], func(c *cursor, m *catalog.AccessMethod) {
		m.OID, m.Name, m.Kind = c.oid(), c.str(), c.char()
		m.CanOrder, m.CanOrderByOp, m.CanUnique, m.CanMultiCol = c.bool(), c.bool(), c.bool(), c.bool()
		m.OptionalKey, m.SearchArray, m.SearchNulls = c.bool(), c.bool(), c.bool()
		m.CanParallel, m.CanInclude = c.bool(), c.bool()
		m.HasGetTuple, m.HasGetBitmap = c.bool(), c.bool()
	}); err != nil {
		return err
	}
	if o.OpClasses, err = rows(parts["opclasses"], func(c *cursor, x *catalog.OpClass) {
		x.OID, x.Schema, x.Name, x.Method = c.oid(), c.schema(), c.str(), c.oid()
		x.Family, x.InType, x.KeyType, x.Default = c.oid(), c.oid(), c.oid(), c.bool()
	}); err != nil {
		return err
	}
	if o.OpFamilies, err = rows(parts["opfamilies"], func(c *cursor, x *catalog.OpFamily) {
		x.OID, x.Schema, x.Name, x.Method = c.oid(), c.schema(), c.str(), c.oid()
	}); err != nil {
		return err
	}
	if o.AmOps, err = rows(parts["amops"], func(c *cursor, a *catalog.AmOp) {
		a.Family, a.Method, a.Left, a.Right = c.oid(), c.oid(), c.oid(), c.oid()
		a.Strategy, a.Purpose, a.Operator, a.SortFamily = c.int(), c.char(), c.oid(), c.oid()
	}); err != nil {
		return err
	}
	o.AmProcs, err = rows(parts["amprocs"], func(c *cursor, a *catalog.AmProc) {
		a.Family, a.Left, a.Right, a.Number, a.Func = c.oid(), c.oid(), c.oid(), c.int(), c.oid()
	})
	return err
}

// readRelations reads the system catalogs and views. The columns come in the
// order of the relations, a relation's row says how many are its own.
func readRelations(parts map[string]section, o *catalog.Objects) error {
	columns, err := rows(parts["columns"], func(c *cursor, a *catalog.Column) {
		a.Name, a.Type, a.Typmod, a.Collation = c.str(), c.oid(), 0, 0
		a.Typmod, a.Collation = pgtype.Typmod(c.int()), c.oid()
		a.NotNull, a.Dims = c.bool(), c.int()
		if c.ext != nil {
			a.Local, a.Dropped, a.Identity, a.Generated = true, c.bool(), c.char(), c.char()
			c.ext.text(catalog.ExtensionText{Column: a, SQL: c.str()})
		}
	})
	if err != nil {
		return err
	}
	next := 0
	if o.Tables, err = rows(parts["relations"], func(c *cursor, t *catalog.Table) {
		t.OID, t.Schema, t.Name, t.Kind, t.RowType = c.oid(), c.schema(), c.str(), c.char(), c.oid()
		t.ParallelWorkers = -1
		n := c.int()
		if n < 0 || next+n > len(columns) {
			c.fail("too few columns for " + t.Name)
			return
		}
		t.Columns = columns[next : next+n : next+n]
		next += n
		for i, a := range t.Columns {
			a.Number = i + 1
		}
		if c.ext != nil {
			c.ext.text(catalog.ExtensionText{Table: t, SQL: c.str()})
		} else if t.Kind == catalog.KindView {
			t.ViewError = "the definition of the system view " + t.Name + " is not kept"
		}
	}); err != nil {
		return err
	}
	if next != len(columns) {
		return fmt.Errorf("%d columns belong to no relation", len(columns)-next)
	}
	byOID := make(map[pgtype.OID]*catalog.Table, len(o.Tables))
	for _, t := range o.Tables {
		byOID[t.OID] = t
	}
	classes := make(map[pgtype.OID]*catalog.OpClass, len(o.OpClasses))
	for _, x := range o.OpClasses {
		classes[x.OID] = x
	}
	indexes, err := rows(parts["indexes"], func(c *cursor, x *catalog.Index) { readIndex(c, x, classes) })
	if err != nil {
		return err
	}
	for _, x := range indexes {
		t := byOID[x.Table]
		if t == nil {
			return fmt.Errorf("index %s has no table", x.Name)
		}
		t.Indexes = append(t.Indexes, x)
	}
	domains := map[*catalog.Constraint]pgtype.OID{}
	constraints, err := rows(parts["constraints"], func(c *cursor, x *catalog.Constraint) {
		x.OID, x.Name, x.Kind, x.Table, x.Columns, x.Index = c.oid(), c.str(), c.char(), c.oid(), c.ints(), c.oid()
		x.Validated = true
		if c.ext != nil {
			domains[x] = c.oid()
			c.ext.text(catalog.ExtensionText{Constraint: x, SQL: c.str()})
		}
	})
	if err != nil {
		return err
	}
	for _, x := range constraints {
		if domain := typeByOID(o.Types, domains[x]); domain != nil {
			domain.Checks = append(domain.Checks, x)
			continue
		}
		t := byOID[x.Table]
		if t == nil {
			return fmt.Errorf("constraint %s has no table", x.Name)
		}
		t.Constraints = append(t.Constraints, x)
	}
	return nil
}

// typeByOID returns the type with an OID, nil if there is none.
func typeByOID(list []*catalog.Type, oid pgtype.OID) *catalog.Type {
	i := slices.IndexFunc(list, func(t *catalog.Type) bool { return oid != 0 && t.OID == oid })
	if i < 0 {
		return nil
	}
	return list[i]
}

// Bits of pg_index.indoption (INDOPTION_DESC and INDOPTION_NULLS_FIRST,
// catalog/pg_index.h).
const (
	optionDesc       = 1
	optionNullsFirst = 2
)

func readIndex(c *cursor, x *catalog.Index, classes map[pgtype.OID]*catalog.OpClass) {
	x.OID, x.Schema, x.Name, x.Table, x.Method = c.oid(), c.schema(), c.str(), c.oid(), c.oid()
	x.NumKeys, x.Unique, x.Primary, x.Immediate, x.NullsNotDistinct = c.int(), c.bool(), c.bool(), c.bool(), c.bool()
	x.Valid = true
	columns, types, collations, opclasses, options := c.ints(), c.oids(), c.oids(), c.oids(), c.ints()
	x.Keys = make([]catalog.IndexKey, len(columns))
	if len(types) != len(columns) || x.NumKeys > len(columns) ||
		len(collations) != x.NumKeys || len(opclasses) != x.NumKeys || len(options) != x.NumKeys {
		c.fail("uneven lists in index " + x.Name)
		return
	}
	for i := range x.Keys {
		k := &x.Keys[i]
		k.Column, k.Type = columns[i], types[i]
		if i >= x.NumKeys {
			continue
		}
		k.Collation, k.OpClass = collations[i], opclasses[i]
		k.Desc, k.NullsFirst = options[i]&optionDesc != 0, options[i]&optionNullsFirst != 0
		if oc := classes[k.OpClass]; oc != nil {
			k.Family, k.InType = oc.Family, oc.InType
		}
	}
}
