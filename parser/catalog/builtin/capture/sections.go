package main

// kind says how a column is written.
type kind int

const (
	text    kind = iota
	oid          // an OID, renumbered; 0 is empty
	oids         // OIDs between blanks, renumbered
	boolean      // t or f
)

// column is one value of a section: the head line's name and the SQL for it.
type column struct {
	name, expr string
	kind       kind
}

// section is one catalog in the data file.
type section struct {
	name    string
	columns []column
	// from is the query from FROM on.
	from string
}

func t(name, expr string) column { return column{name, expr, text} }
func o(name, expr string) column { return column{name, expr, oid} }
func l(name, expr string) column { return column{name, expr, oids} }
func b(name, expr string) column { return column{name, expr, boolean} }

// sections lists the catalogs in the order of the data file. The reader
// (package builtin) checks each head line against its own list.
func sections() []section {
	const proname = "(select p.proname from pg_proc p where p.oid = "
	const schemas = "join pg_namespace n on n.nspname in ('pg_catalog', 'information_schema')"
	return []section{
		{
			"schemas",
			[]column{o("oid", "oid"), t("name", "nspname")},
			"from pg_namespace where nspname in ('pg_catalog', 'information_schema', 'pg_toast') order by oid",
		},
		{"types", []column{
			o("oid", "t.oid"), t("schema", "n.nspname"), t("name", "typname"), t("len", "typlen"), b("byval", "typbyval"),
			t("kind", "typtype"), t("category", "typcategory"), b("preferred", "typispreferred"), t("delim", "typdelim"),
			t("align", "typalign"), t("storage", "typstorage"), o("relation", "typrelid"), o("element", "typelem"),
			o("array", "typarray"), t("subscript", proname+"t.typsubscript)"), o("base", "typbasetype"),
			t("base_typmod", "typtypmod"), t("dims", "typndims"), b("not_null", "typnotnull"), o("collation", "typcollation"),
			o("input", "typinput::oid"), o("output", "typoutput::oid"), o("receive", "typreceive::oid"), o("send", "typsend::oid"),
			o("typmod_in", "typmodin::oid"), o("range_subtype", "coalesce(r.rngsubtype, 0)"),
			o("range_multi", "coalesce(r.rngmultitypid, 0)"), o("range_of", "coalesce(m.rngtypid, 0)"),
			o("range_collation", "coalesce(r.rngcollation, 0)"), o("range_opclass", "coalesce(r.rngsubopc, 0)"),
		}, "from pg_type t " + schemas + ` and n.oid = t.typnamespace
			left join pg_range r on r.rngtypid = t.oid left join pg_range m on m.rngmultitypid = t.oid
			where t.oid < 16384 order by t.oid`},
		{"functions", []column{
			o("oid", "f.oid"), t("schema", "n.nspname"), t("name", "proname"), t("kind", "prokind"),
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
			t("source", "coalesce(pg_get_function_sqlbody(f.oid), prosrc)"),
		}, "from pg_proc f " + schemas + " and n.oid = f.pronamespace where f.oid < 16384 order by f.oid"},
		{"aggregates", []column{
			o("function", "aggfnoid::oid"), t("kind", "aggkind"), t("direct_args", "aggnumdirectargs"), o("trans", "aggtransfn::oid"),
			o("final", "aggfinalfn::oid"), o("combine", "aggcombinefn::oid"), o("serial", "aggserialfn::oid"),
			o("deserial", "aggdeserialfn::oid"), o("sortop", "aggsortop"), o("trans_type", "aggtranstype"),
			t("trans_space", "aggtransspace"), b("init_null", "agginitval is null"), o("moving_trans", "aggmtransfn::oid"),
			t("final_modify", "aggfinalmodify"),
		}, "from pg_aggregate where aggfnoid::oid < 16384 order by aggfnoid::oid"},
		{"operators", []column{
			o("oid", "p.oid"), t("schema", "n.nspname"), t("name", "oprname"), o("left", "oprleft"), o("right", "oprright"),
			o("result", "oprresult"), o("function", "oprcode::oid"), o("commutator", "oprcom"), o("negator", "oprnegate"),
			t("restrict", "(select f.proname from pg_proc f where f.oid = p.oprrest)"),
			t("join", "(select f.proname from pg_proc f where f.oid = p.oprjoin)"), b("merges", "oprcanmerge"), b("hashes", "oprcanhash"),
		}, "from pg_operator p " + schemas + " and n.oid = p.oprnamespace where p.oid < 16384 order by p.oid"},
		{
			"casts",
			[]column{
				o("source", "castsource"), o("target", "casttarget"), o("function", "castfunc"), t("context", "castcontext"),
				t("method", "castmethod"),
			},
			"from pg_cast where oid < 16384 order by castsource, casttarget",
		},
		// The collations that a machine's locales and ICU bring are not facts of
		// a version.
		{
			"collations",
			[]column{
				o("oid", "c.oid"), t("schema", "n.nspname"), t("name", "collname"), t("provider", "collprovider"),
				b("deterministic", "collisdeterministic"),
			},
			"from pg_collation c " + schemas + ` and n.oid = c.collnamespace
			where c.oid < 10000 or collname in ('ucs_basic', 'unicode') and c.oid < 16384 order by c.oid`,
		},
		{
			"opclasses",
			[]column{
				o("oid", "c.oid"), t("schema", "n.nspname"), t("name", "opcname"), o("method", "opcmethod"),
				o("family", "opcfamily"), o("type", "opcintype"), o("key_type", "opckeytype"), b("default", "opcdefault"),
			},
			"from pg_opclass c " + schemas + " and n.oid = c.opcnamespace where c.oid < 16384 order by c.oid",
		},
		{
			"opfamilies",
			[]column{o("oid", "c.oid"), t("schema", "n.nspname"), t("name", "opfname"), o("method", "opfmethod")},
			"from pg_opfamily c " + schemas + " and n.oid = c.opfnamespace where c.oid < 16384 order by c.oid",
		},
		{
			"amops",
			[]column{
				o("family", "amopfamily"), o("method", "amopmethod"), o("left", "amoplefttype"), o("right", "amoprighttype"),
				t("strategy", "amopstrategy"), t("purpose", "amoppurpose"), o("operator", "amopopr"), o("sort_family", "amopsortfamily"),
			},
			"from pg_amop where oid < 16384 order by amopfamily, amoplefttype, amoprighttype, amopstrategy, amopopr",
		},
		{
			"amprocs",
			[]column{
				o("family", "amprocfamily"), o("left", "amproclefttype"), o("right", "amprocrighttype"),
				t("number", "amprocnum"), o("function", "amproc::oid"),
			},
			"from pg_amproc where oid < 16384 order by amprocfamily, amproclefttype, amprocrighttype, amprocnum",
		},
		{
			"relations",
			[]column{
				o("oid", "c.oid"), t("schema", "n.nspname"), t("name", "relname"), t("kind", "relkind"),
				o("row_type", "reltype"), t("columns", "relnatts"),
			},
			"from pg_class c " + schemas + " and n.oid = c.relnamespace where relkind in ('r', 'v') and c.oid < 16384 order by c.oid",
		},
		// The columns of all relations, in the order of the relations; none of
		// these relations has a dropped column.
		{
			"columns",
			[]column{
				t("name", "attname"), o("type", "atttypid"), t("typmod", "atttypmod"), o("collation", "attcollation"),
				b("not_null", "attnotnull"), t("dims", "attndims"),
			},
			"from pg_class c " + schemas + ` and n.oid = c.relnamespace join pg_attribute a on attrelid = c.oid and attnum > 0
			where relkind in ('r', 'v') and c.oid < 16384 order by c.oid, attnum`,
		},
		{
			"indexes",
			[]column{
				o("oid", "c.oid"), t("schema", "n.nspname"), t("name", "relname"), o("table", "indrelid"), o("method", "relam"),
				t("key_columns", "indnkeyatts"), b("unique", "indisunique"), b("primary", "indisprimary"), b("immediate", "indimmediate"),
				b("nulls_not_distinct", "indnullsnotdistinct"), t("columns", "indkey"),
				l("types", "(select string_agg(atttypid::text, ' ' order by attnum) from pg_attribute where attrelid = c.oid)"),
				l("collations", "indcollation"), l("opclasses", "indclass"), t("options", "indoption"),
			},
			"from pg_class c " + schemas + ` and n.oid = c.relnamespace join pg_index i on i.indexrelid = c.oid
			where c.oid < 16384 order by c.oid`,
		},
		{
			"constraints",
			[]column{
				o("oid", "k.oid"), t("name", "conname"), t("kind", "contype"), o("table", "conrelid"),
				t("columns", "array_to_string(conkey, ' ')"), o("index", "conindid"),
			},
			"from pg_constraint k " + schemas + " and n.oid = k.connamespace where contype in ('p', 'u') and k.oid < 16384 order by k.oid",
		},
	}
}
