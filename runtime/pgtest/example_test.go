package pgtest_test

import (
	"context"
	"fmt"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

// A cluster takes the part of a service's servers: when the primary has crashed a
// standby is promoted, and nothing acknowledged is lost.
func ExampleStartCluster() {
	ctx := context.Background()
	cluster, err := pgtest.StartCluster(ctx, pgtest.ClusterOptions{Standbys: 1, Synchronous: 1})
	if err != nil {
		panic(err)
	}
	defer cluster.Close()
	db, err := cluster.Create(ctx, pgtest.SQL(`CREATE TABLE t (id int)`))
	if err != nil {
		panic(err)
	}
	exec := func(sql string) error {
		conn, err := pgx.Connect(ctx, db.URL+"&target_session_attrs=read-write")
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql)
		return err
	}
	fmt.Println("before:", exec(`INSERT INTO t VALUES (1)`))

	crashed := cluster.Primary()
	if err := crashed.Stop(ctx, pgtest.Immediate); err != nil {
		panic(err)
	}
	heir, err := cluster.Successor(ctx)
	if err != nil {
		panic(err)
	}
	if err := heir.Promote(ctx); err != nil {
		panic(err)
	}
	if err := crashed.Follow(ctx, heir); err != nil { // commits wait for it
		panic(err)
	}
	fmt.Println("after:", exec(`INSERT INTO t SELECT id + 1 FROM t`))
	fmt.Println(heir.Name(), "is the primary:", cluster.Primary() == heir)
	// Output:
	// before: <nil>
	// after: <nil>
	// node2 is the primary: true
}

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
