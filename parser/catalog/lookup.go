package catalog

import (
	"cmp"
	"slices"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// qualified is the key of an object that has a schema and a name.
type qualified struct{ schema, name string }

// objects is one layer of a catalog.
type objects struct {
	schemas     map[string]*Schema
	types       map[pgtype.OID]*Type
	typeNames   map[qualified]*Type
	funcs       map[pgtype.OID]*Func
	funcNames   map[string][]*Func
	operators   map[pgtype.OID]*Operator
	opNames     map[string][]*Operator
	casts       map[[2]pgtype.OID]*Cast
	collations  map[pgtype.OID]*Collation
	collNames   map[qualified]*Collation
	textSearch  map[string][]*TextSearch // by name
	methods     map[pgtype.OID]*AccessMethod
	opClasses   map[pgtype.OID]*OpClass
	opFamilies  map[pgtype.OID]*OpFamily
	amOps       map[pgtype.OID][]*AmOp   // by family
	amOpsOf     map[pgtype.OID][]*AmOp   // by operator
	amProcs     map[pgtype.OID][]*AmProc // by family
	tables      map[pgtype.OID]*Table
	tableNames  map[qualified]*Table
	indexes     map[pgtype.OID]*Index
	indexNames  map[qualified]*Index
	constraints map[pgtype.OID]*Constraint
	// tableOrder are the tables by OID; references the foreign keys by the
	// table that they refer to, in the order of creation.
	tableOrder []*Table
	references map[pgtype.OID][]*Constraint
	// typeOrder are the types by OID; constraintNames the constraints by their
	// name, which several tables may have.
	typeOrder       []*Type
	constraintNames map[string][]*Constraint
	// owned are the sequences by the table that they belong to.
	owned map[pgtype.OID][]*Table
}

func newObjects() objects {
	return objects{
		schemas:     map[string]*Schema{},
		types:       map[pgtype.OID]*Type{},
		typeNames:   map[qualified]*Type{},
		funcs:       map[pgtype.OID]*Func{},
		funcNames:   map[string][]*Func{},
		operators:   map[pgtype.OID]*Operator{},
		opNames:     map[string][]*Operator{},
		casts:       map[[2]pgtype.OID]*Cast{},
		collations:  map[pgtype.OID]*Collation{},
		collNames:   map[qualified]*Collation{},
		textSearch:  map[string][]*TextSearch{},
		methods:     map[pgtype.OID]*AccessMethod{},
		opClasses:   map[pgtype.OID]*OpClass{},
		opFamilies:  map[pgtype.OID]*OpFamily{},
		amOps:       map[pgtype.OID][]*AmOp{},
		amOpsOf:     map[pgtype.OID][]*AmOp{},
		amProcs:     map[pgtype.OID][]*AmProc{},
		tables:      map[pgtype.OID]*Table{},
		tableNames:  map[qualified]*Table{},
		indexes:     map[pgtype.OID]*Index{},
		indexNames:  map[qualified]*Index{},
		constraints: map[pgtype.OID]*Constraint{},
		references:  map[pgtype.OID][]*Constraint{},

		constraintNames: map[string][]*Constraint{},
		owned:           map[pgtype.OID][]*Table{},
	}
}

// Builtins are the objects of pg_catalog of one major version. They are
// immutable once [NewBuiltins] has returned and shared between catalogs.
type Builtins struct {
	Major int
	// Extensions finds an extension that comes with PostgreSQL by its name, nil
	// if there is none; it is nil where none are known.
	Extensions func(name string) *AvailableExtension
	// Bringing finds the extensions that come with PostgreSQL and bring an object
	// of a class (types, functions, operators, opclasses) and name, by name; nil as
	// above.
	Bringing func(class, name string) []string
	objects
	// defaultClasses are the default operator classes by access method.
	defaultClasses map[pgtype.OID][]*OpClass
}

// Objects lists everything that goes into a [Builtins].
type Objects struct {
	Schemas    []*Schema
	Types      []*Type
	Funcs      []*Func
	Operators  []*Operator
	Casts      []*Cast
	Collations []*Collation
	TextSearch []*TextSearch
	Methods    []*AccessMethod
	OpClasses  []*OpClass
	OpFamilies []*OpFamily
	AmOps      []*AmOp
	AmProcs    []*AmProc
	Tables     []*Table // system catalogs and views
}

// Funcs returns the built-in functions, aggregates and window functions, by OID.
func (b *Builtins) Funcs() []*Func {
	return sorted(b.funcs, func(f *Func) pgtype.OID { return f.OID })
}

// Operators returns the built-in operators, by OID.
func (b *Builtins) Operators() []*Operator {
	return sorted(b.operators, func(o *Operator) pgtype.OID { return o.OID })
}

// NewBuiltins indexes the objects of a major version.
func NewBuiltins(major int, o *Objects) *Builtins {
	b := &Builtins{Major: major, objects: newObjects(), defaultClasses: map[pgtype.OID][]*OpClass{}}
	for _, x := range o.Schemas {
		b.schemas[x.Name] = x
	}
	for _, x := range o.Types {
		b.addType(x)
	}
	for _, x := range o.Funcs {
		b.addFunc(x)
	}
	for _, x := range o.Operators {
		b.addOperator(x)
	}
	for _, x := range o.Casts {
		b.casts[[2]pgtype.OID{x.Source, x.Target}] = x
	}
	for _, x := range o.Collations {
		b.collations[x.OID] = x
		b.collNames[qualified{x.Schema, x.Name}] = x
	}
	for _, x := range o.TextSearch {
		b.addTextSearch(x)
	}
	for _, x := range o.Methods {
		b.methods[x.OID] = x
	}
	for _, x := range o.OpClasses {
		b.opClasses[x.OID] = x
		if x.Default {
			b.defaultClasses[x.Method] = append(b.defaultClasses[x.Method], x)
		}
	}
	for _, x := range o.OpFamilies {
		b.opFamilies[x.OID] = x
	}
	for _, x := range o.AmOps {
		b.addAmOp(x)
	}
	for _, x := range o.AmProcs {
		b.amProcs[x.Family] = append(b.amProcs[x.Family], x)
	}
	for _, x := range o.Tables {
		b.addTable(x)
	}
	return b
}

func (o *objects) addType(t *Type) {
	o.types[t.OID] = t
	at, found := slices.BinarySearchFunc(o.typeOrder, t.OID, func(x *Type, oid pgtype.OID) int { return cmp.Compare(x.OID, oid) })
	if found {
		o.typeOrder[at] = t
	} else {
		o.typeOrder = slices.Insert(o.typeOrder, at, t)
	}
	o.typeNames[qualified{t.Schema, t.Name}] = t
}

func (o *objects) addFunc(f *Func) {
	o.funcs[f.OID] = f
	o.funcNames[f.Name] = append(o.funcNames[f.Name], f)
}

func (o *objects) addOperator(p *Operator) {
	o.operators[p.OID] = p
	o.opNames[p.Name] = append(o.opNames[p.Name], p)
}

func (o *objects) addAmOp(a *AmOp) {
	o.amOps[a.Family] = append(o.amOps[a.Family], a)
	o.amOpsOf[a.Operator] = append(o.amOpsOf[a.Operator], a)
}

func (o *objects) addTable(t *Table) {
	o.tables[t.OID] = t
	o.orderTable(t)
	o.tableNames[qualified{t.Schema, t.Name}] = t
	for _, x := range t.Indexes {
		o.indexes[x.OID] = x
		o.indexNames[qualified{x.Schema, x.Name}] = x
	}
	for _, x := range t.Constraints {
		o.addConstraint(x)
	}
}

// orderTable keeps the tables in the order of their OIDs; a new one is the last
// but for a catalog that is put together in another order.
func (o *objects) orderTable(t *Table) {
	at, found := slices.BinarySearchFunc(o.tableOrder, t.OID, func(x *Table, oid pgtype.OID) int {
		return cmp.Compare(x.OID, oid)
	})
	if found {
		o.tableOrder[at] = t
		return
	}
	o.tableOrder = slices.Insert(o.tableOrder, at, t)
}

func (o *objects) addConstraint(x *Constraint) {
	o.constraints[x.OID] = x
	o.constraintNames[x.Name] = append(o.constraintNames[x.Name], x)
	if x.Kind == ConstraintForeign {
		o.references[x.RefTable] = append(o.references[x.RefTable], x)
	}
}

func (o *objects) dropConstraint(x *Constraint) {
	delete(o.constraints, x.OID)
	o.constraintNames[x.Name] = slices.DeleteFunc(o.constraintNames[x.Name], func(c *Constraint) bool { return c == x })
	if x.Kind == ConstraintForeign {
		o.references[x.RefTable] = slices.DeleteFunc(o.references[x.RefTable], func(c *Constraint) bool { return c == x })
	}
}

// either returns the user's object, else the built-in one.
func either[K comparable, V any](c *Catalog, pick func(*objects) map[K]*V, key K) *V {
	if v := pick(&c.user)[key]; v != nil {
		return v
	}
	return pick(&c.base.objects)[key]
}

// Type returns the type with the given OID, nil if there is none.
func (c *Catalog) Type(oid pgtype.OID) *Type {
	return either(c, func(o *objects) map[pgtype.OID]*Type { return o.types }, oid)
}

// Func returns the function with the given OID, nil if there is none.
func (c *Catalog) Func(oid pgtype.OID) *Func {
	return either(c, func(o *objects) map[pgtype.OID]*Func { return o.funcs }, oid)
}

// Operator returns the operator with the given OID, nil if there is none.
func (c *Catalog) Operator(oid pgtype.OID) *Operator {
	return either(c, func(o *objects) map[pgtype.OID]*Operator { return o.operators }, oid)
}

// Cast returns the cast from one type to another, nil if there is none.
func (c *Catalog) Cast(from, to pgtype.OID) *Cast {
	return either(c, func(o *objects) map[[2]pgtype.OID]*Cast { return o.casts }, [2]pgtype.OID{from, to})
}

// Collation returns the collation with the given OID, nil if there is none.
func (c *Catalog) Collation(oid pgtype.OID) *Collation {
	if x := either(c, func(o *objects) map[pgtype.OID]*Collation { return o.collations }, oid); x != nil {
		return x
	}
	return c.locales.oid(oid)
}

// Method returns the access method with the given OID, nil if there is none.
func (c *Catalog) Method(oid pgtype.OID) *AccessMethod {
	return either(c, func(o *objects) map[pgtype.OID]*AccessMethod { return o.methods }, oid)
}

// MethodByName returns the access method with the given name, nil if there is
// none.
func (c *Catalog) MethodByName(name string) *AccessMethod {
	for _, m := range c.base.methods {
		if m.Name == name {
			return m
		}
	}
	for _, m := range c.user.methods {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// OpClass returns the operator class with the given OID, nil if there is none.
func (c *Catalog) OpClass(oid pgtype.OID) *OpClass {
	return either(c, func(o *objects) map[pgtype.OID]*OpClass { return o.opClasses }, oid)
}

// OpFamily returns the operator family with the given OID, nil if there is
// none.
func (c *Catalog) OpFamily(oid pgtype.OID) *OpFamily {
	return either(c, func(o *objects) map[pgtype.OID]*OpFamily { return o.opFamilies }, oid)
}

// Table returns the relation with the given OID, nil if there is none.
func (c *Catalog) Table(oid pgtype.OID) *Table {
	return either(c, func(o *objects) map[pgtype.OID]*Table { return o.tables }, oid)
}

// Index returns the index with the given OID, nil if there is none.
func (c *Catalog) Index(oid pgtype.OID) *Index {
	return either(c, func(o *objects) map[pgtype.OID]*Index { return o.indexes }, oid)
}

// Constraint returns the constraint with the given OID, nil if there is none.
func (c *Catalog) Constraint(oid pgtype.OID) *Constraint {
	return either(c, func(o *objects) map[pgtype.OID]*Constraint { return o.constraints }, oid)
}

// Schema returns the schema with the given name, nil if there is none.
func (c *Catalog) Schema(name string) *Schema {
	return either(c, func(o *objects) map[string]*Schema { return o.schemas }, name)
}

// path is the effective search path: pg_catalog first unless it is named.
func (c *Catalog) path() []string {
	if slices.Contains(c.SearchPath, "pg_catalog") {
		return c.SearchPath
	}
	return append([]string{"pg_catalog"}, c.SearchPath...)
}

// byName finds an object by schema and name, along the search path if schema
// is "".
func byName[V any](c *Catalog, pick func(*objects) map[qualified]*V, schema, name string) *V {
	if schema != "" {
		return either(c, pick, qualified{schema, name})
	}
	if v := pick(&c.user)[qualified{TempSchema, name}]; v != nil {
		return v
	}
	for _, s := range c.path() {
		if v := either(c, pick, qualified{s, name}); v != nil {
			return v
		}
	}
	return nil
}

// TypeByName returns the type with the given name, nil if there is none. An
// empty schema means the search path.
func (c *Catalog) TypeByName(schema, name string) *Type {
	return byName(c, func(o *objects) map[qualified]*Type { return o.typeNames }, schema, name)
}

// TableByName returns the relation with the given name, nil if there is none.
// An empty schema means the search path.
func (c *Catalog) TableByName(schema, name string) *Table {
	return byName(c, func(o *objects) map[qualified]*Table { return o.tableNames }, schema, name)
}

// IndexByName returns the index with the given name, nil if there is none. An
// empty schema means the search path.
func (c *Catalog) IndexByName(schema, name string) *Index {
	return byName(c, func(o *objects) map[qualified]*Index { return o.indexNames }, schema, name)
}

// CollationByName returns the collation with the given name, nil if there is
// none. An empty schema means the search path. Each locale of the system and of ICU
// is taken to have one.
func (c *Catalog) CollationByName(schema, name string) *Collation {
	if x := byName(c, func(o *objects) map[qualified]*Collation { return o.collNames }, schema, name); x != nil {
		return x
	}
	if schema != "" && schema != "pg_catalog" {
		return nil
	}
	return c.locales.named(name)
}

// visible reports whether schema is looked up for an unqualified name, and how
// early.
func (c *Catalog) visible(schema string) (int, bool) {
	i := slices.Index(c.path(), schema)
	return i, i >= 0
}

// FuncsByName returns every function with the given name that a call can see,
// those of earlier schemas of the search path first. An empty schema means the
// search path.
func (c *Catalog) FuncsByName(schema, name string) []*Func {
	return collect(c, c.base.funcNames[name], c.user.funcNames[name], schema, func(f *Func) string { return f.Schema })
}

// FuncNames returns the names of the functions that a call without a schema and with
// n arguments can see, in no order.
func (c *Catalog) FuncNames(n int) []string {
	callable := func(f *Func) bool {
		_, ok := c.visible(f.Schema)
		return ok && (f.Variadic != 0 || n <= len(f.Args)) && n >= len(f.Args)-f.Defaults
	}
	var out []string
	for _, layer := range []*objects{&c.base.objects, &c.user} {
		for name, list := range layer.funcNames {
			if slices.ContainsFunc(list, callable) {
				out = append(out, name)
			}
		}
	}
	return out
}

// OperatorsByName is [Catalog.FuncsByName] for operators.
func (c *Catalog) OperatorsByName(schema, name string) []*Operator {
	return collect(c, c.base.opNames[name], c.user.opNames[name], schema, func(o *Operator) string { return o.Schema })
}

func collect[V any](c *Catalog, base, user []*V, schema string, of func(*V) string) []*V {
	if schema == "" && len(user) == 0 {
		if i, ok := c.visible("pg_catalog"); ok && i == 0 {
			all := true
			for _, v := range base {
				all = all && of(v) == "pg_catalog"
			}
			if all {
				return base
			}
		}
	}
	type ranked struct {
		v    *V
		rank int
	}
	var found []ranked
	for _, list := range [][]*V{base, user} {
		for _, v := range list {
			if schema != "" {
				if of(v) == schema {
					found = append(found, ranked{v, 0})
				}
			} else if i, ok := c.visible(of(v)); ok {
				found = append(found, ranked{v, i})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int { return a.rank - b.rank })
	out := make([]*V, len(found))
	for i := range found {
		out[i] = found[i].v
	}
	return out
}

// AmOps returns the operators of a family.
func (c *Catalog) AmOps(family pgtype.OID) []*AmOp {
	return append(slices.Clip(c.base.amOps[family]), c.user.amOps[family]...)
}

// AmOpsOf returns the family memberships of an operator.
func (c *Catalog) AmOpsOf(operator pgtype.OID) []*AmOp {
	return append(slices.Clip(c.base.amOpsOf[operator]), c.user.amOpsOf[operator]...)
}

// AmProcs returns the support functions of a family.
func (c *Catalog) AmProcs(family pgtype.OID) []*AmProc {
	return append(slices.Clip(c.base.amProcs[family]), c.user.amProcs[family]...)
}

// OpFamilyMember returns the operator that a family has for two types and a
// strategy, 0 if none (get_opfamily_member, lsyscache.c).
func (c *Catalog) OpFamilyMember(family, left, right pgtype.OID, strategy int) pgtype.OID {
	for _, list := range [][]*AmOp{c.base.amOps[family], c.user.amOps[family]} {
		for _, a := range list {
			if a.Left == left && a.Right == right && a.Strategy == strategy && a.Purpose == 's' {
				return a.Operator
			}
		}
	}
	return 0
}

// OpFamilyStrategy returns an operator's search strategy in a family, 0 if it
// is not in it (get_op_opfamily_strategy, lsyscache.c).
func (c *Catalog) OpFamilyStrategy(operator, family pgtype.OID) int {
	for _, list := range [][]*AmOp{c.base.amOpsOf[operator], c.user.amOpsOf[operator]} {
		for _, a := range list {
			if a.Family == family && a.Purpose == 's' {
				return a.Strategy
			}
		}
	}
	return 0
}

// DefaultOpClass returns the default operator class of a type for an access
// method, following binary-coercible casts, domains and the polymorphic array,
// enum and range classes (GetDefaultOpClass, indexcmds.c); nil if none.
func (c *Catalog) DefaultOpClass(typ, method pgtype.OID) *OpClass {
	t := c.Type(c.BaseType(typ))
	if t == nil {
		return nil
	}
	classes := c.base.defaultClasses[method]
	for _, oc := range c.user.opClasses {
		if oc.Method == method && oc.Default {
			classes = append(slices.Clip(classes), oc)
		}
	}
	for _, oc := range classes {
		if oc.InType == t.OID {
			return oc
		}
	}
	var coercible, preferred *OpClass
	for _, oc := range classes {
		if !c.BinaryCoercible(t.OID, oc.InType) {
			continue
		}
		it := c.Type(oc.InType)
		if it != nil && it.Category == t.Category && it.Preferred {
			preferred = oc
		}
		if coercible == nil || oc.OID < coercible.OID {
			coercible = oc
		}
	}
	if preferred != nil {
		return preferred
	}
	return coercible
}

// BaseType returns what a domain is over, at the end of the chain; any other
// type is its own base (getBaseType, lsyscache.c).
func (c *Catalog) BaseType(oid pgtype.OID) pgtype.OID {
	base, _ := c.BaseTypeAndTypmod(oid, pgtype.NoTypmod)
	return base
}

// BaseTypeAndTypmod is [Catalog.BaseType] with the typmod that the domain
// fixes, or the given one for another type.
func (c *Catalog) BaseTypeAndTypmod(oid pgtype.OID, mod pgtype.Typmod) (pgtype.OID, pgtype.Typmod) {
	for {
		t := c.Type(oid)
		if t == nil || t.Kind != 'd' {
			return oid, mod
		}
		oid, mod = t.Base, t.BaseTypmod
	}
}

// BinaryCoercible reports whether a value of one type is a value of the other
// as it stands (IsBinaryCoercible, parse_coerce.c).
func (c *Catalog) BinaryCoercible(from, to pgtype.OID) bool {
	if from == to || to == pgtype.AnyOID || to == pgtype.AnyelementOID || to == pgtype.AnycompatibleOID {
		return true
	}
	from = c.BaseType(from)
	if from == to {
		return true
	}
	t := c.Type(from)
	if t == nil {
		return false
	}
	switch to {
	case pgtype.AnyarrayOID, pgtype.AnycompatiblearrayOID:
		return t.IsArray()
	case pgtype.AnynonarrayOID, pgtype.AnycompatiblenonarrayOID:
		return !t.IsArray()
	case pgtype.AnyenumOID:
		return t.Kind == 'e'
	case pgtype.AnyrangeOID, pgtype.AnycompatiblerangeOID:
		return t.Kind == 'r'
	case pgtype.AnymultirangeOID, pgtype.AnycompatiblemultirangeOID:
		return t.Kind == 'm'
	case pgtype.RecordOID:
		return t.Kind == 'c'
	case pgtype.RecordArrayOID:
		if e := c.Type(t.Element); t.IsArray() && e != nil {
			return e.Kind == 'c'
		}
		return false
	}
	k := c.Cast(from, to)
	return k != nil && k.Method == CastBinary && k.Context == CastImplicit
}
