package pool

import (
	"context"

	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/runtime"
)

// trace makes pgx tell observer, if there is one, beside the tracer that is
// there; of a standby it is told as such.
func trace(pc *pgxpool.Config, observer runtime.Observer, standby bool) {
	if observer == nil {
		return
	}
	if standby {
		observer = onStandby{observer}
	}
	tracer := runtime.Trace(observer)
	if own := pc.ConnConfig.Tracer; own != nil {
		tracer = multitracer.New(own, tracer)
	}
	pc.ConnConfig.Tracer = tracer
}

// onStandby marks what it passes on.
type onStandby struct{ runtime.Observer }

func (o onStandby) Begin(ctx context.Context, e runtime.Event) context.Context {
	e.Standby = true
	return o.Observer.Begin(ctx, e)
}

func (o onStandby) End(ctx context.Context, e runtime.Event) {
	e.Standby = true
	o.Observer.End(ctx, e)
}
