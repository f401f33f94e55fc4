package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/planner/rel"
)

// Verification is how far a project agrees with a live server.
type Verification struct {
	Queries int `json:"queries"`
	// Types counts the queries whose parameters and columns are the server's, and
	// those that both refuse with one SQLSTATE, which Refused counts.
	Types   int `json:"types"`
	Refused int `json:"refused"`
	// Plans counts the queries that were planned; Shape and Total those with
	// the server's tree, and with its total cost to the cent as well.
	Plans int `json:"plans"`
	Shape int `json:"shape"`
	Total int `json:"total"`
	// Pretends counts the plans that were called exact and are not the server's.
	// With the server's own statistics it is 0.
	Pretends int `json:"pretends"`
	// Differences has one entry for each thing that differs.
	Differences []Difference `json:"differences"`
}

// Add adds what another project gave.
func (v *Verification) Add(w *Verification) {
	v.Queries += w.Queries
	v.Types += w.Types
	v.Refused += w.Refused
	v.Plans += w.Plans
	v.Shape += w.Shape
	v.Total += w.Total
	v.Pretends += w.Pretends
	v.Differences = append(v.Differences, w.Differences...)
}

// Difference is one thing in which dbgen and the server differ.
type Difference struct {
	Query string `json:"query"`
	File  string `json:"file"`
	Line  int    `json:"line"`
	// What is types or plan.
	What   string `json:"what"`
	Dbgen  string `json:"dbgen"`
	Server string `json:"server"`
}

// VerifyOptions say what to hold against the server.
type VerifyOptions struct {
	Types, Plans bool
}

// Verify holds the project's queries against a live server: their types against
// PREPARE, their plans against EXPLAIN. The statistics for the plans are those
// of the project; for plans to agree they must be the server's. Nothing is run:
// each query is prepared and explained in a read-only transaction.
func (p *Project) Verify(ctx context.Context, conn *pgx.Conn, opts VerifyOptions) (*Verification, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // nothing to keep
	s := &server{conn: conn, names: map[uint32]string{}}
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&s.version); err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "SAVEPOINT dbgen"); err != nil {
		return nil, err
	}
	v := &Verification{Differences: []Difference{}}
	all := p.All()
	for i, q := range all {
		p.progress("verify", i, len(all))
		if q.Analyzed == nil && !opts.Types {
			continue
		}
		v.Queries++
		if err := p.verifyOne(ctx, s, q, opts, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (p *Project) verifyOne(ctx context.Context, s *server, q *Query, opts VerifyOptions, v *Verification) error {
	differ := func(what, dbgen, server string) {
		file, line := q.Place()
		v.Differences = append(v.Differences, Difference{q.Name, file, line, what, dbgen, server})
	}
	if opts.Types {
		ours, theirs, err := p.types(ctx, s, q)
		if err != nil {
			return cmp.Or(ctx.Err(), err)
		}
		if a, b := ours.compare(theirs); a == b {
			v.Types++
			if ours.refusal != "" {
				v.Refused++
			}
		} else {
			differ("types", a, b)
		}
	}
	if opts.Plans && q.Plan != nil && q.Plan.Root != nil {
		v.Plans++
		data, err := json.Marshal(q.Plan.Root)
		if err != nil {
			return err
		}
		var ours planNode
		if err := json.Unmarshal(data, &ours); err != nil {
			return err
		}
		theirs, err := s.explain(ctx, q)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			differ("plan", "a plan", err.Error())
			return nil
		}
		a, b, same := ours.compare(theirs)
		if same {
			v.Shape++
		}
		if same && cents(ours.Total) == cents(theirs.Total) {
			v.Total++
		}
		if a != b {
			differ("plan", a, b)
			if q.Plan.Precision == rel.Exact {
				v.Pretends++
			}
		}
	}
	return nil
}

// server is a connection with what is known of the server.
type server struct {
	conn    *pgx.Conn
	version int
	names   map[uint32]string
	// prepared counts the statements prepared by name.
	prepared int
}

// restore makes the transaction usable again after an error.
func (s *server) restore(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT dbgen")
	return err
}

// typeName is a type in the notation of [catalog.Catalog.SQLType].
func (s *server) typeName(ctx context.Context, oid uint32) (string, error) {
	if n, ok := s.names[oid]; ok {
		return n, nil
	}
	var name string
	err := s.conn.QueryRow(ctx, `
		SELECT CASE WHEN pg_type_is_visible(b.oid) THEN '' ELSE quote_ident(n.nspname) || '.' END ||
		       CASE WHEN n.nspname = 'pg_catalog' THEN b.typname::text ELSE quote_ident(b.typname) END || CASE WHEN b.oid <> t.oid THEN '[]' ELSE '' END
		FROM pg_type t
		JOIN pg_type b ON b.oid = CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc THEN t.typelem ELSE t.oid END
		JOIN pg_namespace n ON n.oid = b.typnamespace
		WHERE t.oid = $1`, oid).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("type %d: %w", oid, err)
	}
	s.names[oid] = name
	return name, nil
}

