package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/planner/stats/pull"
)

func (a *app) statsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "stats",
		Short: "The statistics file: pull it from a server, show it",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.statsPull(), a.statsShow())
	return c
}

func (a *app) statsPull() *cobra.Command {
	var url, out, level string
	var schemas, tables []string
	c := &cobra.Command{
		Use:   "pull",
		Short: "Collect what the server's planner sees into a file",
		Long: `Collect what the server's planner sees into a file: sizes, column statistics,
index shapes and settings, in one read-only transaction. No table is read but
for the ends of its indexes. An ordinary role will do; what it may not read is
listed, with the GRANT that would open it.`,
		Example: `  dbgen stats pull --database-url "$DATABASE_URL" --out stats.json
  dbgen stats pull --database-url "$DATABASE_URL" --level shape   # no values of columns`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if url == "" {
				url = os.Getenv("DATABASE_URL")
			}
			if url == "" {
				return &usageError{commandPath(c), errors.New("no database: give --database-url or set DATABASE_URL")}
			}
			if level != stats.LevelFull && level != stats.LevelShape {
				return &usageError{commandPath(c), fmt.Errorf("--level must be full or shape, not %q", level)}
			}
			if out == "" {
				out = a.statsTarget()
			}
			return a.pull(c, url, out, pull.Options{Level: level, Schemas: schemas, Tables: tables})
		},
	}
	f := c.Flags()
	f.StringVar(&url, "database-url", "", "the server to read (default $DATABASE_URL)")
	f.StringVar(&out, "out", "", "file to write; - for stdout (default the configuration's stats file, else stats.json)")
	f.StringVar(&level, "level", stats.LevelFull, "full, or shape to leave out all values of columns")
	f.StringArrayVar(&schemas, "only-schema", nil, "collect only schemas that match; repeatable")
	f.StringArrayVar(&tables, "only-table", nil, "collect only tables that match; repeatable")
	return c
}

// statsTarget is where pull writes unless told: the configuration's file.
func (a *app) statsTarget() string {
	name := a.flags.file
	if name == "" {
		name = config.FileName
	}
	if list, diags := config.Load(name); !diags.HasErrors() && list[0].Stats != "" {
		return list[0].Stats
	}
	return "stats.json"
}

func (a *app) pull(c *cobra.Command, url, out string, opts pull.Options) error {
	ctx := c.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("connect: %w", redact(err))
	}
	defer func() { _ = conn.Close(ctx) }() // nothing was written
	progress := a.progress()
	opts.Progress = progress.step
	file, diags, err := pull.Pull(ctx, conn, opts)
	progress.done()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	var buf bytes.Buffer
	if err := stats.Write(&buf, file); err != nil {
		return err
	}
	if out == "-" {
		if _, err := a.std.Out.Write(buf.Bytes()); err != nil {
			return err
		}
		return diags.Text(a.std.Err, a.color())
	}
	if err := pipeline.WriteFile(filepath.FromSlash(out), buf.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	if err := diags.Text(a.std.Err, a.color()); err != nil {
		return err
	}
	fmt.Fprintf(a.std.Err, "dbgen: %d tables in %s\n", len(file.Tables), out)
	return nil
}

// redact takes the connection string, which may hold a password, out of an
// error of connecting.
func redact(err error) error {
	var pe *pgconn.ParseConfigError
	if errors.As(err, &pe) {
		return errors.New("the database URL cannot be parsed")
	}
	return err
}

func (a *app) statsShow() *cobra.Command {
	var columns bool
	c := &cobra.Command{
		Use:   "show [TABLE…]",
		Short: "Print a statistics file for people",
		Example: `  dbgen stats show
  dbgen stats show orders order_items
  dbgen stats show --stats stats.json`,
		RunE: func(_ *cobra.Command, args []string) error {
			name := a.flags.stats
			if name == "" {
				name = a.statsTarget()
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			f, diags := stats.Read(filepath.ToSlash(name), data)
			if err := diags.Text(a.std.Err, a.color()); err != nil {
				return err
			}
			if diags.HasErrors() {
				a.status = exitFindings
				return nil
			}
			return stats.Show(a.std.Out, f, stats.ShowFilter{Tables: args, Columns: columns || len(args) > 0})
		},
	}
	c.Flags().BoolVar(&columns, "columns", false, "columns, too (default only where tables are named)")
	return c
}
