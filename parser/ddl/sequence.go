package ddl

import (
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
		a.cat.SetOwner(q, t.OID, a.column(t, strs(parts)[len(parts)-1], int(d.Location)).Number)
	}
}
