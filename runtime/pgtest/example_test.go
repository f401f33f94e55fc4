package pgtest_test

import (
	"context"
	"fmt"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

// Outside tests: a throw-away server with one database.
func ExampleStart() {
	ctx := context.Background()
	server, err := pgtest.Start(ctx, pgtest.Options{})
	if err != nil {
		panic(err)
	}
	defer server.Stop()
	db, err := server.Create(ctx, pgtest.SQL(`CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)`))
	if err != nil {
		panic(err)
	}
	conn, err := pgx.Connect(ctx, db.URL)
	if err != nil {
		panic(err)
	}
	defer conn.Close(ctx)
	var n int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&n)
	fmt.Println(n, err)
	// Output: 2 <nil>
}
