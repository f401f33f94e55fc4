package ddl

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// catalogRow is a row of a system catalog: the value of a column by name,
// [unknown] for a column that is not kept.
type catalogRow func(column string) value

// catalogRows are the rows of a system catalog or view that describe the user's
// objects; ok is false for a relation whose rows are not known. Rows of built-in
// objects are left out: conditions ask for objects that the schema makes.
func (a *applier) catalogRows(schema, name string) (rows []catalogRow, ok bool) {
	switch {
	case schema == "information_schema":
		return a.informationSchema(name)
	case schema != "" && schema != "pg_catalog":
		return nil, false
	}
	add := func(r catalogRow) { rows = append(rows, r) }
	switch name {
	case "pg_namespace":
		for _, s := range a.cat.Schemas() {
			add(func(c string) value { return pick(c, "oid", s.OID, "nspname", s.Name) })
		}
	case "pg_class":
		for _, t := range a.cat.Tables() {
			add(func(c string) value {
				return pick(c, "oid", t.OID, "relname", t.Name, "relnamespace", a.schemaOID(t.Schema),
					"relkind", string(t.Kind), "relrowsecurity", t.RowSecurity, "relforcerowsecurity", t.ForceRowSec,
					"relispartition", t.IsPartition)
			})
			for _, x := range t.Indexes {
				add(func(c string) value {
					return pick(c, "oid", x.OID, "relname", x.Name, "relnamespace", a.schemaOID(x.Schema), "relkind", indexKind(t))
				})
			}
		}
	case "pg_type":
		for _, t := range a.cat.Types() {
			add(func(c string) value {
				return pick(c, "oid", t.OID, "typname", t.Name, "typnamespace", a.schemaOID(t.Schema),
					"typtype", string(t.Kind), "typcategory", string(t.Category), "typrelid", t.Relation)
			})
		}
	case "pg_enum":
		for _, t := range a.cat.Types() {
			for _, l := range t.Labels {
				add(func(c string) value { return pick(c, "enumtypid", t.OID, "enumlabel", l) })
			}
		}
	case "pg_attribute":
		for _, t := range a.cat.Tables() {
			for _, x := range t.Columns {
				add(func(c string) value {
					return pick(c, "attrelid", t.OID, "attname", x.Name, "attnum", int64(x.Number), "atttypid", x.Type,
						"attnotnull", x.NotNull, "attisdropped", x.Dropped, "atthasdef", x.HasDefault,
						"attidentity", code(x.Identity), "attgenerated", code(x.Generated))
				})
			}
		}
	case "pg_constraint":
		a.eachConstraint(func(t *catalog.Table, typ *catalog.Type, k *catalog.Constraint) {
			add(func(c string) value {
				if typ != nil {
					return pick(c, "oid", k.OID, "conname", k.Name, "contype", string(k.Kind), "conrelid", int64(0),
						"contypid", typ.OID, "connamespace", a.schemaOID(typ.Schema))
				}
				return pick(c, "oid", k.OID, "conname", k.Name, "contype", string(k.Kind), "conrelid", t.OID,
					"contypid", int64(0), "connamespace", a.schemaOID(t.Schema), "confrelid", k.RefTable, "conindid", k.Index,
					"convalidated", k.Validated)
			})
		})
	case "pg_index":
		for _, t := range a.cat.Tables() {
			for _, x := range t.Indexes {
				add(func(c string) value {
					return pick(c, "indexrelid", x.OID, "indrelid", x.Table, "indisunique", x.Unique, "indisprimary", x.Primary)
				})
			}
		}
	case "pg_indexes":
		for _, t := range a.cat.Tables() {
			for _, x := range t.Indexes {
				add(func(c string) value {
					return pick(c, "schemaname", x.Schema, "tablename", t.Name, "indexname", x.Name)
				})
			}
		}
	case "pg_proc":
		for _, f := range a.cat.Funcs() {
			add(func(c string) value {
				return pick(c, "oid", f.OID, "proname", f.Name, "pronamespace", a.schemaOID(f.Schema), "prokind", string(f.Kind),
					"pronargs", int64(len(f.Args)))
			})
		}
	case "pg_trigger":
		for _, t := range a.cat.Tables() {
			for _, g := range t.Triggers {
				add(func(c string) value {
					return pick(c, "tgname", g.Name, "tgrelid", t.OID, "tgfoid", g.Func, "tgisinternal", false)
				})
			}
		}
	case "pg_policy", "pg_policies":
		for _, t := range a.cat.Tables() {
			for _, p := range t.Policies {
				add(func(c string) value {
					return pick(c, "polname", p.Name, "polrelid", t.OID, "policyname", p.Name, "schemaname", t.Schema,
						"tablename", t.Name)
				})
			}
		}
	case "pg_tables", "pg_views", "pg_matviews", "pg_sequences":
		a.listed(name, add)
	case "pg_extension":
		return a.extensionRows()
	default:
		return nil, false
	}
	return rows, true
}

