package ddl

import (
	"fmt"
	"math"
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// addSequence enters a sequence with the columns that every one has
// (DefineSequence, sequence.c).
func (a *applier) addSequence(schema, name string, decl catalog.Place) *catalog.Table {
	column := func(n int, name string, typ pgtype.OID) *catalog.Column {
		return &catalog.Column{Number: n, Name: name, Type: typ, Typmod: pgtype.NoTypmod, NotNull: true}
	}
	q := &catalog.Table{
		Schema: schema, Name: name, Kind: catalog.KindSequence, ParallelWorkers: -1, Decl: decl,
		Columns: []*catalog.Column{
			column(1, "last_value", pgtype.Int8OID), column(2, "log_cnt", pgtype.Int8OID),
			column(3, "is_called", pgtype.BoolOID),
		},
	}
	a.addRelation(q)
	return q
}

func (a *applier) createSequenceStmt(s *pg.CreateSeqStmt) {
	loc := int(s.Sequence.Location)
	schema := a.relationSchema(s.Sequence, loc)
	if s.IfNotExists && a.relationTaken(schema, s.Sequence.Relname) {
		return
	}
	a.newRelation(schema, s.Sequence.Relname, loc)
	a.checkSequence(s.Options)
	q := a.addSequence(schema, s.Sequence.Relname, a.decl(loc))
	a.sequenceOptions(q, s.Options)
}

func (a *applier) alterSequence(s *pg.AlterSeqStmt) {
	q := a.cat.TableByName(s.Sequence.Schemaname, s.Sequence.Relname)
	if q == nil {
		if s.MissingOk {
			return
		}
		a.noRelation(s.Sequence.Schemaname, s.Sequence.Relname, int(s.Sequence.Location))
	}
	if q.Kind != catalog.KindSequence {
		if a.cat.Major >= 17 {
			a.failMore("42809", noLoc, notSupportedFor(q.Kind), "", "cannot open relation %q", q.Name)
		}
		a.fail("42809", int(s.Sequence.Location), "%q is not a sequence", q.Name)
	}
	a.sequenceOptions(q, s.Options)
}

// sequenceOptions reads OWNED BY; what else a sequence can be told does not
// shape queries.
func (a *applier) sequenceOptions(q *catalog.Table, options []*pg.Node) {
	for _, n := range options {
		d := n.GetDefElem()
		if d.Defname != "owned_by" {
			continue
		}
		if o := a.cat.Table(q.OwnerTable); o != nil {
			if c := o.Attr(q.OwnerColumn); c != nil && c.Identity != 0 {
				a.failMore("0A000", noLoc, fmt.Sprintf("Sequence %q is linked to table %q.", q.Name, o.Name), "",
					"cannot change ownership of identity sequence")
			}
		}
		parts := nameParts(d.Arg)
		if len(parts) == 1 && strs(parts)[0] == "none" {
			a.cat.SetOwner(q, 0, 0)
			continue
		}
		if len(parts) < 2 {
			a.failMore("42601", int(d.Location), "", "Specify OWNED BY table.column or OWNED BY NONE.", "invalid OWNED BY option")
		}
		schema, name := split(parts[:len(parts)-1])
		t := a.cat.TableByName(schema, name)
		if t == nil {
			a.noRelation(schema, name, int(d.Location))
		}
		switch t.Kind {
		case catalog.KindTable, catalog.KindPartitioned, catalog.KindView, catalog.KindForeign:
		default:
			a.failMore("42809", noLoc, notSupportedFor(t.Kind), "", "sequence cannot be owned by relation %q", t.Name)
		}
		if t.Schema != q.Schema {
			a.fail("55000", noLoc, "sequence must be in same schema as table it is linked to")
		}
		a.cat.SetOwner(q, t.OID, a.column(t, strs(parts)[len(parts)-1], int(d.Location)).Number)
	}
}

// checkSequence refuses bounds, starts and steps that do not go together
// (init_params, sequence.c).
func (a *applier) checkSequence(options []*pg.Node) {
	given := map[string]*pg.DefElem{}
	for _, n := range options {
		d := n.GetDefElem()
		if given[d.Defname] != nil {
			a.fail("42601", int(d.Location), "conflicting or redundant options")
		}
		given[d.Defname] = d
	}
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	if d := given["as"]; d != nil {
		switch oid, _ := a.typeName(d.Arg.GetTypeName()); oid {
		case pgtype.Int2OID:
			low, high = math.MinInt16, math.MaxInt16
		case pgtype.Int4OID:
			low, high = math.MinInt32, math.MaxInt32
		case pgtype.Int8OID:
		default:
			a.fail("22023", noLoc, "sequence type must be smallint, integer, or bigint")
		}
	}
	value := func(name string, def int64) int64 {
		d := given[name]
		if d == nil || d.Arg == nil {
			return def
		}
		v, err := strconv.ParseInt(defString(d), 10, 64)
		if err != nil {
			return def
		}
		return v
	}
	step := value("increment", 1)
	if step == 0 {
		a.fail("22023", noLoc, "INCREMENT must not be zero")
	}
	least, most := int64(1), high
	if step < 0 {
		least, most = low, -1
	}
	least, most = value("minvalue", least), value("maxvalue", most)
	if least >= most {
		a.fail("22023", noLoc, "MINVALUE (%d) must be less than MAXVALUE (%d)", least, most)
	}
	start := least
	if step < 0 {
		start = most
	}
	start = value("start", start)
	switch {
	case start < least:
		a.fail("22023", noLoc, "START value (%d) cannot be less than MINVALUE (%d)", start, least)
	case start > most:
		a.fail("22023", noLoc, "START value (%d) cannot be greater than MAXVALUE (%d)", start, most)
	}
	if n := value("cache", 1); n <= 0 {
		a.fail("22023", noLoc, "CACHE (%d) must be greater than zero", n)
	}
}
