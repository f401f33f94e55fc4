package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// jsonExpr analyses the SQL/JSON constructors and predicates of PostgreSQL 16;
// nil for another node.
func (s *state) jsonExpr(n *pg.Node) query.Expr {
	switch x := n.Node.(type) {
	case *pg.Node_JsonObjectConstructor:
		return s.jsonObject(x.JsonObjectConstructor)
	case *pg.Node_JsonArrayConstructor:
		return s.jsonArray(x.JsonArrayConstructor)
	case *pg.Node_JsonArrayQueryConstructor:
		return s.jsonArrayQuery(x.JsonArrayQueryConstructor)
	case *pg.Node_JsonObjectAgg:
		return s.jsonObjectAgg(x.JsonObjectAgg)
	case *pg.Node_JsonArrayAgg:
		return s.jsonArrayAgg(x.JsonArrayAgg)
	case *pg.Node_JsonIsPredicate:
		return s.isJSON(x.JsonIsPredicate)
	}
	return nil
}

// jsonReturning is a RETURNING clause once it is resolved.
type jsonReturning struct {
	typ    pgtype.OID
	mod    pgtype.Typmod
	jsonb  bool
	format *pg.JsonFormat
}

// jsonValue analyses an argument with its FORMAT (transformJsonValueExpr,
// parse_expr.c). What has a format becomes json: read from a string, or made by
// to_json.
func (s *state) jsonValue(n *pg.JsonValueExpr, construct string) query.Expr {
	e := s.transform(n.RawExpr)
	if e.ResultType() == pgtype.UnknownOID {
		e = s.coerceToSpecific(e, pgtype.TextOID, construct)
	}
	f := n.GetFormat()
	if f.GetFormatType() <= pg.JsonFormatType_JS_FORMAT_DEFAULT {
		return e
	}
	t, loc := e.ResultType(), exprLoc(e)
	if f.Encoding > pg.JsonEncoding_JS_ENC_DEFAULT && t != pgtype.ByteaOID {
		s.fail(errDatatypeMismatch, int(f.Location), "JSON ENCODING clause is only allowed for bytea input type")
	}
	if t == pgtype.JsonOID || t == pgtype.JsonbOID {
		return e
	}
	if category, _ := s.category(t); t != pgtype.ByteaOID && category != 'S' {
		s.fail(errDatatypeMismatch, int(f.Location), "cannot use non-string types with explicit FORMAT JSON clause")
	}
	if t == pgtype.ByteaOID {
		e = s.systemCall("convert_from", pgtype.TextOID, loc, e, s.encodingName(f))
		t = pgtype.TextOID
	}
	target, toJSON := pgtype.JsonOID, "to_json"
	if f.FormatType == pg.JsonFormatType_JS_FORMAT_JSONB {
		target, toJSON = pgtype.JsonbOID, "to_jsonb"
	}
	if c := s.coerceToTarget(e, target, -1, explicit, query.CoerceImplicitCast, loc); c != nil {
		return c
	}
	return s.systemCall(toJSON, target, loc, e)
}

// systemCall is a call of the built-in function of that name for as many
// arguments; of overloads the first.
func (s *state) systemCall(name string, result pgtype.OID, loc int, args ...query.Expr) *query.FuncExpr {
	e := &query.FuncExpr{Args: args}
	e.Header = query.Header{Typ: result, Mod: -1, Loc: s.span(loc)}
	for _, f := range s.cat.FuncsByName("pg_catalog", name) {
		if len(f.Args) == len(args) && f.Kind == 'f' {
			e.Func = f.OID
			return e
		}
	}
	s.fail(errUndefinedFunction, loc, "function %s does not exist", name)
	return nil
}

func (s *state) encodingName(f *pg.JsonFormat) query.Expr {
	name := "UTF8"
	switch f.GetEncoding() {
	case pg.JsonEncoding_JS_ENC_UTF16:
		name = "UTF16"
	case pg.JsonEncoding_JS_ENC_UTF32:
		name = "UTF32"
	}
	return s.constOf(pgtype.NameOID, name)
}

