package ddl

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// define is CREATE AGGREGATE, OPERATOR, TYPE and COLLATION.
func (a *applier) define(s *pg.DefineStmt) {
	switch s.Kind {
	case pg.ObjectType_OBJECT_AGGREGATE:
		a.createAggregate(s)
	case pg.ObjectType_OBJECT_OPERATOR:
		a.createOperator(s)
	case pg.ObjectType_OBJECT_COLLATION:
		a.createCollation(s)
	case pg.ObjectType_OBJECT_TYPE:
		a.createBaseType(s)
	case pg.ObjectType_OBJECT_TSCONFIGURATION, pg.ObjectType_OBJECT_TSDICTIONARY,
		pg.ObjectType_OBJECT_TSPARSER, pg.ObjectType_OBJECT_TSTEMPLATE:
		a.createTextSearch(s)
	default:
		a.unsupported(noLoc, "CREATE %s", objectWord(s.Kind))
	}
}

// createOperator is CREATE OPERATOR (DefineOperator, operatorcmds.c;
// OperatorCreate, pg_operator.c).
func (a *applier) createOperator(s *pg.DefineStmt) {
	schema, name := split(s.Defnames)
	o := &catalog.Operator{Schema: a.creationSchema(schema, noLoc), Name: name}
	var function, commutator, negator, restrict, join []*pg.Node
	for _, n := range s.Definition {
		d := n.GetDefElem()
		switch strings.ToLower(d.Defname) {
		case "leftarg":
			o.Left = a.operandType(d)
		case "rightarg":
			o.Right = a.operandType(d)
		case "function", "procedure":
			function = nameParts(d.Arg)
		case "commutator":
			commutator = nameParts(d.Arg)
		case "negator":
			negator = nameParts(d.Arg)
		case "restrict":
			restrict = nameParts(d.Arg)
		case "join":
			join = nameParts(d.Arg)
		case "hashes":
			o.CanHash = defBool(d)
		case "merges", "sort1", "sort2", "ltcmp", "gtcmp":
			o.CanMerge = d.Defname != "merges" || defBool(d)
		}
	}
	invalid := func(format string, args ...any) { a.fail("42P13", noLoc, format, args...) }
	switch {
	case function == nil:
		invalid("operator function must be specified")
	case o.Left == 0 && o.Right == 0:
		invalid("operator argument types must be specified")
	case o.Right == 0:
		a.failMore("42P13", noLoc, "Postfix operators are not supported.", "", "operator right argument type must be specified")
	}
	args := []pgtype.OID{o.Right}
	if o.Left != 0 {
		args = []pgtype.OID{o.Left, o.Right}
	}
	fn := a.named(function, args, noLoc)
	o.Func, o.Result = fn.OID, fn.Result
	o.Restrict, o.Join = a.estimator(restrict, "restriction"), a.estimator(join, "join")
	binary, boolean := o.Left != 0, o.Result == pgtype.BoolOID
	switch {
	case !binary && commutator != nil:
		invalid("only binary operators can have commutators")
	case !binary && o.Join != "":
		invalid("only binary operators can have join selectivity")
	case !binary && o.CanMerge:
		invalid("only binary operators can merge join")
	case !binary && o.CanHash:
		invalid("only binary operators can hash")
	case !boolean && negator != nil:
		invalid("only boolean operators can have negators")
	case !boolean && o.Restrict != "":
		invalid("only boolean operators can have restriction selectivity")
	case !boolean && o.Join != "":
		invalid("only boolean operators can have join selectivity")
	case !boolean && o.CanMerge:
		invalid("only boolean operators can merge join")
	case !boolean && o.CanHash:
		invalid("only boolean operators can hash")
	}
	if a.operator(o.Schema, name, o.Left, o.Right) != nil {
		a.fail("42723", noLoc, "operator %s already exists", shown("", name))
	}
	o.OID = a.cat.NewOID()
	a.cat.AddOperator(o)
	a.linkOperator(o, commutator, negator)
}

