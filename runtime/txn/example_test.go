package txn_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
	"github.com/jackc/pgx/v5"
)

func Example() {
	ctx := context.Background()
	server, err := pgtest.Shared()
	if err != nil {
		panic(err)
	}
	db, err := server.Create(ctx, pgtest.SQL(`CREATE TABLE account (id int PRIMARY KEY, cents int CHECK (cents >= 0)); INSERT INTO account VALUES (1, 100), (2, 0)`))
	if err != nil {
		panic(err)
	}
	p, err := pool.New(ctx, db.URL, pool.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Drop(ctx)
	defer p.Close(ctx)

	transactions := txn.New(p, txn.Isolation(pgx.Serializable))
	add := runtime.Query{Name: "Add", SQL: "-- name: Add :exec\nUPDATE account SET cents = cents + $2 WHERE id = $1"}
	transfer := func(cents int) error {
		return transactions.Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
			tx.AfterCommit(func(context.Context) { fmt.Println("transferred", cents) })
			return errors.Join(runtime.Exec(ctx, tx, add, 2, cents), runtime.Exec(ctx, tx, add, 1, -cents))
		}, txn.Label("transfer"), txn.Timeout(5*time.Second))
	}
	fmt.Println(transfer(70))
	fmt.Println(runtime.AsError(transfer(70)).IsCheck())
	fmt.Println(transactions.Stats().Committed, "committed,", transactions.Stats().RolledBack, "rolled back")
	// Output:
	// transferred 70
	// <nil>
	// true
	// 1 committed, 1 rolled back
}

// A step that may fail without ending the transaction.
func ExampleTx_Nested() {
	ctx := context.Background()
	server, err := pgtest.Shared()
	if err != nil {
		panic(err)
	}
	conn, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		panic(err)
	}
	defer conn.Close(ctx)
	err = txn.New(conn).Run(ctx, func(ctx context.Context, tx *txn.Tx) error {
		err := tx.Nested(ctx, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "SELECT 1/0")
			return err
		})
		fmt.Println("nested:", err)
		_, err = tx.Exec(ctx, "SELECT 1")
		return err
	})
	fmt.Println("transaction:", err)
	// Output:
	// nested: ERROR: division by zero (SQLSTATE 22012)
	// transaction: <nil>
}

// The transaction of a tenant: row-level security reads the setting.
func ExampleManager_RunTenant() {
	ctx := context.Background()
	server, err := pgtest.Shared()
	if err != nil {
		panic(err)
	}
	conn, err := pgx.Connect(ctx, server.URL)
	if err != nil {
		panic(err)
	}
	defer conn.Close(ctx)
	transactions := txn.New(conn)
	tenant := txn.Tenant{Setting: "app.tenant", ID: "42"}
	err = transactions.RunTenant(ctx, tenant, func(ctx context.Context, tx *txn.TenantTx) error {
		var seen string
		err := tx.QueryRow(ctx, "SELECT current_setting('app.tenant')").Scan(&seen)
		fmt.Println("the server sees", seen)
		return errors.Join(err, transactions.RunTenant(ctx, txn.Tenant{Setting: "app.tenant", ID: "43"}, nil))
	})
	fmt.Println(err)
	// Output:
	// the server sees 42
	// incompatible transaction options: within a transaction of another tenant
}
