package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/catalog/pull"
)

func (a *app) catalogCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "catalog",
		Short:   "What extensions bring: capture it from a server",
		Example: `  dbgen catalog capture --database-url "$DATABASE_URL"`,
		Args:    subcommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.catalogCapture())
	return c
}

func (a *app) catalogCapture() *cobra.Command {
	var url, out string
	var names []string
	c := &cobra.Command{
		Use:   "capture",
		Short: "Write what a database's extensions bring into a file",
		Long: `Write what a database's extensions bring into a file: their types, functions,
operators, casts, access methods and tables, but no data. CREATE EXTENSION
in a schema then brings them, where the file is named under "catalogs" in
dbgen.yaml or with --catalog. The extensions that come with PostgreSQL are known
without.`,
		Example: `  dbgen catalog capture --database-url "$DATABASE_URL"     # all that do not come with PostgreSQL
  dbgen catalog capture --database-url "$DATABASE_URL" --extension postgis --out postgis.catalog`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			url = cmp.Or(url, os.Getenv("DATABASE_URL"))
			if url == "" {
				return usage(c, "no database: give --database-url or set DATABASE_URL")
			}
			if err := a.onlyFormats(c, "text"); err != nil {
				return err
			}
			return a.captureCatalog(c.Context(), url, out, names)
		},
	}
	f := c.Flags()
	f.StringVar(&url, "database-url", "", "the server to read (default $DATABASE_URL)")
	f.StringArrayVar(&names, "extension", nil, "extension to capture, with those that it requires; repeatable (default all that do not come with PostgreSQL)")
	f.StringVar(&out, "out", "", "file to write; - for stdout (default the extension's name, or extensions, and .catalog)")
	return c
}

func (a *app) captureCatalog(ctx context.Context, url, out string, names []string) error {
	if err := writable(out); err != nil {
		return err
	}
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing was written
	list, err := readExtensions(ctx, conn, names)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	text := pull.Format(list)
	if out == "-" {
		_, err := a.std.Out.Write([]byte(text))
		return err
	}
	if out == "" {
		stem := "extensions"
		if len(list) == 1 || len(names) == 1 {
			stem = cmp.Or(append(slices.Clip(names), list[0].Name)...)
		}
		out = stem + ".catalog"
	}
	if err := pipeline.WriteFile(filepath.FromSlash(out), []byte(text)); err != nil {
		return err
	}
	var what []string
	for _, e := range list {
		what = append(what, e.Name+" "+e.Version)
	}
	fmt.Fprintf(a.std.Err, "dbgen: wrote %s: %s\n", out, strings.Join(what, ", "))
	return nil
}

// readExtensions captures the named extensions with those that they require, or
// all that do not come with PostgreSQL.
func readExtensions(ctx context.Context, conn *pgx.Conn, names []string) ([]*pull.Extension, error) {
	var num int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&num); err != nil {
		return nil, fmt.Errorf("server version: %w", err)
	}
	major := num / 10000
	if !slices.Contains(config.Versions, major) {
		return nil, fmt.Errorf("the server is PostgreSQL %d; dbgen knows 15 to 18", major)
	}
	contrib, err := builtin.Contrib()
	if err != nil {
		return nil, err
	}
	known := func(name string) bool {
		b := contrib.Find(name, major)
		return name == "plpgsql" || b != nil && b.For(major)
	}
	installed, err := pull.Installed(ctx, conn)
	if err != nil {
		return nil, err
	}
	wanted := slices.Clone(names)
	if len(wanted) == 0 {
		wanted = slices.DeleteFunc(slices.Clone(installed), known)
		if len(wanted) == 0 {
			return nil, errors.New("the database has no extension but those that come with PostgreSQL, which are known")
		}
	}
	var list []*pull.Extension
	for i := 0; i < len(wanted); i++ {
		if !slices.Contains(installed, wanted[i]) {
			return nil, fmt.Errorf("the database has no extension %q%s", wanted[i], didYouMean(wanted[i], installed))
		}
		e, err := pull.Read(ctx, conn, wanted[i])
		if err != nil {
			return nil, err
		}
		list = append(list, e)
		for _, r := range e.Requires {
			if !known(r) && !slices.Contains(wanted, r) {
				wanted = append(wanted, r)
			}
		}
	}
	slices.SortFunc(list, func(a, b *pull.Extension) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b *pull.Extension) bool { return a.Name == b.Name }), nil
}