// linkOperator ties an operator to its commutator and negator, whichever of the
// two was created first.
func (a *applier) linkOperator(o *catalog.Operator, commutator, negator []*pg.Node) {
	tie := func(parts []*pg.Node, left, right pgtype.OID, link func(*catalog.Operator) *pgtype.OID) {
		if parts == nil {
			return
		}
		schema, name := split(parts)
		x := a.operator(schema, name, left, right)
		if x == nil {
			a.wanted = append(a.wanted, wantedOperator{o, name, left, right, link})
			return
		}
		*link(o) = x.OID
		if *link(x) == 0 && x.OID >= pgtype.FirstNormalOID {
			*link(x) = o.OID
		}
	}
	tie(commutator, o.Right, o.Left, func(x *catalog.Operator) *pgtype.OID { return &x.Commutator })
	tie(negator, o.Left, o.Right, func(x *catalog.Operator) *pgtype.OID { return &x.Negator })
	for _, w := range a.wanted {
		if w.by != o && w.name == o.Name && w.left == o.Left && w.right == o.Right && *w.link(w.by) == 0 {
			*w.link(w.by) = o.OID
			*w.link(o) = w.by.OID
		}
	}
}

// wantedOperator is a commutator or negator that is named before it is created.
type wantedOperator struct {
	by          *catalog.Operator
	name        string
	left, right pgtype.OID
	link        func(*catalog.Operator) *pgtype.OID
}

func (a *applier) operandType(d *pg.DefElem) pgtype.OID {
	if d.Arg == nil || strings.EqualFold(valueText(d.Arg), "none") && d.Arg.GetTypeName() == nil {
		return 0
	}
	n := d.Arg.GetTypeName()
	if n == nil {
		n = &pg.TypeName{Names: nameParts(d.Arg), Typemod: -1}
	}
	if n.Setof {
		a.fail("42P13", noLoc, "SETOF type not allowed for operator argument")
	}
	oid, _ := a.typeName(n)
	return oid
}

// estimator is the name of a selectivity function, "" for none
// (ValidateRestrictionEstimator and ValidateJoinEstimator).
func (a *applier) estimator(parts []*pg.Node, kind string) string {
	if parts == nil {
		return ""
	}
	args := []pgtype.OID{pgtype.InternalOID, pgtype.OidOID, pgtype.InternalOID, pgtype.Int4OID}
	if kind == "join" {
		args = []pgtype.OID{pgtype.InternalOID, pgtype.OidOID, pgtype.InternalOID, pgtype.Int2OID, pgtype.InternalOID}
	}
	fn := a.named(parts, args, noLoc)
	if fn.Result != pgtype.Float8OID {
		_, name := split(parts)
		a.fail("42P17", noLoc, "%s estimator function %s must return type %s", kind, name, "float8")
	}
	return fn.Name
}

// operator finds an operator by name and operand types, nil for none.
func (a *applier) operator(schema, name string, left, right pgtype.OID) *catalog.Operator {
	for _, o := range a.cat.OperatorsByName(schema, name) {
		if o.Left == left && o.Right == right {
			return o
		}
	}
	return nil
}

// namedOperator is the operator that an ObjectWithArgs names, or a failure
// (LookupOperWithArgs, parse_oper.c); nil where it may be missing.
func (a *applier) namedOperator(o *pg.ObjectWithArgs, missingOK bool) *catalog.Operator {
	schema, name := split(o.Objname)
	var args [2]pgtype.OID
	for i, n := range o.Objargs {
		if n.GetTypeName() == nil || i > 1 {
			continue
		}
		oid, _, err := analyze.TypeName(a.cat, n.GetTypeName())
		if err != nil && missingOK {
			return nil
		}
		a.check(err, noLoc)
		args[i] = oid
	}
	if x := a.operator(schema, name, args[0], args[1]); x != nil || missingOK {
		return x
	}
	sign := shown(schema, name) + " " + a.typeWord(args[1])
	if args[0] != 0 {
		sign = a.typeWord(args[0]) + " " + sign
	}
	a.fail("42883", noLoc, "operator does not exist: %s", sign)
	return nil
}

