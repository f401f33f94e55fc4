package pull

import "fmt"

// kind says how a column is written.
type kind int

const (
	text       kind = iota
	oid             // an OID, renumbered; 0 is empty
	oids            // OIDs between blanks, renumbered
	boolean         // t or f
	schemaName      // a schema's name; empty for the one that an extension is in
)

// column is one value of a section: the head line's name and the SQL for it.
type column struct {
	name, expr string
	kind       kind
}

// section is one catalog in a file.
type section struct {
	name    string
	columns []column
	// extra are columns that only an extension's section has, behind the others.
	extra []column
	// from is the query from FROM to before WHERE, order what ORDER BY names.
	from, order string
	// builtin and member are the conditions for the server's own rows and for
	// those of an extension; "" leaves the section out.
	builtin string
	member  func(e members) string
}

// members are the objects of an extension, by pg_extension.oid.
type members uint32

// of is the subquery with the OIDs of those members that are rows of a catalog.
func (e members) of(catalog string) string {
	return fmt.Sprintf("(select objid from pg_depend where refclassid = 'pg_extension'::regclass and refobjid = %d"+
		" and deptype = 'e' and classid = '%s'::regclass)", uint32(e), catalog)
}

// types is the subquery with the extension's types. Those that come with
// another one are not members themselves: row types, multiranges, arrays.
func (e members) types() string {
	return "(with own as (select oid from pg_type where oid in " + e.of("pg_type") + " or typrelid in " + e.of("pg_class") + `),
		ranged as (select oid from own union select rngmultitypid from pg_range where rngtypid in (select oid from own))
		select oid from ranged union select typarray from pg_type where typarray <> 0 and oid in (select oid from ranged))`
}

// relations is the subquery with the extension's relations: members, and what
// stands behind its composite types.
func (e members) relations() string {
	return "(select oid from pg_class where relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c') and (oid in " + e.of("pg_class") +
		" or reltype in " + e.of("pg_type") + "))"
}

// byOID is the condition for members of one catalog, whose rows have the alias x.
func byOID(x, catalog string) func(members) string {
	return func(e members) string { return x + ".oid in " + e.of(catalog) }
}

func t(name, expr string) column { return column{name, expr, text} }
func o(name, expr string) column { return column{name, expr, oid} }
func l(name, expr string) column { return column{name, expr, oids} }
func b(name, expr string) column { return column{name, expr, boolean} }

// inSchema is the column with an object's schema.
func inSchema() column { return column{"schema", "n.nspname", schemaName} }