// jsonOutput is transformJsonOutput; the type is 0 without a RETURNING clause.
func (s *state) jsonOutput(n *pg.JsonOutput) jsonReturning {
	r := jsonReturning{mod: -1}
	if n == nil {
		return r
	}
	r.typ, r.mod = s.typeName(n.TypeName)
	r.format = n.GetReturning().GetFormat()
	if n.TypeName.Setof {
		s.fail(errFeatureNotSupported, noLoc, "returning SETOF types is not supported in SQL/JSON functions")
	}
	if s.cat.Major >= 17 && s.typ(r.typ).Kind == 'p' {
		s.fail(errFeatureNotSupported, noLoc, "returning pseudo-types is not supported in SQL/JSON functions")
	}
	if r.format.GetFormatType() <= pg.JsonFormatType_JS_FORMAT_DEFAULT {
		r.jsonb = r.typ == pgtype.JsonbOID
		return r
	}
	r.jsonb = r.format.FormatType == pg.JsonFormatType_JS_FORMAT_JSONB
	loc := int(r.format.Location)
	if !r.jsonb {
		if r.typ != pgtype.ByteaOID && r.format.Encoding > pg.JsonEncoding_JS_ENC_DEFAULT {
			s.fail(errFeatureNotSupported, loc, "cannot set JSON encoding for non-bytea output types")
		}
		if r.format.Encoding > pg.JsonEncoding_JS_ENC_UTF8 {
			s.failHint(errFeatureNotSupported, loc, "Only UTF8 JSON encoding is supported.", "unsupported JSON encoding")
		}
	}
	return r
}

// jsonConstructorOutput is transformJsonConstructorOutput: json is returned
// unless an argument is jsonb.
func (s *state) jsonConstructorOutput(n *pg.JsonOutput, args []query.Expr) jsonReturning {
	r := s.jsonOutput(n)
	if r.typ != 0 {
		return r
	}
	r.typ = pgtype.JsonOID
	for _, e := range args {
		if e.ResultType() == pgtype.JsonbOID {
			r.typ, r.jsonb = pgtype.JsonbOID, true
		}
	}
	return r
}

// jsonConstructor is makeJsonConstructorExpr. The node has the type that
// RETURNING asks for.
func (s *state) jsonConstructor(e *query.JSONExpr, r jsonReturning, loc int) query.Expr {
	from := &query.CaseTestExpr{}
	from.Typ, from.Mod = pgtype.JsonOID, -1
	if r.jsonb {
		from.Typ = pgtype.JsonbOID
	}
	if e.Func != nil {
		from.Typ, from.Mod, from.Coll = e.Func.ResultType(), e.Func.ResultTypmod(), e.Func.ResultCollation()
	}
	e.Header = query.Header{Typ: r.typ, Mod: r.mod, Loc: s.span(loc)}
	if from.Typ == r.typ {
		return e
	}
	at := noLoc
	if r.format != nil {
		at = int(r.format.Location)
	}
	if r.typ == pgtype.ByteaOID && !r.jsonb {
		text := s.coerceToSpecific(from, pgtype.TextOID, "JSON_FUNCTION")
		e.Coercion = s.systemCall("convert_to", pgtype.ByteaOID, at, text, s.encodingName(r.format))
		return e
	}
	c := s.coerceToTarget(from, r.typ, r.mod, assignment, query.CoerceImplicitCast, at)
	if c == nil {
		s.fail(errCannotCoerce, at, "cannot cast type %s to %s", s.format(from.Typ), s.format(r.typ))
	}
	e.Coercion = c
	return e
}

// jsonObject is transformJsonObjectConstructor.
func (s *state) jsonObject(n *pg.JsonObjectConstructor) query.Expr {
	if s.cat.Major < 16 {
		return s.oldJSONCall("json_object", nil, nil, int(n.Location))
	}
	e := &query.JSONExpr{Op: "JSON_OBJECT", AbsentOnNull: n.AbsentOnNull, Unique: n.Unique}
	for _, x := range n.Exprs {
		kv := x.GetJsonKeyValue()
		key := s.transform(kv.Key)
		e.Args = append(e.Args, key, s.jsonValue(kv.Value, "JSON_OBJECT()"))
	}
	return s.jsonConstructor(e, s.jsonConstructorOutput(n.Output, e.Args), int(n.Location))
}

