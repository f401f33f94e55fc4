package pool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/runtime/pool"
)

func Example() {
	ctx := context.Background()
	server, err := pgtest.Shared()
	if err != nil {
		panic(err)
	}

	p, err := pool.New(ctx, server.URL, pool.Config{MaxConns: 1, AcquireTimeout: 10 * time.Millisecond})
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