// sections lists the catalogs in the order of a file. The reader (package
// builtin) checks each head line against its own list.
func sections() []section {
	const proname = "(select p.proname from pg_proc p where p.oid = "
	// in joins the schema of an object.
	in := func(column string) string { return " join pg_namespace n on n.oid = " + column }
	// own is the condition for the server's own rows.
	own := func(x string) string {
		return "n.nspname in ('pg_catalog', 'information_schema') and " + x + " < 16384"
	}
	const labels = "(select string_agg(enumlabel, chr(31) order by enumsortorder) from pg_enum where enumtypid = t.oid)"
	return []section{
		{
			name: "schemas", columns: []column{o("oid", "n.oid"), t("name", "nspname")}, from: "from pg_namespace n", order: "n.oid::text",
			builtin: "nspname in ('pg_catalog', 'information_schema', 'pg_toast')", member: byOID("n", "pg_namespace"),
		},
		{
			name: "types",
			columns: []column{
				o("oid", "t.oid"), inSchema(), t("name", "typname"), t("len", "typlen"), b("byval", "typbyval"),
				t("kind", "typtype"), t("category", "typcategory"), b("preferred", "typispreferred"), t("delim", "typdelim"),
				t("align", "typalign"), t("storage", "typstorage"), o("relation", "typrelid"), o("element", "typelem"),
				o("array", "typarray"), t("subscript", proname+"t.typsubscript)"), o("base", "typbasetype"),
				t("base_typmod", "typtypmod"), t("dims", "typndims"), b("not_null", "typnotnull"), o("collation", "typcollation"),
				o("input", "typinput::oid"), o("output", "typoutput::oid"), o("receive", "typreceive::oid"), o("send", "typsend::oid"),
				o("typmod_in", "typmodin::oid"), o("range_subtype", "coalesce(r.rngsubtype, 0)"),
				o("range_multi", "coalesce(r.rngmultitypid, 0)"), o("range_of", "coalesce(m.rngtypid, 0)"),
				o("range_collation", "coalesce(r.rngcollation, 0)"), o("range_opclass", "coalesce(r.rngsubopc, 0)"),
			},
			extra: []column{t("labels", labels), t("default", "typdefault")},
			from: "from pg_type t" + in("t.typnamespace") +
				" left join pg_range r on r.rngtypid = t.oid left join pg_range m on m.rngmultitypid = t.oid",
			order: "t.oid", builtin: own("t.oid"), member: func(e members) string { return "t.oid in " + e.types() },
		},
		{
			name: "functions",
			columns: []column{
				o("oid", "f.oid"), inSchema(), t("name", "proname"), t("kind", "prokind"),
				t("language", "(select lanname from pg_language g where g.oid = prolang)"), t("cost", "procost"), t("rows", "prorows"),
				o("variadic", "provariadic"), t("support", proname+"f.prosupport)"), t("volatile", "provolatile"),
				t("parallel", "proparallel"), b("strict", "proisstrict"), b("retset", "proretset"), b("leakproof", "proleakproof"),
				o("result", "prorettype"), l("args", "array_to_string(proargtypes::oid[], ' ')"), t("defaults", "pronargdefaults"),
				l("all_args", "array_to_string(proallargtypes, ' ')"), t("modes", "array_to_string(proargmodes, '')"),
				t("names", "array_to_string(proargnames, ',')"),
				// The defaults' texts, separated by the unit separator. The function
				// counts all arguments, OUT ones too.
				t("default_texts", `(select string_agg(x, chr(31) order by k) from (select k, pg_get_function_arg_default(f.oid, k) x
				from generate_series(1, coalesce(cardinality(proallargtypes), pronargs)) k) s where x is not null)`),
				// Of the bodies only those in SQL are of use.
				t("source", `case when prolang in (select oid from pg_language where lanname in ('internal', 'c', 'sql'))
				then coalesce(pg_get_function_sqlbody(f.oid), prosrc) end`),
			},
			from: "from pg_proc f" + in("f.pronamespace"), order: "f.oid", builtin: own("f.oid"), member: byOID("f", "pg_proc"),
		},
		{
			name: "aggregates",
			columns: []column{
				o("function", "aggfnoid::oid"), t("kind", "aggkind"), t("direct_args", "aggnumdirectargs"), o("trans", "aggtransfn::oid"),
				o("final", "aggfinalfn::oid"), o("combine", "aggcombinefn::oid"), o("serial", "aggserialfn::oid"),
				o("deserial", "aggdeserialfn::oid"), o("sortop", "aggsortop"), o("trans_type", "aggtranstype"),
				t("trans_space", "aggtransspace"), b("init_null", "agginitval is null"), o("moving_trans", "aggmtransfn::oid"),
				t("final_modify", "aggfinalmodify"),
			},
			from: "from pg_aggregate", order: "aggfnoid::oid", builtin: "aggfnoid::oid < 16384",
			member: func(e members) string { return "aggfnoid::oid in " + e.of("pg_proc") },
		},
		{
			name: "operators",
			columns: []column{
				o("oid", "p.oid"), inSchema(), t("name", "oprname"), o("left", "oprleft"), o("right", "oprright"),
				o("result", "oprresult"), o("function", "oprcode::oid"), o("commutator", "oprcom"), o("negator", "oprnegate"),
				t("restrict", "(select f.proname from pg_proc f where f.oid = p.oprrest)"),
				t("join", "(select f.proname from pg_proc f where f.oid = p.oprjoin)"), b("merges", "oprcanmerge"), b("hashes", "oprcanhash"),
			},
			from: "from pg_operator p" + in("p.oprnamespace"), order: "p.oid", builtin: own("p.oid"), member: byOID("p", "pg_operator"),
		},
		{
			name: "casts",
			columns: []column{
				o("source", "castsource"), o("target", "casttarget"), o("function", "castfunc"), t("context", "castcontext"),
				t("method", "castmethod"),
			},
			from: "from pg_cast k", order: "castsource, casttarget", builtin: "k.oid < 16384", member: byOID("k", "pg_cast"),
		},
		// The collations that a machine's locales and ICU bring are not facts of
		// a version.
		{
			name: "collations",
			columns: []column{
				o("oid", "c.oid"), inSchema(), t("name", "collname"), t("provider", "collprovider"),
				b("deterministic", "collisdeterministic"),
			},
			from: "from pg_collation c" + in("c.collnamespace"), order: "c.oid",
			builtin: own("c.oid") + " and (c.oid < 10000 or collname in ('ucs_basic', 'unicode'))", member: byOID("c", "pg_collation"),
		},
		// Configurations (c) and dictionaries (d) of text search, which are named in
		// strings.
		{
			name:    "textsearch",
			columns: []column{t("kind", "c.kind"), inSchema(), t("name", "c.name")},
			from: "from (select 'c' as kind, oid, cfgname as name, cfgnamespace as schema from pg_ts_config" +
				" union all select 'd', oid, dictname, dictnamespace from pg_ts_dict) c" + in("c.schema"),
			order: "c.kind, c.name", builtin: own("c.oid"),
			member: func(e members) string {
				return "c.kind = 'c' and c.oid in " + e.of("pg_ts_config") + " or c.kind = 'd' and c.oid in " + e.of("pg_ts_dict")
			},
		},
		{
			name: "opclasses",
			columns: []column{
				o("oid", "c.oid"), inSchema(), t("name", "opcname"), o("method", "opcmethod"),
				o("family", "opcfamily"), o("type", "opcintype"), o("key_type", "opckeytype"), b("default", "opcdefault"),
			},
			from: "from pg_opclass c" + in("c.opcnamespace"), order: "c.oid", builtin: own("c.oid"), member: byOID("c", "pg_opclass"),
		},
		{
			name:    "opfamilies",
			columns: []column{o("oid", "c.oid"), inSchema(), t("name", "opfname"), o("method", "opfmethod")},
			from:    "from pg_opfamily c" + in("c.opfnamespace"), order: "c.oid", builtin: own("c.oid"), member: byOID("c", "pg_opfamily"),
		},
		{
			name: "amops",
			columns: []column{
				o("family", "amopfamily"), o("method", "amopmethod"), o("left", "amoplefttype"), o("right", "amoprighttype"),
				t("strategy", "amopstrategy"), t("purpose", "amoppurpose"), o("operator", "amopopr"), o("sort_family", "amopsortfamily"),
			},
			from: "from pg_amop a", order: "amopfamily, amoplefttype, amoprighttype, amopstrategy, amopopr", builtin: "a.oid < 16384",
			member: func(e members) string {
				return "amopfamily in " + e.of("pg_opfamily") + " or amopopr in " + e.of("pg_operator")
			},
		},
		{
			name: "amprocs",
			columns: []column{
				o("family", "amprocfamily"), o("left", "amproclefttype"), o("right", "amprocrighttype"),
				t("number", "amprocnum"), o("function", "amproc::oid"),
			},
			from: "from pg_amproc a", order: "amprocfamily, amproclefttype, amprocrighttype, amprocnum", builtin: "a.oid < 16384",
			member: func(e members) string {
				return "amprocfamily in " + e.of("pg_opfamily") + " or amproc::oid in " + e.of("pg_proc")
			},
		},
		{
			name: "relations",
			columns: []column{
				o("oid", "c.oid"), inSchema(), t("name", "relname"), t("kind", "relkind"),
				o("row_type", "reltype"), t("columns", "relnatts"),
			},
			extra: []column{t("definition", "case when relkind in ('v', 'm') then pg_get_viewdef(c.oid) end")},
			from:  "from pg_class c" + in("c.relnamespace"), order: "c.oid", builtin: own("c.oid") + " and relkind in ('r', 'v')",
			member: func(e members) string { return "c.oid in " + e.relations() },
		},
		// The columns of all relations, in the order of the relations; none of
		// the server's relations has a dropped column.
		{
			name: "columns",
			columns: []column{
				t("name", "attname"), o("type", "atttypid"), t("typmod", "atttypmod"), o("collation", "attcollation"),
				b("not_null", "attnotnull"), t("dims", "attndims"),
			},
			extra: []column{
				b("dropped", "attisdropped"), t("identity", "attidentity"), t("generated", "attgenerated"),
				t("default", "(select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = attnum)"),
			},
			from:  "from pg_class c" + in("c.relnamespace") + " join pg_attribute a on attrelid = c.oid and attnum > 0",
			order: "c.oid, attnum", builtin: own("c.oid") + " and relkind in ('r', 'v')",
			member: func(e members) string { return "c.oid in " + e.relations() },
		},
		{
			name: "indexes",
			columns: []column{
				o("oid", "c.oid"), inSchema(), t("name", "relname"), o("table", "indrelid"), o("method", "relam"),
				t("key_columns", "indnkeyatts"), b("unique", "indisunique"), b("primary", "indisprimary"), b("immediate", "indimmediate"),
				b("nulls_not_distinct", "indnullsnotdistinct"), t("columns", "indkey"),
				l("types", "(select string_agg(atttypid::text, ' ' order by attnum) from pg_attribute where attrelid = c.oid)"),
				l("collations", "indcollation"), l("opclasses", "indclass"), t("options", "indoption"),
			},
			from: "from pg_class c" + in("c.relnamespace") + " join pg_index i on i.indexrelid = c.oid", order: "c.oid", builtin: own("c.oid"),
			member: func(e members) string {
				return "indexprs is null and indpred is null and indrelid in " + e.relations()
			},
		},
		{
			name: "constraints",
			columns: []column{
				o("oid", "k.oid"), t("name", "conname"), t("kind", "contype"), o("table", "conrelid"),
				t("columns", "array_to_string(conkey, ' ')"), o("index", "conindid"),
			},
			extra: []column{o("type", "contypid"), t("condition", "pg_get_expr(conbin, conrelid)")},
			from:  "from pg_constraint k" + in("k.connamespace"), order: "k.oid", builtin: own("k.oid") + " and contype in ('p', 'u')",
			member: func(e members) string {
				return "contype in ('p', 'u', 'c') and (conrelid in " + e.relations() + " or contypid in " + e.of("pg_type") + ")"
			},
		},
	}
}
