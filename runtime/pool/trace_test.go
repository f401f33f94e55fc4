package pool_test

import (
	"context"
	"sync"
	"testing"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// told is an observer, and a tracer of the caller's own.
type told struct {
	mu      sync.Mutex
	ended   []runtime.Event
	queries []string
}

func (o *told) Begin(ctx context.Context, _ runtime.Event) context.Context { return ctx }

func (o *told) End(_ context.Context, e runtime.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = append(o.ended, e)
}

func (o *told) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queries = append(o.queries, data.SQL)
	return ctx
}

func (*told) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// An observer is told of what a query needed, beside a tracer of one's own;
// without one pgx traces nothing.
func TestObserver(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	o := &told{}
	p, _ := open(t, pool.Config{MinConns: -1, MaxConns: 1, Observer: o, Configure: func(c *pgxpool.Config) error {
		c.ConnConfig.Tracer = o
		return nil
	}})
	q := runtime.Query{Name: "Get", SQL: "-- name: Get :exec\nSELECT $1::int"}
	if err := runtime.Exec(ctx, p, q, 1); err != nil {
		t.Fatal(err)
	}
	c, err := p.Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pid := c.Info().PID
	c.Release()
	if err := p.Close(ctx); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range o.ended {
		got = append(got, e.Kind.String()+" "+e.Name)
		if e.PID != pid || e.Host == "" || e.At.IsZero() || e.Dur < 0 || e.Err != nil || e.Standby {
			t.Errorf("%+v", e)
		}
	}
	if diff := cmp.Diff([]string{"connect ", "acquire Get", "query Get", "acquire ", "close "}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{q.SQL}, o.queries); diff != "" {
		t.Error("the tracer of our own:", diff)
	}
	silent, _ := open(t, pool.Config{})
	if c, err = silent.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	if tracer := c.Conn().Config().Tracer; tracer != nil {
		t.Errorf("without an observer the tracer is %T", tracer)
	}
}
