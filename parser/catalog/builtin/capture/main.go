// Command capture writes the built-in objects of a live PostgreSQL server into
// the data file of its major version, and the OIDs of the types that all
// versions share, and the time zone abbreviations, into parser/pgtype.
//
//	go run ./parser/catalog/builtin/capture --database-url postgres://localhost/postgres
//
// It is run from the root of the module, once for each major version. Any
// database will do: what has an OID of 16384 or more is left out.
//
// The package imports nothing of dbgen.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/jackc/pgx/v5"
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
	major, data, err := capture(ctx, conn)
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
	files := map[string]string{
		filepath.Join(root, "parser", "pgtype", "abbreviations.tsv"):                                zones,
		filepath.Join(root, "parser", "catalog", "builtin", "data", fmt.Sprintf("pg%d.tsv", major)): data,
		filepath.Join(root, "parser", "pgtype", "oids.go"):                                          oids,
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("captured PostgreSQL %d: %d bytes\n", major, len(data))
	return nil
}
