package cost

import (
	"math"
	"strconv"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// defaultInequality is DEFAULT_INEQ_SEL (selfuncs.h).
const defaultInequality = 0.3333333333333333

// WindowInput is what the cost of window functions over one window depends on.
type WindowInput struct {
	Input  Estimate // with the input's rows
	Funcs  []*query.WindowFunc
	Clause *query.WindowClause
	// PartitionTuples are the rows of one partition, PeerTuples of one group
	// of peers; they matter from PostgreSQL 17 on.
	PartitionTuples, PeerTuples float64
}

// WindowAgg is the cost of evaluating window functions (cost_windowagg).
func WindowAgg(g *rel.Global, w WindowInput) Estimate {
	p := ParamsOf(g)
	tuples := w.Input.Rows
	e := Estimate{Rows: tuples, Startup: w.Input.Startup, Total: w.Input.Total, Disabled: w.Input.Disabled}
	for _, f := range w.Funcs {
		var call rel.QualCost
		AddFunction(g, f.Func, &call)
		e.Startup += call.Startup
		per := call.PerTuple
		args := QualEvalExprs(g, f.Args)
		e.Startup += args.Startup
		per += args.PerTuple
		filter := QualEvalNode(g, f.Filter)
		e.Startup += filter.Startup
		per += filter.PerTuple
		e.Total += float64(per * tuples)
	}
	cols := len(w.Clause.PartitionBy) + len(w.Clause.OrderBy)
	e.Total += float64(p.CPUOperatorCost * float64(cols) * tuples)
	e.Total += float64(p.CPUTupleCost * tuples)
	if p.Major >= 17 {
		if n := windowStartup(w); n > 1.0 {
			e.Startup += float64((e.Total - e.Startup) / tuples * (n - 1.0))
		}
	}
	return e
}

// windowStartup is how many rows are read before the first can be given
// (get_windowclause_startup_tuples, since 17).
func windowStartup(w WindowInput) float64 {
	wc := w.Clause
	frame := wc.FrameOptions
	var rows float64
	switch {
	case frame&query.FrameEndUnboundedFollowing != 0:
		rows = w.PartitionTuples
	case frame&query.FrameEndCurrentRow != 0:
		switch {
		case frame&query.FrameRows != 0:
			rows = 1.0
		case len(wc.OrderBy) == 0:
			rows = w.PartitionTuples
		default:
			rows = w.PeerTuples
		}
	case frame&query.FrameEndOffsetFollowing != 0:
		end := frameEnd(w)
		if frame&query.FrameRows != 0 {
			rows = end + 1.0
		} else {
			rows = w.PeerTuples * (end + 1.0)
		}
	default:
		rows = 1.0
	}
	if len(wc.PartitionBy) > 0 || len(wc.OrderBy) > 0 {
		// One row of the next partition or group is read as well.
		rows += 1.0
	}
	return ClampRows(math.Min(rows, w.PartitionTuples))
}

// frameEnd is the offset of a frame's end, a guess if it is no integer constant.
func frameEnd(w WindowInput) float64 {
	guess := float64(w.PartitionTuples/w.PeerTuples) * defaultInequality
	c, ok := w.Clause.EndOffset.(*query.Const)
	if !ok {
		return guess
	}
	if c.Null {
		return 1.0
	}
	switch c.Typ {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		if n, err := strconv.ParseInt(c.Value, 10, 64); err == nil {
			return float64(n)
		}
	}
	return guess
}
