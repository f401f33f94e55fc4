// Package pull fills a statistics file from a live server: everything that the
// server's planner would look at, read in one read-only snapshot.
//
// It asks ordinary catalogs and functions only and needs no superuser. What the
// role may not read is found out, not guessed: [Pull] compares the objects that
// there are with the statistics that it could see, names each hidden one in the
// file and says which GRANT opens it. Nothing is created on the server, and no
// function that a user of the database made is run.
//
// The package imports parser/diag, planner/stats and pgx.
package pull

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/planner/stats"
)

// Options steer [Pull]. The zero value collects everything.
type Options struct {
	// Level is stats.LevelFull or stats.LevelShape; "" means full.
	Level string
	// Schemas and Tables restrict the collection to the relations that one of
	// the patterns (as path.Match reads them) matches: a schema's name, a table's
	// name with or without its schema. Partitions come with their table.
	Schemas, Tables []string
	// ProbeTimeout bounds each of the queries that read an end of an index; 0
	// means five seconds. An end that takes longer stays unknown.
	ProbeTimeout time.Duration
	// Progress is told of each step: what is being read, and how much of it is
	// done. It may be nil.
	Progress func(stage string, done, total int)
}

// Pull reads the statistics of the database that conn is connected to. The
// diagnostics say what the role could not read and how to change that; they
// have no place. The error is the server's, or the context's.
//
// All of it is read in one REPEATABLE READ READ ONLY transaction, except for
// the sizes of files, which have no snapshot. The transaction is always rolled
// back and the session's settings are left as they were.
func Pull(ctx context.Context, conn *pgx.Conn, opts Options) (*stats.File, diag.List, error) {
	if opts.Level == "" {
		opts.Level = stats.LevelFull
	}
	if opts.Level != stats.LevelFull && opts.Level != stats.LevelShape {
		return nil, nil, fmt.Errorf("pull statistics: unknown level %q", opts.Level)
	}
	for _, pattern := range slices.Concat(opts.Schemas, opts.Tables) {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, nil, fmt.Errorf("pull statistics: %q: %w", pattern, err)
		}
	}
	opts.ProbeTimeout = cmp.Or(opts.ProbeTimeout, 5*time.Second)
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, nil, fmt.Errorf("pull statistics: %w", err)
	}
	// The rollback must reach the server also when ctx is done.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()

	p := &puller{tx: tx, opts: opts, file: &stats.File{
		Format: stats.Format, Level: opts.Level, Tables: map[string]*stats.Relation{},
	}}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"server", p.server},
		{"tables", p.relations},
		{"columns", p.columns},
		{"indexes", p.indexes},
		{"column statistics", p.columnStats},
		{"extended statistics", p.extended},
		{"index heights", p.heights},
		{"index ends", p.ends},
	} {
		p.stage = step.name
		p.progress(0, 1)
		if err := step.run(ctx); err != nil {
			return nil, nil, fmt.Errorf("pull statistics: %s: %w", step.name, err)
		}
		p.progress(1, 1)
	}
	p.hide()
	if opts.Level == stats.LevelShape {
		p.file = stats.Shape(p.file)
	}
	return p.file, p.diags, nil
}

// puller is one run of [Pull].
type puller struct {
	tx    pgx.Tx
	opts  Options
	file  *stats.File
	diags diag.List
	stage string

	role      string
	superuser bool
	rels      []*relation // by OID
	byOID     map[uint32]*relation
	indexList []*index // by OID
}

func (p *puller) progress(done, total int) {
	if p.opts.Progress != nil {
		p.opts.Progress(p.stage, done, total)
	}
}

// alwaysKept are the settings that change what a constant means; the planner
// needs them even where they have their default.
var alwaysKept = []string{"TimeZone", "DateStyle", "IntervalStyle", "search_path", "default_text_search_config"}

func (p *puller) server(ctx context.Context) error {
	s := &stats.Server{}
	var collected time.Time
	err := p.tx.QueryRow(ctx, `
		SELECT current_setting('server_version_num')::int, now(), pg_encoding_to_char(d.encoding),
		       d.datcollate::text, d.datlocprovider::text,
		       coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale', ''),
		       current_setting('block_size')::int, current_user::text, current_setting('is_superuser') = 'on'
		FROM pg_database d WHERE d.datname = current_database()`).
		Scan(&s.VersionNum, &collected, &s.Encoding, &s.Collation, &s.Provider, &s.Locale, &s.BlockSize, &p.role, &p.superuser)
	if err != nil {
		return err
	}
	if s.VersionNum < 150000 {
		return fmt.Errorf("not supported yet: PostgreSQL %d; dbgen knows 15 to 18", s.VersionNum/10000)
	}
	if s.BlockSize != stats.BlockSize {
		return fmt.Errorf("not supported yet: blocks of %d bytes", s.BlockSize)
	}
	s.CollectedAt = collected.UTC().Format(time.RFC3339Nano)
	p.file.Server = s

	rows, err := p.tx.Query(ctx, `
		SELECT name, current_setting(name) FROM pg_settings
		WHERE name = ANY($1) AND (setting IS DISTINCT FROM boot_val OR name = ANY($2))`,
		stats.SettingNames(), alwaysKept)
	if err != nil {
		return err
	}
	p.file.Settings = map[string]string{}
	var name, value string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		p.file.Settings[name] = value
		return nil
	}); err != nil {
		return err
	}
	// From here on every name is qualified and every value has one form,
	// whatever the role and the database prefer.
	_, err = p.tx.Exec(ctx, `
		SELECT set_config(name, value, true) FROM (VALUES
			('search_path', ''), ('DateStyle', 'ISO, MDY'), ('IntervalStyle', 'postgres'), ('TimeZone', 'UTC'),
			('extra_float_digits', '1'), ('bytea_output', 'hex'), ('xmloption', 'content'),
			('quote_all_identifiers', 'off'), ('lock_timeout', '10s')) AS v (name, value)`)
	return err
}

