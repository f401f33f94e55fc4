// Command capture writes the list of operators that end in @, which the
// rewriting of named arguments must not divide.
//
// It takes the URLs of PostgreSQL servers, asks each for the operators of
// pg_operator and of every extension that can be created there, and writes their
// union to standard output:
//
//	go run ./parser/annotation/capture URL… > parser/annotation/operators.txt
//
// Extensions are created in transactions that are rolled back.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/jackc/pgx/v5"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	found := map[string]bool{}
	for _, url := range os.Args[1:] {
		if err := capture(ctx, url, found); err != nil {
			fmt.Fprintln(os.Stderr, "capture:", err)
			os.Exit(2)
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Println(name)
	}
}

func capture(ctx context.Context, url string, found map[string]bool) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	extensions, err := names(ctx, conn, `SELECT name FROM pg_available_extensions ORDER BY name`)
	if err != nil {
		return err
	}
	for _, extension := range append([]string{""}, extensions...) {
		tx, err := conn.Begin(ctx)
		if err != nil {
			return err
		}
		if extension != "" {
			create := "CREATE EXTENSION IF NOT EXISTS " + pgx.Identifier{extension}.Sanitize() + " CASCADE"
			if _, err := tx.Exec(ctx, create); err != nil {
				// Listed, but not to be had on this server.
				fmt.Fprintf(os.Stderr, "capture: extension %s: %v\n", extension, err)
				if err := tx.Rollback(ctx); err != nil {
					return err
				}
				continue
			}
		}
		ops, err := names(ctx, conn, `SELECT DISTINCT oprname FROM pg_catalog.pg_operator WHERE oprname LIKE '%@'`)
		if err != nil {
			return err
		}
		for _, op := range ops {
			found[op] = true
		}
		if err := tx.Rollback(ctx); err != nil {
			return err
		}
	}
	return nil
}

func names(ctx context.Context, conn *pgx.Conn, query string) ([]string, error) {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
