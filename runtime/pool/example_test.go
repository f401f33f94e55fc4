package pool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

func Example() {
	ctx := context.Background()
	server, err := pgtest.Shared()
	if err != nil {
		panic(err)
	}

	p, err := pool.New(ctx, server.URL, pool.Config{MaxConns: 1, AcquireTimeout: time.Second})
	if err != nil {
		panic(err)
	}
	defer p.Close(ctx)
	conn, err := p.Acquire(ctx)
	if err != nil {
		panic(err)
	}
	_, err = p.Acquire(ctx)
	fmt.Println(errors.Is(err, pool.ErrAcquireTimeout))
	var timeout *pool.AcquireTimeoutError
	fmt.Println(errors.As(err, &timeout), timeout.Stats.Active, "of", timeout.Stats.Max, "in use")
	fmt.Println("connection", conn.Info().ID, "active:", conn.Info().Active)
	conn.Release()
	fmt.Println(p.Stats().Active, "in use")
	// Output:
	// true
	// true 1 of 1 in use
	// connection 1 active: true
	// 0 in use
}

// One process writes, another reads what the first has written, on a standby
// where there is one.
func ExamplePool_WithSession() {
	ctx := context.Background()
	const dsn = "postgres://app@db1,db2,db3/shop?sslmode=verify-full"
	p, err := pool.New(ctx, dsn, pool.Config{Standbys: &pool.Standbys{MaxLag: time.Second}})
	if err != nil {
		panic(err)
	}
	defer p.Close(ctx)

	// The writer.
	ctx, session := p.WithSession(ctx)
	if _, err := p.Exec(ctx, "INSERT INTO note (text) VALUES ('hello')"); err != nil {
		panic(err)
	}
	text := session.Token().String() // into a cookie, a header, a message

	// The reader, with a pool of its own.
	token, err := pool.ParseToken(text)
	if err != nil {
		panic(err)
	}
	ctx = p.WithToken(context.Background(), token)
	latest := runtime.Query{Name: "LatestNote", SQL: "SELECT text FROM note ORDER BY id DESC LIMIT 1", ReadOnly: true}
	note, err := runtime.One(ctx, p, latest, func(row *runtime.Row) string { return row.Text(0) })
	fmt.Println(note, err)
}
