package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
)

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a commented dbgen.yaml for what is in this folder",
		Example: `  dbgen init
  go tool dbgen init`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := os.Stat(config.FileName); err == nil {
				return fmt.Errorf("%s is there already", config.FileName)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			text, notes := configText()
			if err := pipeline.WriteFile(config.FileName, []byte(text)); err != nil {
				return err
			}
			fmt.Fprintf(a.std.Err, "dbgen: wrote %s\n", config.FileName)
			for _, n := range notes {
				fmt.Fprintf(a.std.Err, "  %s\n", n)
			}
			return nil
		},
	}
}

// configText writes a configuration for what the current folder holds.
func configText() (text string, notes []string) {
	schema, queries, out, pkg := "schema.sql", "queries", "internal/db", ""
	for _, s := range []string{"sqlc.yaml", "sqlc.yml", "sqlc.json"} {
		list, diags := config.Load(s)
		if diags.HasErrors() || len(list) == 0 {
			continue
		}
		c := list[0]
		schema, queries = strings.Join(c.Schema, ", "), strings.Join(c.Queries, ", ")
		if c.Out != "" {
			out = c.Out
		}
		pkg = c.Package
		notes = append(notes,
			"paths are those of "+s+"; dbgen also reads it as it is, with -f "+s,
			"unlike sqlc, IN (@ids) is a list here: it is sent as = ANY ($1); IN ($1) and IN (@a, @b) stay scalars",
		)
		return renderConfig(schema, queries, out, pkg), notes
	}
	for _, dir := range []string{"migrations", "db/migrations", "sql/migrations", "internal/db/migrations", "schema"} {
		if files, err := filepath.Glob(filepath.Join(dir, "*.sql")); err == nil && len(files) > 0 {
			schema = dir
			notes = append(notes, "found migrations in "+dir)
			break
		}
	}
	for _, dir := range []string{"queries", "db/queries", "sql/queries", "internal/db/queries", "query"} {
		if files, err := filepath.Glob(filepath.Join(dir, "*.sql")); err == nil && len(files) > 0 {
			queries = dir
			notes = append(notes, "found queries in "+dir)
			break
		}
	}
	return renderConfig(schema, queries, out, pkg), notes
}

func renderConfig(schema, queries, out, pkg string) string {
	if pkg == "" {
		pkg = filepath.Base(out)
	}
	return fmt.Sprintf(`# Configuration of dbgen. Paths are relative to this file.
version: 1

# PostgreSQL's major version, 15 to 18. Left out: that of the statistics file,
# else 16.
# postgres: 16

# DDL: files, globs, or folders of migrations (goose, golang-migrate, dbmate or
# plain .sql).
schema: [%s]

# Annotated queries: files, folders or globs.
queries: [%s]

# What production's planner sees. Collect it with
#   dbgen stats pull --database-url "$DATABASE_URL"
# or write the row counts you know by hand:
#   {"format": "dbgen-stats/1", "tables": {"orders": {"rows": 6000000}}}
# stats: stats.json

# Where the Go goes.
out: %s
package: %s

# What a column that can be NULL becomes: pointer, sql (sql.Null) or pgtype.
# null: pointer

# Severity of findings by code: error, warning, info or off.
# findings:
#   PL001: error
`, schema, queries, out, pkg)
}
