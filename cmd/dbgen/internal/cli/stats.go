package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

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
		Example: `  dbgen stats pull --database-url "$DATABASE_URL" --out stats.json
  dbgen stats show orders`,
		Args: subcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
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
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if url == "" {
				url = os.Getenv("DATABASE_URL")
			}
			if url == "" {
				return usage(c, "no database: give --database-url or set DATABASE_URL")
			}
			if level != stats.LevelFull && level != stats.LevelShape {
				return usage(c, "--level must be full or shape, not %q", level)
			}
			if err := a.onlyFormats(c, "text"); err != nil {
				return err
			}
			if out == "" {
				target, ok, err := a.statsTarget()
				if !ok || err != nil {
					return err
				}
				out = target
			}
			return a.pull(c, url, out, pull.Options{Level: level, Schemas: schemas, Tables: tables})
		},
	}
	f := c.Flags()
	f.StringVar(&url, "database-url", "", "the server to read (default $DATABASE_URL)")
	f.StringVar(&out, "out", "", "file to write; - for stdout (default --stats, else that of the configuration, else stats.json)")
	f.StringVar(&level, "level", stats.LevelFull, "full, or shape to leave out all values of columns")
	f.StringArrayVar(&schemas, "only-schema", nil, "collect only schemas that match; repeatable")
	f.StringArrayVar(&tables, "only-table", nil, "collect only tables that match; repeatable")
	return c
}

// statsTarget is where pull writes and show reads unless told: the file of the
// configuration, else stats.json. ok is false if the configuration is wrong,
// which has then been reported.
func (a *app) statsTarget() (target string, ok bool, err error) {
	if a.flags.stats != "" {
		return a.flags.stats, true, nil
	}
	name := a.flags.file
	if name == "" {
		if name = config.FileName; !exists(name) {
			return "stats.json", true, nil
		}
	}
	list, diags := config.Load(name)
	if diags.HasErrors() {
		a.status = exitUsage
		return "", false, a.report(diags)
	}
	return cmp.Or(list[0].Stats, "stats.json"), true, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// writable is an error if the folder of a file to write is not there, which is better
// known before the work than after it. "" and - are no file.
func writable(out string) error {
	if out == "" || out == "-" {
		return nil
	}
	dir := filepath.Dir(out)
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("write %s: %w", out, cause(err))
	case !info.IsDir():
		return fmt.Errorf("write %s: %s is not a folder", out, dir)
	}
	return nil
}

func (a *app) pull(c *cobra.Command, url, out string, opts pull.Options) error {
	ctx := c.Context()
	if err := writable(out); err != nil {
		return err
	}
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing was written
	progress := a.progress()
	opts.Progress = progress.step
	file, diags, err := pull.Pull(ctx, conn, opts)
	progress.done()
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	var buf bytes.Buffer
	if err := stats.Write(&buf, file); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if out == "-" {
		_, err = a.std.Out.Write(buf.Bytes())
	} else if err = pipeline.WriteFile(filepath.FromSlash(out), buf.Bytes()); err != nil {
		err = fmt.Errorf("write %s: %w", out, cause(err))
	}
	if err != nil {
		return err
	}
	diags.Sort()
	if err := diags.Text(a.std.Err, a.color()); err != nil {
		return err
	}
	if out != "-" {
		fmt.Fprintf(a.std.Err, "dbgen: %s in %s\n", plural(len(file.Tables), "table", "tables"), out)
	}
	return nil
}

// cause drops the path, which may be that of a temporary file, from an error.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
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
		RunE: func(c *cobra.Command, args []string) error { return a.show(c, args, columns) },
	}
	c.Flags().BoolVar(&columns, "columns", false, "columns, too (default only where tables are named)")
	return c
}

func (a *app) show(c *cobra.Command, tables []string, columns bool) error {
	if err := a.onlyFormats(c, "text"); err != nil {
		return err
	}
	name, ok, err := a.statsTarget()
	if !ok || err != nil {
		return err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, cause(err))
	}
	f, diags := stats.Read(filepath.ToSlash(name), data)
	if err := diags.Text(a.std.Err, a.color()); err != nil {
		return err
	}
	if diags.HasErrors() {
		a.status = exitUsage
		return nil
	}
	if err := knownTables(c, f, tables); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := stats.Show(&out, f, stats.ShowFilter{Tables: tables, Columns: columns}); err != nil {
		return &usageError{c.CommandPath(), err}
	}
	_, err = a.std.Out.Write(out.Bytes())
	return err
}

// knownTables refuses a name, or pattern, of no table of the file.
func knownTables(c *cobra.Command, f *stats.File, names []string) error {
	var known []string
	for _, key := range slices.Sorted(maps.Keys(f.Tables)) {
		known = append(known, key)
		if _, bare, ok := strings.Cut(key, "."); ok {
			known = append(known, bare)
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(known, func(k string) bool {
			ok, err := path.Match(n, k)
			return ok || err != nil // which Show reports
		}) {
			return usage(c, "the file has no table %q%s", n, didYouMean(n, known))
		}
	}
	return nil
}
