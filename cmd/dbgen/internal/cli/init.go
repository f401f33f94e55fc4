package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/migration"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a commented dbgen.yaml for what is in this folder",
		Long: `Write a commented dbgen.yaml for what is in this folder: migrations, query
files, a statistics file and the sqlc.yaml of a project that comes from sqlc are
recognised. A file that is there already is left as it is.`,
		Example: `  dbgen init
  go tool dbgen init`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if exists(config.FileName) {
				return fmt.Errorf("%s is there already", config.FileName)
			}
			s := survey()
			if err := pipeline.WriteFile(config.FileName, []byte(s.render())); err != nil {
				return fmt.Errorf("write %s: %w", config.FileName, cause(err))
			}
			fmt.Fprintf(a.std.Err, "dbgen: wrote %s\n", config.FileName)
			for _, n := range s.notes {
				fmt.Fprintf(a.std.Err, "  %s\n", n)
			}
			return nil
		},
	}
}

// found is what the current folder holds.
type found struct {
	schema, queries []string
	stats           string
	out, pkg        string
	notes           []string
}

func (s *found) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// survey looks for schema, queries and statistics where projects keep them.
func survey() *found {
	s := &found{out: "internal/db"}
	if !s.sqlc() {
		s.schema = s.look("schema", []string{
			"migrations", "db/migrations", "sql/migrations", "database/migrations", "internal/db/migrations",
			"schema", "db/schema", "sql/schema", "schema.sql", "db/schema.sql", "sql/schema.sql", "db/structure.sql",
		})
		s.queries = s.look("queries", []string{
			"queries", "db/queries", "sql/queries", "database/queries", "internal/db/queries", "query", "db/query",
			"queries.sql", "query.sql", "db/queries.sql", "db/query.sql",
		})
		s.schema, s.queries = orElse(s.schema, "schema.sql"), orElse(s.queries, "queries")
	}
	for _, name := range []string{"stats.json", "db/stats.json"} {
		if exists(name) {
			s.stats = name
			s.note("found statistics in %s", name)
			break
		}
	}
	return s
}

func orElse(list []string, otherwise string) []string {
	if len(list) == 0 {
		return []string{otherwise}
	}
	return list
}

// sqlc takes over the paths of a sqlc configuration, and reports whether there
// is one.
func (s *found) sqlc() bool {
	for _, name := range []string{"sqlc.yaml", "sqlc.yml", "sqlc.json"} {
		if !exists(name) {
			continue
		}
		list, diags := config.Load(name)
		if diags.HasErrors() {
			diags.Sort()
			s.note("%s is passed over: %v", name, &diags[0])
			continue
		}
		c := list[0]
		s.schema, s.queries, s.out, s.pkg = c.Schema, c.Queries, cmp.Or(c.Out, s.out), c.Package
		s.note("paths are those of %s; dbgen also reads it as it is, with -f %s", name, name)
		if len(list) > 1 {
			s.note("%s has %d blocks and a dbgen.yaml is for one: it has the first; with -f %s there are all", name, len(list), name)
		}
		for i := range diags {
			s.note("%s", diags[i].Message)
		}
		s.note("unlike sqlc, IN (@ids) is a list here: it is sent as = ANY ($1); IN ($1) and IN (@a, @b) stay scalars")
		return true
	}
	return false
}

// look returns the first of the candidates that is an SQL file or a folder of
// some.
func (s *found) look(what string, candidates []string) []string {
	for _, name := range candidates {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			s.note("found %s in %s", what, name)
			return []string{name}
		}
		if what == "schema" {
			// Its errors are for generate to report.
			if dirs, _ := migration.Read([]string{name}); len(dirs) == 1 && dirs[0].Format != migration.Plain && len(dirs[0].Steps) > 0 {
				if dirs[0].Format == migration.Folders {
					s.note("found migrations in %s, a folder for each", name)
				} else {
					s.note("found %s migrations in %s", dirs[0].Format, name)
				}
				return []string{name}
			}
		}
		if files, err := filepath.Glob(filepath.Join(name, "*.sql")); err != nil || len(files) == 0 {
			continue
		}
		s.note("found %s in %s", what, name)
		return []string{name}
	}
	s.note("found no %s: correct the path in %s", what, config.FileName)
	return nil
}

// plain are the characters of a text that needs no quotes in a YAML list.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./"

func quoted(text string) string {
	if strings.Trim(text, plain) == "" && strings.IndexAny(text, "-0123456789") != 0 {
		return text
	}
	return strconv.Quote(text)
}

func quotedList(list []string) string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = quoted(out[i])
	}
	return strings.Join(out, ", ")
}

func (s *found) render() string {
	c := config.Config{Out: s.out, Package: s.pkg}
	stats := "# stats: stats.json"
	if s.stats != "" {
		stats = "stats: " + quoted(s.stats)
	}
	return fmt.Sprintf(`# Configuration of dbgen. Paths are relative to this file.
version: 1

# PostgreSQL's major version, 15 to 18. Left out: that of the statistics file,
# else 16.
# postgres: 16

# DDL: files, globs, or folders of migrations.
schema: [%s]

# Whose migrations these are: plain, goose, golang-migrate, dbmate, tern,
# sql-migrate, atlas, flyway, node-pg-migrate or folders. Left out: found out for
# each folder.
# format: goose

# Annotated queries: files, folders or globs.
queries: [%s]

# What production's planner sees. Collect it with
#   dbgen stats pull --database-url "$DATABASE_URL"
# or write the row counts you know by hand:
#   {"format": "dbgen-stats/1", "tables": {"orders": {"rows": 6000000}}}
%s

# Extensions that do not come with PostgreSQL, as
#   dbgen catalog capture --database-url "$DATABASE_URL"
# writes them.
# catalogs: [extensions.catalog]

# Where the Go goes, and the name of its package.
out: %s
package: %s

# What else nullability may rest on: foreign_keys, by which a LEFT JOIN along a
# valid key always finds its row. Row-level security, deferred checks and
# session_replication_role can break that. And domains, by which a stored column of
# a NOT NULL domain is not null; the server checks casts to the domain alone.
# trust: [foreign_keys, domains]

# Repositories that run in a transaction of a tenant alone, anywhere else they do
# not compile; row-level security finds the tenant's id in the setting. Without
# queries all of them.
# tenant:
#   setting: app.tenant_id
#   queries: [queries/tenant]

# What a column that can be NULL becomes: pointer, sql (sql.Null) or pgtype.
# null: pointer

# The plan's scans in the doc comment of each method. Left out: true where there
# is a statistics file.
# plan_comments: true

# The severity from which dbgen exits with 1: error, warning or never. Left out:
# error; for dbgen check, warning.
# fail_on: error

# Severity of findings by code: error, warning, info or off.
# findings:
#   PL001: error
`, quotedList(s.schema), quotedList(s.queries), stats, quoted(s.out), quoted(c.PackageName()))
}
