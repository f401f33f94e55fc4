// Command capture writes what live PostgreSQL servers say of the statements in
// testdata: the types of parameters and columns, or the error with its place.
//
//	go run ./parser/analyze/capture postgres://localhost:5415/postgres postgres://localhost:5416/postgres
//
// It is run from the root of the module, with a connection string for each major
// version; answers of versions that are not among them stay as they are. On each
// server it makes a database of its own, applies testdata/schema.sql and prepares
// every statement; nothing is executed.
//
// The package imports nothing of dbgen.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: capture URL...")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, filepath.Join("parser", "analyze", "capture", "testdata"), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(2) //nolint:gocritic // the signal handler ends with the process
	}
}

// run asks the servers at urls about the case files in folder and writes their
// answers into them.
func run(ctx context.Context, folder string, urls []string) error {
	schema, err := os.ReadFile(filepath.Join(folder, "schema.sql"))
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return err
	}
	files := map[string][]*testCase{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if files[p], err = readCases(string(data)); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	for _, url := range urls {
		if err := askServer(ctx, url, string(schema), paths, files); err != nil {
			return err
		}
	}
	accepted, refused := 0, 0
	for _, p := range paths {
		if err := os.WriteFile(p, []byte(writeCases(files[p])), 0o644); err != nil {
			return err
		}
		a, r := count(files[p])
		accepted, refused = accepted+a, refused+r
	}
	fmt.Printf("captured %d accepted and %d refused statements\n", accepted, refused)
	return nil
}

// askServer fills in the answers of one server.
func askServer(ctx context.Context, url, schema string, paths []string, files map[string][]*testCase) (err error) {
	s, err := open(ctx, url, schema)
	if err != nil {
		return err
	}
	defer func() {
		if e := s.drop(context.WithoutCancel(ctx)); err == nil {
			err = e
		}
	}()
	for _, p := range paths {
		for _, c := range files[p] {
			if c.answers[s.major], err = s.ask(ctx, c.sql); err != nil {
				return fmt.Errorf("%s: %w", c.sql, err)
			}
		}
	}
	return nil
}
