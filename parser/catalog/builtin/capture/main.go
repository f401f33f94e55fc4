// Command capture writes the built-in objects of a live PostgreSQL server into
// the data file of its major version, the extensions that the server can create
// into the file that all versions share, and the OIDs of the types that all
// versions share, and the time zone abbreviations, into parser/pgtype.
//
//	go run ./parser/catalog/builtin/capture --database-url postgres://localhost/postgres
//
// It is run from the root of the module, once for each major version. Any
// database without extensions will do: what has an OID of 16384 or more is left
// out, and extensions are created in transactions that are rolled back. One that
// cannot be created there (its language's library is missing) is named and keeps
// the block that it has.
//
// The package imports parser/catalog/builtin and parser/catalog/pull.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/catalog/pull"
)

func main() {
	url := flag.String("database-url", "", "connection string of the server to capture")
	root := flag.String("root", ".", "root folder of the module")
	flag.Parse()
	if *url == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *url, *root); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(2) //nolint:gocritic // the signal handler ends with the process
	}
}

// run captures the server at url into the module at root.
func run(ctx context.Context, url, root string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx) //nolint:errcheck // read only
	major, data, err := pull.Builtins(ctx, conn)
	if err != nil {
		return err
	}
	oids, err := typeOIDs(ctx, conn)
	if err != nil {
		return err
	}
	zones, err := abbreviations(ctx, conn)
	if err != nil {
		return err
	}
	contrib, err := extensions(ctx, conn, root, major)
	if err != nil {
		return err
	}
	files := map[string]string{
		filepath.Join(root, contribFile):                                                            contrib,
		filepath.Join(root, "parser", "pgtype", "abbreviations.tsv"):                                zones,
		filepath.Join(root, "parser", "catalog", "builtin", "data", fmt.Sprintf("pg%d.tsv", major)): data,
		filepath.Join(root, "parser", "pgtype", "oids.go"):                                          oids,
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("captured PostgreSQL %d: %d bytes, extensions of all versions: %d bytes\n", major, len(data), len(contrib))
	return nil
}

// contribFile is the file of extensions under the module's root.
var contribFile = filepath.Join("parser", "catalog", "builtin", "data", "contrib.tsv") //nolint:gochecknoglobals // a constant

// extensions puts the extensions of a server into the file of all versions.
func extensions(ctx context.Context, conn *pgx.Conn, root string, major int) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, contribFile))
	if err != nil {
		return "", err
	}
	l, err := builtin.ReadLibrary(contribFile, string(text))
	if err != nil {
		return "", fmt.Errorf("%s: %w", contribFile, err)
	}
	list := make([]*pull.Extension, 0, len(l.Blocks))
	for _, b := range l.Blocks {
		list = append(list, &pull.Extension{
			Name: b.Name, Version: b.Version, Majors: b.Majors, Versions: b.Versions, Schema: b.Schema,
			Relocatable: b.Relocatable, Requires: b.Requires, Objects: b.Objects, Text: b.Text,
		})
	}
	names, err := pull.Available(ctx, conn)
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if name == "plpgsql" {
			continue // every database has it
		}
		e, err := pull.Create(ctx, conn, name)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "capture: %v\n", err)
			continue
		}
		list = merge(list, e, major)
	}
	return pull.Format(list), nil
}

// merge puts what an extension is on one version among what is known of it:
// versions on which it is the same share a block. The blocks are ordered by name
// and first version.
func merge(list []*pull.Extension, e *pull.Extension, major int) []*pull.Extension {
	same := func(o *pull.Extension) bool {
		return o.Name == e.Name && o.Version == e.Version && o.Schema == e.Schema && o.Relocatable == e.Relocatable &&
			slices.Equal(o.Requires, e.Requires) && slices.Equal(o.Versions, e.Versions) && o.Text == e.Text
	}
	found := false
	for _, o := range list {
		if o.Name == e.Name {
			o.Majors = slices.DeleteFunc(o.Majors, func(m int) bool { return m == major })
		}
		if !found && same(o) {
			found = true
			o.Majors = append(o.Majors, major)
			slices.Sort(o.Majors)
		}
	}
	if !found {
		list = append(list, e)
	}
	list = slices.DeleteFunc(list, func(o *pull.Extension) bool { return len(o.Majors) == 0 })
	slices.SortFunc(list, func(a, b *pull.Extension) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Majors[0], b.Majors[0]))
	})
	return list
}