// explain asks the server for a generic plan.
func (s *server) explain(ctx context.Context, q *Query) (*planNode, error) {
	sql := q.Statement.Text
	var script string
	switch {
	case len(q.Analyzed.Params) == 0:
		script = "EXPLAIN (FORMAT JSON) " + sql
	case s.version >= 160000:
		script = "EXPLAIN (FORMAT JSON, GENERIC_PLAN) " + sql
	default:
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", len(q.Analyzed.Params)), ", ")
		// A name of its own for each: a rollback does not take it back.
		s.prepared++
		name := fmt.Sprintf("dbgen_verify_%d", s.prepared)
		script = "SET LOCAL plan_cache_mode = force_generic_plan; PREPARE " + name + " AS " + sql +
			"; EXPLAIN (FORMAT JSON) EXECUTE " + name + "(" + nulls + ")"
	}
	results, err := s.conn.PgConn().Exec(ctx, script).ReadAll()
	if err != nil {
		_ = s.restore(ctx) // the error to report is the server's
		var pe *pgconn.PgError
		if errors.As(err, &pe) {
			return nil, errors.New(pe.Message)
		}
		return nil, err
	}
	last := results[len(results)-1]
	var plans []struct{ Plan planNode }
	var text strings.Builder
	for _, row := range last.Rows {
		text.Write(row[0])
	}
	if err := json.Unmarshal([]byte(text.String()), &plans); err != nil {
		return nil, err
	}
	return &plans[0].Plan, nil
}

// planNode is what of EXPLAIN's JSON is compared.
type planNode struct {
	Type      string     `json:"Node Type"`
	Relation  string     `json:"Relation Name"`
	Alias     string     `json:"Alias"`
	Index     string     `json:"Index Name"`
	JoinType  string     `json:"Join Type"`
	Strategy  string     `json:"Strategy"`
	Partial   string     `json:"Partial Mode"`
	Operation string     `json:"Operation"`
	Direction string     `json:"Scan Direction"`
	Startup   float64    `json:"Startup Cost"`
	Total     float64    `json:"Total Cost"`
	Rows      float64    `json:"Plan Rows"`
	Plans     []planNode `json:"Plans"`
}

func cents(c float64) string { return fmt.Sprintf("%.2f", c) }

func (n *planNode) head() string {
	parts := []string{n.Type}
	for _, s := range []string{n.Strategy, n.Partial, n.JoinType, n.Operation, n.Index, n.Relation, n.Alias, n.Direction} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " ")
}

// line is a node for people. It differs where head does.
func (n *planNode) line() string {
	text := n.Type
	for _, s := range []string{n.Strategy, n.Partial, n.JoinType, n.Operation} {
		if s != "" {
			text += ", " + s
		}
	}
	if n.Index != "" {
		text += " using " + n.Index
	}
	if n.Relation != "" {
		text += " on " + n.Relation
	}
	if n.Alias != n.Relation {
		text += " " + n.Alias
	}
	if n.Direction != "" && n.Direction != "Forward" {
		text += ", " + n.Direction
	}
	return fmt.Sprintf("%s  (cost=%.2f..%.2f rows=%.0f)", text, n.Startup, n.Total, n.Rows)
}

// compare returns the first node that differs, both ways, and whether the trees
// have the same shape. Equal texts mean no difference.
func (n *planNode) compare(o *planNode) (a, b string, shape bool) {
	if n.head() != o.head() || len(n.Plans) != len(o.Plans) {
		return n.line(), o.line(), false
	}
	shape = true
	if n.line() != o.line() {
		a, b = n.line(), o.line()
	}
	for i := range n.Plans {
		x, y, same := n.Plans[i].compare(&o.Plans[i])
		shape = shape && same
		if x != y {
			// The lowest node that differs explains those above it.
			a, b = x, y
		}
	}
	return a, b, shape
}

// Summary returns the agreement in words, one line for each thing verified.
func (v *Verification) Summary(opts VerifyOptions) string {
	var lines []string
	if opts.Types {
		line := fmt.Sprintf("types  %d of %d queries agree with the server", v.Types, v.Queries)
		switch {
		case v.Refused == 1:
			line += "; 1 of them is refused by both"
		case v.Refused > 1:
			line += fmt.Sprintf("; %d of them are refused by both", v.Refused)
		}
		lines = append(lines, line)
	}
	if opts.Plans {
		line := fmt.Sprintf("plans  %d of %d have the server's shape, %d the same total cost to the cent", v.Shape, v.Plans, v.Total)
		if v.Pretends > 0 {
			line += fmt.Sprintf("; %d that differ were called exact: are the statistics this server's?", v.Pretends)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