// listed are the rows of pg_tables and its kin.
func (a *applier) listed(name string, add func(catalogRow)) {
	kinds := map[string]string{"pg_tables": "rp", "pg_views": "v", "pg_matviews": "m", "pg_sequences": "S"}[name]
	column := map[string]string{
		"pg_tables": "tablename", "pg_views": "viewname", "pg_matviews": "matviewname", "pg_sequences": "sequencename",
	}[name]
	for _, t := range a.cat.Tables() {
		if strings.IndexByte(kinds, t.Kind) >= 0 {
			add(func(c string) value {
				return pick(c, "schemaname", t.Schema, column, t.Name, "rowsecurity", t.RowSecurity)
			})
		}
	}
}

// informationSchema are the rows of a view of information_schema.
func (a *applier) informationSchema(name string) (rows []catalogRow, ok bool) {
	add := func(r catalogRow) { rows = append(rows, r) }
	switch name {
	case "schemata":
		for _, s := range a.cat.Schemas() {
			add(func(c string) value { return pick(c, "schema_name", s.Name) })
		}
	case "tables", "views", "columns", "sequences":
		for _, t := range a.cat.Tables() {
			a.informationTable(name, t, add)
		}
	case "table_constraints", "key_column_usage", "constraint_column_usage", "referential_constraints", "check_constraints":
		a.eachConstraint(func(t *catalog.Table, _ *catalog.Type, k *catalog.Constraint) {
			if t != nil {
				a.informationConstraint(name, t, k, add)
			}
		})
	case "routines":
		for _, f := range a.cat.Funcs() {
			kind := map[byte]value{'f': "FUNCTION", 'p': "PROCEDURE"}[f.Kind]
			add(func(c string) value {
				return pick(c, "routine_schema", f.Schema, "routine_name", f.Name, "specific_schema", f.Schema, "routine_type", kind)
			})
		}
	case "triggers":
		for _, t := range a.cat.Tables() {
			for _, g := range t.Triggers {
				add(func(c string) value {
					return pick(c, "trigger_name", g.Name, "trigger_schema", t.Schema, "event_object_schema", t.Schema,
						"event_object_table", t.Name)
				})
			}
		}
	case "domains", "user_defined_types":
		for _, t := range a.cat.Types() {
			switch {
			case name == "domains" && t.Kind == 'd':
				add(func(c string) value { return pick(c, "domain_schema", t.Schema, "domain_name", t.Name) })
			case name == "user_defined_types" && t.Kind == 'c' && a.isComposite(t):
				add(func(c string) value {
					return pick(c, "user_defined_type_schema", t.Schema, "user_defined_type_name", t.Name)
				})
			}
		}
	default:
		return nil, false
	}
	return rows, true
}

func (a *applier) isComposite(t *catalog.Type) bool {
	rel := a.cat.Table(t.Relation)
	return rel != nil && rel.Kind == catalog.KindComposite
}

func (a *applier) informationTable(name string, t *catalog.Table, add func(catalogRow)) {
	kind := map[byte]value{
		catalog.KindTable: "BASE TABLE", catalog.KindPartitioned: "BASE TABLE", catalog.KindView: "VIEW",
		catalog.KindForeign: "FOREIGN",
	}[t.Kind]
	switch {
	case name == "sequences":
		if t.Kind == catalog.KindSequence {
			add(func(c string) value { return pick(c, "sequence_schema", t.Schema, "sequence_name", t.Name) })
		}
	case kind == nil || name == "views" && t.Kind != catalog.KindView:
	case name != "columns":
		add(func(c string) value {
			return pick(c, "table_schema", t.Schema, "table_name", t.Name, "table_type", kind)
		})
	default:
		for _, x := range t.Columns {
			if !x.Dropped {
				add(func(c string) value { return a.informationColumn(t, x, c) })
			}
		}
	}
}

func (a *applier) informationColumn(t *catalog.Table, x *catalog.Column, c string) value {
	switch c {
	case "data_type":
		typ := a.cat.Type(a.cat.BaseType(x.Type))
		switch {
		case typ == nil:
			return unknown{}
		case typ.IsArray():
			return "ARRAY"
		case typ.Schema != "pg_catalog":
			return "USER-DEFINED"
		}
		return a.cat.BaseTypeName(typ.OID)
	case "udt_name":
		if typ := a.cat.Type(a.cat.BaseType(x.Type)); typ != nil {
			return typ.Name
		}
	case "is_nullable":
		if x.NotNull {
			return "NO"
		}
		return "YES"
	case "is_identity":
		if x.Identity != 0 {
			return "YES"
		}
		return "NO"
	case "column_default":
		if !x.HasDefault {
			return nil
		}
	case "character_maximum_length":
		switch {
		case x.Type != pgtype.VarcharOID && x.Type != pgtype.BpcharOID || x.Typmod < 4:
			return nil
		}
		return int64(x.Typmod) - 4
	}
	return pick(c, "table_schema", t.Schema, "table_name", t.Name, "column_name", x.Name, "ordinal_position", int64(x.Number))
}

