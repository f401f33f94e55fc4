package pipeline

import (
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Analysis is what the analyze command says of a query; its JSON is a contract.
type Analysis struct {
	Name        string           `json:"name"`
	File        string           `json:"file"`
	Line        int              `json:"line"`
	Command     string           `json:"command"`
	SQL         string           `json:"sql"`
	Statement   string           `json:"statement"`
	Tables      []string         `json:"tables"`
	Conditions  []string         `json:"conditions"`
	Joins       []AnalysisJoin   `json:"joins"`
	OrderBy     []string         `json:"order_by"`
	Limit       string           `json:"limit"`
	Params      []AnalysisParam  `json:"params"`
	Columns     []AnalysisColumn `json:"columns"`
	Cardinality string           `json:"cardinality"`
	Volatility  string           `json:"volatility"`
	Reads       []string         `json:"reads"`
	Writes      []string         `json:"writes"`
	Locks       bool             `json:"locks"`
	// CardinalityWhy says what bounds the rows; VolatilityWhy names the functions
	// that are as volatile, WritesWhy the foreign keys, triggers and
	// functions by which tables are written
	// that the statement does not name.
	CardinalityWhy string   `json:"cardinality_why"`
	VolatilityWhy  []string `json:"volatility_why"`
	WritesWhy      []string `json:"writes_why"`
	// RowLocks are the tables whose rows are locked, and how; Unknown the triggers,
	// functions and commands that may do anything, ReadsUnknown the functions that
	// may read anything.
	RowLocks     []string `json:"row_locks"`
	Unknown      []string `json:"unknown"`
	ReadsUnknown []string `json:"reads_unknown"`
	// Triggers are all that may fire; what is not known of them is in Unknown, too.
	Triggers []string `json:"triggers"`
	// ReadOnly is proved: no write, no lock, no volatile function.
	ReadOnly bool `json:"read_only"`
}

// AnalysisJoin is one explicit join.
type AnalysisJoin struct {
	Type      string `json:"type"`
	Table     string `json:"table"`
	Alias     string `json:"alias"`
	Condition string `json:"condition"`
}

// AnalysisParam is one parameter.
type AnalysisParam struct {
	Number   int    `json:"number"`
	Name     string `json:"name"`
	Type     string `json:"pg_type"`
	Nullable bool   `json:"nullable"`
	GoType   string `json:"go_type"`
	Why      string `json:"why"`
}

// AnalysisColumn is one result column.
type AnalysisColumn struct {
	Name            string `json:"name"`
	Type            string `json:"pg_type"`
	Nullable        bool   `json:"nullable"`
	ElementNullable bool   `json:"element_nullable"`
	GoType          string `json:"go_type"`
	// Origin is the table column that it is, "" for an expression.
	Origin string `json:"origin"`
	Why    string `json:"why"`
}

// Analyses returns what is known of each query that was analysed.
func (p *Project) Analyses() []Analysis {
	types := p.goTypes()
	var out []Analysis
	for _, q := range p.All() {
		if q.Analyzed != nil {
			out = append(out, p.analysis(q, types))
		}
	}
	return out
}

// Place is where the query's name stands, else where the query begins; lines count
// from 1.
func (q *Query) Place() (file string, line int) {
	s := q.Statement
	at := s.Span.Start
	if s.Annotation != nil {
		at = s.Annotation.NameSpan.Start
	}
	return s.File.Name, s.File.Position(at).Line
}

func (p *Project) analysis(q *Query, types goTypes) Analysis {
	s := q.Statement
	file, line := q.Place()
	a := Analysis{
		Name: q.Name, File: file, Line: line, SQL: p.sql(q),
		Statement: statementWord(q.Analyzed.Query), Cardinality: q.Facts.Cardinality.String(),
		Volatility: q.Facts.Volatility.String(), Reads: nonNil(q.Facts.Reads), Writes: nonNil(q.Facts.Writes),
		Locks: q.Facts.Locks, Tables: []string{}, Conditions: []string{}, Joins: []AnalysisJoin{}, OrderBy: []string{},
		Params: []AnalysisParam{}, Columns: []AnalysisColumn{},
		CardinalityWhy: q.Facts.CardinalityWhy, VolatilityWhy: nonNil(q.Facts.VolatilityWhy), WritesWhy: nonNil(q.Facts.WritesWhy),
		RowLocks: []string{}, Unknown: nonNil(q.Facts.Unknown), ReadsUnknown: nonNil(q.Facts.ReadsUnknown), Triggers: nonNil(q.Facts.Triggers), ReadOnly: q.Facts.ReadOnly(),
	}
	for _, l := range q.Facts.RowLocks {
		a.RowLocks = append(a.RowLocks, l.String())
	}
	if s.Annotation != nil {
		a.Command = string(s.Annotation.Command)
	}
	d := &describer{cat: p.Catalog, a: &a, seen: map[string]bool{}}
	d.describe(q.Analyzed.Query)
	for i, prm := range q.Analyzed.Params {
		nullable, why := p.ParamNullable(q, i)
		a.Params = append(a.Params, AnalysisParam{
			Number: prm.Number, Name: p.ParamName(q, i), Type: p.Catalog.SQLType(prm.Type),
			Nullable: nullable, GoType: types.param(q, i), Why: why,
		})
	}
	n := 0
	for _, te := range outputColumns(q.Analyzed.Query) {
		c := AnalysisColumn{Name: te.Name, Type: p.Catalog.SQLType(reportedType(p.Catalog, te.Expr.ResultType())), GoType: types.column(q, n)}
		if n < len(q.Facts.Columns) {
			f := q.Facts.Columns[n]
			c.Nullable, c.ElementNullable, c.Why = f.Nullable, f.ElementNullable, f.Why
		}
		if t := p.Catalog.Table(te.OrigTable); t != nil {
			if col := t.Attr(te.OrigColumn); col != nil {
				c.Origin = t.Schema + "." + t.Name + "." + col.Name
			}
		}
		if typ := p.Catalog.Type(te.Expr.ResultType()); typ == nil || !typ.IsArray() {
			c.ElementNullable = false
		}
		a.Columns = append(a.Columns, c)
		n++
	}
	return a
}

// reportedType is a column's type as RowDescription gives it: a domain's base
// type (SendRowDescriptionMessage uses getBaseTypeAndTypmod).
func reportedType(cat *catalog.Catalog, t pgtype.OID) pgtype.OID { return cat.BaseType(t) }

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func outputColumns(q *query.Query) []*query.TargetEntry {
	list := q.TargetList
	if q.Command != query.CmdSelect {
		list = q.Returning
	}
	return slices.DeleteFunc(slices.Clone(list), func(te *query.TargetEntry) bool { return te.Junk })
}

func statementWord(q *query.Query) string {
	switch q.Command {
	case query.CmdInsert:
		return "insert"
	case query.CmdUpdate:
		return "update"
	case query.CmdDelete:
		return "delete"
	case query.CmdMerge:
		return "merge"
	case query.CmdUtility:
		return strings.ToLower(q.Utility)
	}
	if q.IsValues {
		return "values"
	}
	return "select"
}