// alterOperator is ALTER OPERATOR … SET (AlterOperator, operatorcmds.c).
func (a *applier) alterOperator(s *pg.AlterOperatorStmt) {
	o := a.namedOperator(s.Opername, false)
	for _, n := range s.Options {
		d := n.GetDefElem()
		switch d.Defname {
		case "restrict":
			o.Restrict = a.estimator(nameParts(d.Arg), "restriction")
		case "join":
			o.Join = a.estimator(nameParts(d.Arg), "join")
		case "hashes":
			o.CanHash = defBool(d)
		case "merges":
			o.CanMerge = defBool(d)
		}
	}
}

// createCast is CREATE CAST (CreateCast, functioncmds.c).
func (a *applier) createCast(s *pg.CreateCastStmt) {
	source, _ := a.typeName(s.Sourcetype)
	target, _ := a.typeName(s.Targettype)
	from, to := a.cat.Type(source), a.cat.Type(target)
	if from.Kind == 'p' {
		a.fail("42809", noLoc, "source data type %s is a pseudo-type", a.typeWord(source))
	}
	if to.Kind == 'p' {
		a.fail("42809", noLoc, "target data type %s is a pseudo-type", a.typeWord(target))
	}
	k := &catalog.Cast{Source: source, Target: target, Context: catalog.CastExplicit}
	switch s.Context {
	case pg.CoercionContext_COERCION_IMPLICIT:
		k.Context = catalog.CastImplicit
	case pg.CoercionContext_COERCION_ASSIGNMENT:
		k.Context = catalog.CastAssignment
	}
	nargs := 0
	switch {
	case s.Func != nil:
		f := a.routine(s.Func, pg.ObjectType_OBJECT_FUNCTION)
		a.castFunction(f, source, target)
		k.Method, k.Func, nargs = catalog.CastFunction, f.OID, len(f.Args)
	case s.Inout:
		k.Method = catalog.CastInOut
	default:
		k.Method = catalog.CastBinary
		a.binaryCast(from, to)
	}
	if source == target && nargs < 2 {
		a.fail("42P17", noLoc, "source data type and target data type are the same")
	}
	if a.cat.Cast(source, target) != nil {
		a.fail("42710", noLoc, "cast from type %s to type %s already exists", a.typeWord(source), a.typeWord(target))
	}
	a.cat.NewOID()
	a.cat.AddCast(k)
}

func (a *applier) castFunction(f *catalog.Func, source, target pgtype.OID) {
	invalid := func(format string, args ...any) { a.fail("42P17", noLoc, format, args...) }
	switch n := len(f.Args); {
	case n < 1 || n > 3:
		invalid("cast function must take one to three arguments")
	case !a.cat.BinaryCoercible(source, f.Args[0]):
		invalid("argument of cast function must match or be binary-coercible from source data type")
	case n > 1 && f.Args[1] != pgtype.Int4OID:
		invalid("second argument of cast function must be type %s", "integer")
	case n > 2 && f.Args[2] != pgtype.BoolOID:
		invalid("third argument of cast function must be type %s", "boolean")
	case !a.cat.BinaryCoercible(f.Result, target):
		invalid("return data type of cast function must match or be binary-coercible to target data type")
	case f.Kind != 'f':
		invalid("cast function must be a normal function")
	case f.RetSet:
		invalid("cast function must not return a set")
	}
}

func (a *applier) binaryCast(from, to *catalog.Type) {
	invalid := func(format string, args ...any) { a.fail("42P17", noLoc, format, args...) }
	either := func(kind byte) bool { return from.Kind == kind || to.Kind == kind }
	switch {
	case from.Len != to.Len || from.ByVal != to.ByVal || from.Align != to.Align:
		invalid("source and target data types are not physically compatible")
	case either('c'):
		invalid("composite data types are not binary-compatible")
	case either('e'):
		invalid("enum data types are not binary-compatible")
	case from.IsArray() || to.IsArray():
		invalid("array data types are not binary-compatible")
	case either('d'):
		invalid("domain data types must not be marked binary-compatible")
	}
}