func (a *applier) informationConstraint(name string, t *catalog.Table, k *catalog.Constraint, add func(catalogRow)) {
	kind, known := map[byte]value{
		catalog.ConstraintPrimary: "PRIMARY KEY", catalog.ConstraintUnique: "UNIQUE", catalog.ConstraintForeign: "FOREIGN KEY",
		catalog.ConstraintCheck: "CHECK",
	}[k.Kind]
	if !known {
		return
	}
	at := t
	columns := k.Columns
	switch {
	case name == "key_column_usage" && k.Kind == catalog.ConstraintCheck,
		name == "referential_constraints" && k.Kind != catalog.ConstraintForeign,
		name == "check_constraints" && k.Kind != catalog.ConstraintCheck:
		return
	case name == "constraint_column_usage" && k.Kind == catalog.ConstraintForeign:
		if at = a.cat.Table(k.RefTable); at == nil {
			return
		}
		columns = k.RefColumns
	}
	row := func(column value) catalogRow {
		return func(c string) value {
			return pick(c, "constraint_schema", t.Schema, "constraint_name", k.Name, "table_schema", at.Schema,
				"table_name", at.Name, "constraint_type", kind, "column_name", column)
		}
	}
	if name != "key_column_usage" && name != "constraint_column_usage" {
		add(row(unknown{}))
		return
	}
	for _, n := range columns {
		add(row(at.ColumnName(n)))
	}
}

// eachConstraint calls fn for the constraints of relations and of domains.
func (a *applier) eachConstraint(fn func(*catalog.Table, *catalog.Type, *catalog.Constraint)) {
	for _, t := range a.cat.Tables() {
		for _, k := range t.Constraints {
			fn(t, nil, k)
		}
	}
	for _, t := range a.cat.Types() {
		for _, k := range t.Checks {
			fn(nil, t, k)
		}
	}
}

// pick is the value of a column among pairs of a name and a value; unknown for
// another column.
func pick(column string, pairs ...any) value {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == column {
			if oid, ok := pairs[i+1].(pgtype.OID); ok {
				return int64(oid)
			}
			return pairs[i+1]
		}
	}
	return unknown{}
}

func code(c byte) string {
	if c == 0 {
		return ""
	}
	return string(c)
}

func indexKind(t *catalog.Table) string {
	if t.Kind == catalog.KindPartitioned {
		return "I"
	}
	return "i"
}

func (a *applier) schemaOID(name string) value {
	if s := a.cat.Schema(name); s != nil {
		return int64(s.OID)
	}
	return unknown{}
}

// objectOID is what a name means to regclass, regtype or regnamespace; nil for
// nothing.
func (a *applier) objectOID(kind, name string) value {
	schema, object := identParts(name)
	switch kind {
	case "regclass":
		if t := a.cat.TableByName(schema, object); t != nil {
			return int64(t.OID)
		}
		if x := a.cat.IndexByName(schema, object); x != nil {
			return int64(x.OID)
		}
	case "regtype":
		if t := a.cat.TypeByName(schema, object); t != nil {
			return int64(t.OID)
		}
	case "regnamespace":
		if s := a.cat.Schema(object); s != nil {
			return int64(s.OID)
		}
	}
	return nil
}

// procOID is what a name, with or without arguments, means to regproc or
// regprocedure; unknown where the arguments would have to be told apart.
func (a *applier) procOID(text string) value {
	name, args, _ := strings.Cut(text, "(")
	schema, object := identParts(name)
	list := a.cat.FuncsByName(schema, object)
	switch {
	case len(list) == 0:
		return nil
	case len(list) > 1 || strings.Trim(args, " )") != "" || args == "" != (len(list[0].Args) == 0):
		return unknown{}
	}
	return int64(list[0].OID)
}

// identParts divides a name as SQL writes it: the last part, and the schema in
// front of it.
func identParts(s string) (schema, name string) {
	var parts []string
	for rest := strings.TrimSpace(s); ; {
		var part string
		if strings.HasPrefix(rest, `"`) {
			end := strings.Index(rest[1:], `"`)
			if end < 0 {
				return "", s
			}
			part, rest = rest[1:1+end], rest[end+2:]
		} else {
			n := strings.IndexByte(rest, '.')
			if n < 0 {
				n = len(rest)
			}
			part, rest = strings.ToLower(strings.TrimSpace(rest[:n])), rest[n:]
		}
		parts = append(parts, part)
		if !strings.HasPrefix(rest, ".") {
			break
		}
		rest = rest[1:]
	}
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	return schema, parts[len(parts)-1]
}

func (a *applier) extensionRows() ([]catalogRow, bool) { return nil, false }