// relation is a row of pg_class with what is needed to read on.
type relation struct {
	oid          uint32
	schema, name string
	kind         string
	children     bool
	rel          *stats.Relation

	parents  []uint32
	readable bool // SELECT on the whole table
	usable   bool // USAGE on the schema
	hiddenBy bool // row security is in force for the role
	columns  []*column
}

func (r *relation) key() string { return stats.Name(r.schema, r.name) }

// sql is the relation's name in a statement.
func (r *relation) sql() string {
	return stats.QuoteIdent(r.schema) + "." + stats.QuoteIdent(r.name)
}

func (p *puller) relations(ctx context.Context) error {
	rows, err := p.tx.Query(ctx, `
		SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relpages::float8, c.reltuples,
		       c.relallvisible::float8,
		       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 END::float8,
		       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
		       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
		       (SELECT array_agg(i.inhparent ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid),
		       EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid),
		       (SELECT max(o.option_value::int) FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'parallel_workers'),
		       (SELECT max(o.option_value::int) FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'fillfactor'),
		       coalesce(pg_stat_get_mod_since_analyze(c.oid), 0)::float8,
		       c.relrowsecurity, row_security_active(c.oid), has_table_privilege(c.oid, 'SELECT'),
		       has_schema_privilege(n.oid, 'USAGE')
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
		  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
		ORDER BY c.oid`)
	if err != nil {
		return err
	}
	var all []*relation
	for rows.Next() {
		r := &relation{rel: &stats.Relation{}}
		var relpages, allVisible float64
		var reltuples float32
		var pages *float64
		var bound, key *string
		var fillfactor *int
		if err := rows.Scan(&r.oid, &r.schema, &r.name, &r.kind, &relpages, &reltuples, &allVisible, &pages, &bound, &key,
			&r.parents, &r.children, &r.rel.ParallelWorkers, &fillfactor, &r.rel.ModSinceAnalyze,
			&r.rel.RowSecurity, &r.hiddenBy, &r.readable, &r.usable); err != nil {
			rows.Close()
			return err
		}
		tuples := float64(reltuples)
		r.rel.OID, r.rel.Pages, r.rel.RelPages, r.rel.RelTuples, r.rel.AllVisible = r.oid, pages, &relpages, &tuples, &allVisible
		if r.kind != "r" {
			r.rel.Kind = r.kind
		}
		if fillfactor != nil {
			r.rel.FillFactor = *fillfactor
		}
		r.rel.Bound, r.rel.PartitionKey = deref(bound), deref(key)
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	p.byOID = map[uint32]*relation{}
	for _, r := range all {
		p.byOID[r.oid] = r
	}
	for _, r := range all {
		for _, o := range r.parents {
			parent := p.byOID[o]
			switch {
			case parent == nil:
			case r.rel.Bound != "":
				r.rel.Parent = parent.key()
			default:
				r.rel.Inherits = append(r.rel.Inherits, parent.key())
			}
		}
		if r.rel.Parent == "" {
			r.rel.Bound = ""
		}
	}
	for _, r := range all {
		if p.wanted(r) {
			p.rels = append(p.rels, r)
			p.file.Tables[r.key()] = r.rel
		}
	}
	return nil
}

// wanted reports whether the options ask for r or for a table above it.
func (p *puller) wanted(r *relation) bool {
	match := func(patterns []string, names ...string) bool {
		if len(patterns) == 0 {
			return true
		}
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			return slices.ContainsFunc(names, func(name string) bool {
				ok, err := path.Match(pattern, name)
				return ok && err == nil
			})
		})
	}
	if match(p.opts.Schemas, r.schema) && match(p.opts.Tables, r.name, r.key()) {
		return true
	}
	return slices.ContainsFunc(r.parents, func(o uint32) bool { return p.byOID[o] != nil && p.wanted(p.byOID[o]) })
}

func (p *puller) oids() []uint32 {
	out := make([]uint32, len(p.rels))
	for i, r := range p.rels {
		out[i] = r.oid
	}
	return out
}

func deref[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

// hide enters what the role could not read into the file, and into the
// diagnostics with its own name.
func (p *puller) hide() {
	slices.SortFunc(p.file.Hidden, func(a, b stats.Hidden) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.What, b.What))
	})
	for _, h := range p.file.Hidden {
		p.diags.Add(diag.Diagnostic{
			Severity: diag.Warning, Code: "stats",
			Message: fmt.Sprintf("%s: the role may not read the %s", h.Object, h.What),
			Hint:    strings.ReplaceAll(h.Grant, rolePlaceholder, stats.QuoteIdent(p.role)),
		})
	}
}

// rolePlaceholder stands for the collecting role in the file, which keeps no
// names of users.
const rolePlaceholder = "<role>"

func (p *puller) hidden(object, what, grant string) {
	p.file.Hidden = append(p.file.Hidden, stats.Hidden{Object: object, What: what, Grant: grant})
}
