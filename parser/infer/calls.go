package infer

import (
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// neverNullRows are set-returning functions, by their C names, whose rows are
// never NULL.
var neverNullRows = set(`generate_series_int4 generate_series_int8 generate_series_step_int4
	generate_series_step_int8 generate_series_numeric generate_series_step_numeric
	generate_series_timestamp generate_series_timestamptz generate_series_timestamptz_at_zone
	generate_subscripts generate_subscripts_nodir jsonb_object_keys json_object_keys
	jsonb_array_elements json_array_elements regexp_split_to_table_no_flags
	regexp_split_to_table`)

// nullOnValues are the functions behind built-in operators and casts, by their
// C names, that can return NULL for arguments that are not NULL.
var nullOnValues = set(`jsonb_object_field jsonb_object_field_text jsonb_array_element
	jsonb_array_element_text jsonb_extract_path jsonb_extract_path_text json_object_field
	json_object_field_text json_array_element json_array_element_text json_extract_path
	json_extract_path_text jsonb_path_exists_opr jsonb_path_match_opr jsonb_numeric jsonb_bool
	jsonb_int2 jsonb_int4 jsonb_int8 jsonb_float4 jsonb_float8 point_distance
	inter_sl inter_lb inter_sb close_ls close_lseg close_lb close_sb close_pl close_ps close_pb
	lseg_interpt line_interpt box_intersect path_add path_distance poly_distance
	timestamp_time timestamptz_time timestamptz_timetz`)

// neverNullFuncs are built-in strict functions, by their C names, that return a
// value for all values.
var neverNullFuncs = set(`lower upper initcap textlen bpcharlen char_length octet_length
	btrim btrim1 ltrim ltrim1 rtrim rtrim1 lpad lpad_nofill rpad rpad_nofill repeat replace_text
	text_left text_right text_reverse translate ascii chr md5_text md5_bytea
	text_substr text_substr_no_len bpchar_substr strpos textpos split_part
	int4abs int8abs int2abs float8abs numeric_abs dround numeric_round numeric_ceil numeric_floor
	dceil dfloor dtrunc numeric_trunc dsqrt numeric_sqrt dpow numeric_power int4mod int8mod
	numeric_mod random drandom now clock_timestamp statement_timestamp timestamptz_trunc
	timestamptz_trunc_zone timestamp_trunc interval_trunc timestamptz_date timestamp_date
	date_timestamptz date_timestamp timestamptz_timestamp timestamp_timestamptz timestamptz_zone
	timestamp_zone timestamptz_izone timestamp_izone make_date make_timestamp make_interval
	make_time timestamptz_age timestamp_age to_timestamp float8_timestamptz
	numeric_to_char int4_to_char int8_to_char to_date to_number
	jsonb_typeof json_typeof to_tsvector_byid to_tsvector to_tsquery to_tsquery_byid
	plainto_tsquery plainto_tsquery_byid websearch_to_tsquery websearch_to_tsquery_byid
	phraseto_tsquery phraseto_tsquery_byid ts_rank_tt ts_rank_ttf ts_rank_wtt ts_rank_wttf
	ts_rankcd_tt ts_rankcd_ttf ts_rankcd_wtt ts_rankcd_wttf ts_headline ts_headline_byid
	array_cat hashtext hashint8 hashint4 uuid_hash gen_random_uuid sha256_bytea sha512_bytea
	binary_encode binary_decode quote_ident quote_literal jsonb_strip_nulls jsonb_pretty
	current_database pg_current_xact_id nextval_oid setval_oid timeofday
	textregexreplace textregexreplace_noopt range_contains jsonb_concat`)

// neverNullAny are built-in functions, by their C names, that return a value
// even for NULL arguments, but for a NULL array behind VARIADIC.
var neverNullAny = set(`text_concat jsonb_build_object jsonb_build_object_noargs
	jsonb_build_array jsonb_build_array_noargs json_build_object json_build_object_noargs
	json_build_array json_build_array_noargs quote_nullable num_nulls num_nonnulls`)

// neverNullRest are like neverNullAny, but NULL for a first argument that is.
var neverNullRest = set(`text_concat_ws text_format text_format_nv`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// call is a function call or a cast by function.
func (s *scope) call(n *query.FuncExpr) value {
	f, args := s.cat.Func(n.Func), n.Args
	switch {
	case f == nil:
		return maybe("unknown function")
	case f.OID >= pgtype.FirstNormalOID || f.Schema != "pg_catalog":
		return maybe("function " + f.Name + " can return anything")
	case neverNullAny[f.Source] || neverNullRest[f.Source]:
		var needed []query.Expr
		if neverNullRest[f.Source] {
			needed = append(needed, args[0])
		}
		if n.Variadic {
			needed = append(needed, args[len(args)-1])
		}
		if len(needed) > 0 {
			return s.all("argument", needed)
		}
		return never(f.Name + " returns a value for all arguments")
	case f.Source == "jsonb_set" || f.Source == "jsonb_insert":
		return s.all("argument", args)
	case !f.Strict:
		if len(args) == 0 && neverNullFuncs[f.Source] {
			return never(f.Name)
		}
		return maybe("function " + f.Name)
	case neverNullFuncs[f.Source] || s.isCast(f) && !nullOnValues[f.Source]:
		return s.all("argument", args)
	}
	return maybe("function " + f.Name + " may return NULL")
}

// isCast tells the functions that pg_cast names.
func (s *scope) isCast(f *catalog.Func) bool {
	if len(f.Args) == 0 {
		return false
	}
	k := s.cat.Cast(f.Args[0], f.Result)
	return k != nil && k.Func == f.OID
}

// operator is an operator of pg_catalog, whose functions return a value for
// values but for those listed, or one of a user's, of which nothing is known.
func (s *scope) operator(o *catalog.Operator, args []query.Expr) value {
	f := s.cat.Func(o.Func)
	switch {
	case f == nil:
		return maybe("unknown operator")
	case o.OID >= pgtype.FirstNormalOID || f.Language != "internal" && !(f.Language == "sql" && o.Schema == "pg_catalog"):
		return maybe("operator " + o.Name + " can return anything")
	case nullOnValues[f.Source]:
		return maybe("operator " + o.Name + " may find nothing")
	case f.Source == "array_append" || f.Source == "array_prepend":
		return never("operator || with an element")
	case !f.Strict && f.Source != "array_cat":
		return maybe("operator " + o.Name)
	}
	return s.all("operand", args)
}

// arrayTest is x op ANY (array): unknown where an element is NULL.
func (s *scope) arrayTest(n *query.ScalarArrayOpExpr) value {
	if v := s.value(n.Args[0]); !v.notNull {
		return maybe("operand can be NULL")
	}
	if o := s.cat.Operator(n.Op); o == nil || !s.operator(o, nil).notNull {
		return maybe("the operator may return NULL")
	}
	v := s.value(n.Args[1])
	if v.notNull && v.elements {
		return never("operand and elements are not null")
	}
	return maybe("the array can be NULL or hold NULL")
}

// element reports whether an array made of values has no NULL in it: values that
// are arrays themselves become a dimension, and their elements the elements.
func (s *scope) element(typ pgOID, v value) bool {
	if t := s.cat.Type(typ); t == nil || t.Subscript == "array_subscript_handler" || t.Kind == 'd' {
		return v.notNull && v.elements
	}
	return v.notNull
}

func (s *scope) caseValue(n *query.CaseExpr) value {
	if n.Default == nil {
		return maybe("CASE without ELSE")
	}
	if c, ok := n.Default.(*query.Const); ok && c.Null {
		return maybe("CASE without ELSE")
	}
	elements := true
	for _, w := range n.Whens {
		v := s.underCondition(w.Cond, w.Result)
		if !v.notNull {
			return maybe("a branch of CASE (" + strings.TrimPrefix(v.why, "nullable: ") + ")")
		}
		elements = elements && v.elements
	}
	v := s.value(n.Default)
	if !v.notNull {
		return maybe("ELSE of CASE (" + strings.TrimPrefix(v.why, "nullable: ") + ")")
	}
	return value{true, elements && v.elements, "not null: in every branch of CASE"}
}

// underCondition is the value of a result where a condition was true.
func (s *scope) underCondition(cond, result query.Expr) value {
	v := s.value(result)
	if v.notNull {
		return v
	}
	if r, ok := result.(*query.Var); ok && s.strictColumns(cond, true)[column{r.VarNo, r.AttNo}] && r.LevelsUp == 0 {
		return never("WHEN rejects NULL")
	}
	return v
}

func (s *scope) subLink(n *query.SubLink) value {
	switch n.Kind {
	case query.ExistsSubLink:
		return never("EXISTS")
	case query.ArraySubLink:
		v := never("ARRAY(…) is empty rather than NULL")
		if in := s.subquery(n.Subselect, s); len(in) > 0 {
			for _, te := range n.Subselect.TargetList {
				if !te.Junk {
					v.elements = s.element(te.Expr.ResultType(), in[0])
				}
			}
		}
		return v
	case query.ExprSubLink:
		in := newScope(s.cat, n.Subselect, s)
		list := in.values()
		if c, _ := in.cardinality(); c == ExactlyOne && len(list) > 0 && list[0].notNull {
			return value{true, list[0].elements, "not null: the subquery always has a row (" + strings.TrimPrefix(list[0].why, "not null: ") + ")"}
		}
		return maybe("the subquery may have no row")
	}
	return maybe("comparison with a subquery")
}

// countLike are aggregates that give a value for no rows.
var countLike = set(`int8inc int8inc_any`)

// aggregate is an aggregate call.
func (s *scope) aggregate(n *query.Aggref) value {
	at := s.up(n.LevelsUp)
	f := s.cat.Func(n.Func)
	if f == nil || f.Aggregate == nil {
		return maybe("unknown aggregate")
	}
	if t := s.cat.Func(f.Aggregate.TransFunc); t != nil && countLike[t.Source] && f.OID < pgtype.FirstNormalOID {
		return never("count")
	}
	if f.Name == "regr_count" && f.Schema == "pg_catalog" {
		return never("regr_count")
	}
	if at == nil || f.OID >= pgtype.FirstNormalOID || f.Schema != "pg_catalog" {
		return maybe("aggregate " + f.Name)
	}
	if len(at.q.GroupClause) == 0 || len(at.q.GroupingSets) > 0 {
		return maybe(f.Name + " of no rows is NULL")
	}
	if n.Filter != nil {
		return maybe(f.Name + " with FILTER may see no rows")
	}
	if f.Aggregate.Kind != 'n' || strings.HasPrefix(f.Name, "var") || strings.HasPrefix(f.Name, "stddev") ||
		strings.HasPrefix(f.Name, "regr_") || strings.HasPrefix(f.Name, "corr") || strings.HasPrefix(f.Name, "covar") {
		return maybe("aggregate " + f.Name)
	}
	switch f.Name {
	case "array_agg":
		v := never("a group has at least one row")
		v.elements = len(n.Args) > 0 && s.element(n.Args[0].Expr.ResultType(), s.value(n.Args[0].Expr))
		return v
	case "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg":
		return never("a group has at least one row")
	case "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "string_agg", "bit_and", "bit_or":
		if v := s.value(n.Args[0].Expr); !v.notNull {
			return maybe(f.Name + " of values that can all be NULL")
		}
		return never("a group has at least one row, and the argument is not null")
	}
	return maybe("aggregate " + f.Name)
}

// window is a window function call.
func (s *scope) window(n *query.WindowFunc) value {
	f := s.cat.Func(n.Func)
	if f == nil || f.OID >= pgtype.FirstNormalOID || f.Schema != "pg_catalog" {
		return maybe("window function")
	}
	switch f.Name {
	case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist":
		return never(f.Name)
	case "ntile":
		return s.all("argument", n.Args)
	case "count":
		return never("count")
	case "lag", "lead":
		if len(n.Args) == 3 && s.value(n.Args[0]).notNull && s.value(n.Args[2]).notNull && s.value(n.Args[1]).notNull {
			return never(f.Name + " with a default that is not null")
		}
		return maybe(f.Name + " finds no row at the ends of a partition")
	case "sum", "avg", "min", "max", "first_value", "last_value", "bool_and", "bool_or", "array_agg", "string_agg":
		if n.Filter != nil || len(n.Args) == 0 || !s.value(n.Args[0]).notNull {
			return maybe(f.Name + " over values that can be NULL")
		}
		if w := windowOf(s.q, n.WinRef); w == nil || !frameHasCurrentRow(w) {
			return maybe(f.Name + " over a frame that can be empty")
		}
		return never("the frame holds the current row, and the argument is not null")
	}
	return maybe("window function " + f.Name)
}

func windowOf(q *query.Query, ref int) *query.WindowClause {
	for _, w := range q.WindowClause {
		if w.Ref == ref {
			return w
		}
	}
	return nil
}

// frameHasCurrentRow reports whether a frame always has the current row in it.
func frameHasCurrentRow(w *query.WindowClause) bool {
	const excluded = query.FrameExcludeCurrentRow | query.FrameExcludeGroup
	const starts = query.FrameStartUnboundedPreceding | query.FrameStartCurrentRow
	const ends = query.FrameEndUnboundedFollowing | query.FrameEndCurrentRow
	return w.FrameOptions&excluded == 0 && w.FrameOptions&starts != 0 && w.FrameOptions&ends != 0
}