// jsonArray is transformJsonArrayConstructor.
func (s *state) jsonArray(n *pg.JsonArrayConstructor) query.Expr {
	if s.cat.Major < 16 {
		return s.oldJSONCall("json_array", n.Exprs, nil, int(n.Location))
	}
	e := &query.JSONExpr{Op: "JSON_ARRAY", AbsentOnNull: n.AbsentOnNull}
	for _, x := range n.Exprs {
		e.Args = append(e.Args, s.jsonValue(x.GetJsonValueExpr(), "JSON_ARRAY()"))
	}
	return s.jsonConstructor(e, s.jsonConstructorOutput(n.Output, e.Args), int(n.Location))
}

// oldJSONCall is what the words mean before PostgreSQL 16: a call of a function
// of the name.
func (s *state) oldJSONCall(name string, values []*pg.Node, agg *pg.JsonAggConstructor, loc int) query.Expr {
	fn := &pg.FuncCall{Funcname: []*pg.Node{pg.MakeStrNode(name)}, Location: int32(loc)} //nolint:gosec // a place in the text
	for _, v := range values {
		fn.Args = append(fn.Args, v.GetJsonValueExpr().GetRawExpr())
	}
	if agg != nil {
		fn.AggOrder, fn.AggFilter, fn.Over = agg.AggOrder, agg.AggFilter, agg.Over
	}
	return s.transformFuncCall(fn)
}

// jsonArrayQuery is transformJsonArrayQueryConstructor: JSON_ARRAY(query) is a
// subquery that aggregates the query's only column.
func (s *state) jsonArrayQuery(n *pg.JsonArrayQueryConstructor) query.Expr {
	// The query is analysed once more below: only that counts for the places of
	// parameters.
	places := s.params.places
	s.params.places = nil
	probe := newState(s.analyzer, s)
	q := probe.statement(n.Query)
	if len(visibleTargets(q)) != 1 {
		s.fail(errSyntax, int(n.Location), "subquery must return only one column")
	}
	s.params.places = places
	column := &pg.ColumnRef{Fields: []*pg.Node{pg.MakeStrNode("q"), pg.MakeStrNode("a")}, Location: n.Location}
	ref := &pg.Node{Node: &pg.Node_ColumnRef{ColumnRef: column}}
	agg := &pg.JsonArrayAgg{
		Constructor:  &pg.JsonAggConstructor{Output: n.Output, Location: n.Location},
		Arg:          &pg.JsonValueExpr{RawExpr: ref, Format: n.Format},
		AbsentOnNull: n.AbsentOnNull,
	}
	target := &pg.ResTarget{Val: &pg.Node{Node: &pg.Node_JsonArrayAgg{JsonArrayAgg: agg}}, Location: n.Location}
	from := &pg.RangeSubselect{Subquery: n.Query, Alias: &pg.Alias{Aliasname: "q", Colnames: []*pg.Node{pg.MakeStrNode("a")}}}
	sel := &pg.SelectStmt{
		Op: pg.SetOperation_SETOP_NONE, LimitOption: pg.LimitOption_LIMIT_OPTION_DEFAULT,
		TargetList: []*pg.Node{{Node: &pg.Node_ResTarget{ResTarget: target}}},
		FromClause: []*pg.Node{{Node: &pg.Node_RangeSubselect{RangeSubselect: from}}},
	}
	link := &pg.SubLink{Subselect: &pg.Node{Node: &pg.Node_SelectStmt{SelectStmt: sel}}, Location: n.Location}
	return s.subLinkAs(link, query.ExprSubLink, nil, nil, int(n.Location))
}

// jsonObjectAgg is transformJsonObjectAgg.
func (s *state) jsonObjectAgg(n *pg.JsonObjectAgg) query.Expr {
	e := &query.JSONExpr{Op: "JSON_OBJECTAGG", AbsentOnNull: n.AbsentOnNull, Unique: n.Unique}
	args := []query.Expr{s.transform(n.Arg.Key)}
	args = append(args, s.jsonValue(n.Arg.Value, "JSON_OBJECTAGG()"))
	name := "_object_agg"
	if n.Unique {
		name += "_unique"
	}
	return s.jsonAgg(e, n.Constructor, args, name)
}

// jsonArrayAgg is transformJsonArrayAgg.
func (s *state) jsonArrayAgg(n *pg.JsonArrayAgg) query.Expr {
	if s.cat.Major < 16 {
		arg := &pg.Node{Node: &pg.Node_JsonValueExpr{JsonValueExpr: n.Arg}}
		return s.oldJSONCall("json_arrayagg", []*pg.Node{arg}, n.Constructor, int(n.Constructor.Location))
	}
	e := &query.JSONExpr{Op: "JSON_ARRAYAGG", AbsentOnNull: n.AbsentOnNull}
	return s.jsonAgg(e, n.Constructor, []query.Expr{s.jsonValue(n.Arg, "JSON_ARRAYAGG()")}, "_agg")
}

// jsonAgg is transformJsonAggConstructor. The aggregate that does the work is
// named json or jsonb, name, and _strict where NULLs are left out.
func (s *state) jsonAgg(e *query.JSONExpr, c *pg.JsonAggConstructor, args []query.Expr, name string) query.Expr {
	loc := int(c.Location)
	r := s.jsonConstructorOutput(c.Output, args)
	result := pgtype.JsonOID
	if name = "json" + name; r.jsonb {
		result, name = pgtype.JsonbOID, "jsonb"+name[len("json"):]
	}
	if e.AbsentOnNull {
		name += "_strict"
	}
	fns := s.cat.FuncsByName("pg_catalog", name)
	if len(fns) == 0 {
		s.fail(errUndefinedFunction, loc, "function %s does not exist", name)
	}
	fn := fns[0]
	filter := s.where(c.AggFilter, kindFilter, "FILTER")
	h := query.Header{Typ: result, Mod: -1, Loc: s.span(loc)}
	if c.Over != nil {
		w := &query.WindowFunc{Header: h, Func: fn.OID, Args: args, IsAgg: true, Filter: filter}
		if len(c.AggOrder) > 0 {
			s.fail(errFeatureNotSupported, loc, "aggregate ORDER BY is not implemented for window functions")
		}
		s.transformWindowCall(w, c.Over)
		e.Func = w
	} else {
		a := &query.Aggref{Header: h, Func: fn.OID, Filter: filter, Kind: query.AggNormal, AggNo: -1, TransNo: -1}
		s.transformAggregate(a, fn, args, c.AggOrder, false)
		e.Func = a
	}
	return s.jsonConstructor(e, r, loc)
}

// isJSON is transformJsonIsPredicate.
func (s *state) isJSON(n *pg.JsonIsPredicate) query.Expr {
	// transformJsonParseArg: bytea is text in an encoding.
	e := s.transform(n.Expr)
	t := e.ResultType()
	category, _ := s.category(t)
	switch {
	case t == pgtype.ByteaOID:
		e = s.systemCall("convert_from", pgtype.TextOID, exprLoc(e), e, s.encodingName(n.Format))
	case t == pgtype.UnknownOID || category == 'S':
		if c := s.coerceToTarget(e, pgtype.TextOID, -1, implicit, query.CoerceImplicitCast, noLoc); c != nil {
			e = c
		}
	case t == pgtype.JsonOID || t == pgtype.JsonbOID:
	default:
		s.fail(errDatatypeMismatch, noLoc, "cannot use type %s in IS JSON predicate", s.format(t))
	}
	r := &query.JSONExpr{Op: "IS JSON", Args: []query.Expr{e}, Unique: n.UniqueKeys}
	switch n.ItemType {
	case pg.JsonValueType_JS_TYPE_OBJECT:
		r.Op = "IS JSON OBJECT"
	case pg.JsonValueType_JS_TYPE_ARRAY:
		r.Op = "IS JSON ARRAY"
	case pg.JsonValueType_JS_TYPE_SCALAR:
		r.Op = "IS JSON SCALAR"
	}
	r.Header = s.boolHeader(int(n.Location))
	return r
}
