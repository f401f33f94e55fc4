package cost_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/rel"
)

func (a joinArgs) word(key, def string) string {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == key {
			return arg.Vals[0]
		}
	}
	return def
}

func (a joinArgs) having(p cost.Params) cost.Filter {
	f, ok := a.floats("having", 2)
	if !ok {
		return cost.Filter{}
	}
	return cost.Filter{Present: true, Cost: rel.QualCost{PerTuple: f[0] * p.CPUOperatorCost}, Selectivity: f[1]}
}

func (a joinArgs) agg(p cost.Params) cost.Estimate {
	in := cost.AggInput{
		GroupCols: int(a.float("cols", 0)), Groups: a.float("groups", 0), NumTrans: int(a.float("states", 0)), Having: a.having(p),
		Strategy: map[string]rel.AggStrategy{
			"plain": rel.AggPlain, "sorted": rel.AggSorted, "hashed": rel.AggHashed, "mixed": rel.AggMixed,
		}[a.word("strategy", "")],
	}
	in.Input, in.Width = a.side("input")
	in.Costs.Trans.PerTuple = a.float("trans", 0) * p.CPUOperatorCost
	in.Costs.Final.PerTuple = a.float("final", 0) * p.CPUOperatorCost
	in.Costs.TransitionSpace = a.float("space", 0)
	return cost.Agg(p, in)
}

func (a joinArgs) window(p cost.Params) cost.Estimate {
	a.t.Helper()
	base, err := builtin.Load(p.Major)
	if err != nil {
		a.t.Fatal(err)
	}
	cat := catalog.New(base)
	wc := &query.WindowClause{}
	for range int(a.float("partition", 0)) {
		wc.PartitionBy = append(wc.PartitionBy, &query.SortGroupClause{})
	}
	for range int(a.float("order", 0)) {
		wc.OrderBy = append(wc.OrderBy, &query.SortGroupClause{})
	}
	switch a.word("frame", "") {
	case "default":
		wc.FrameOptions = query.FrameDefaults
	case "following":
		wc.FrameOptions = query.FrameNonDefault | query.FrameRows | query.FrameStartCurrentRow | query.FrameEndOffsetFollowing
		wc.EndOffset = &query.Const{Header: query.Header{Typ: pgtype.Int8OID}, Value: a.word("end", "")}
	}
	in := cost.WindowInput{Clause: wc}
	in.Input, _ = a.side("input")
	in.PartitionTuples, in.PeerTuples = in.Input.Rows, 1
	if f, ok := a.floats("tuples", 2); ok {
		in.PartitionTuples, in.PeerTuples = f[0], f[1]
	}
	fn := cat.FuncsByName("", a.word("funcs", ""))
	if len(fn) == 0 {
		a.d.Fatalf(a.t, "no such function")
	}
	in.Funcs = []*query.WindowFunc{{Func: fn[0].OID}}
	return cost.WindowAgg(&rel.Global{Catalog: cat, Settings: p.Settings, VersionNum: p.Major * 10000}, in)
}

// TestUpper holds the costs of the steps above joins against those that servers
// printed for the same inputs.
func TestUpper(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/upper", func(t *testing.T, d *datadriven.TestData) string {
		a := joinArgs{t, d}
		p := a.params()
		p.EnableHashAgg = !d.HasArg("nohashagg")
		in, _ := a.side("input")
		cols, groups := int(a.float("cols", 0)), a.float("groups", 0)
		var e cost.Estimate
		switch d.Cmd {
		case "agg":
			e = a.agg(p)
		case "group":
			e = cost.Group(p, cost.GroupInput{Input: in, GroupCols: cols, Groups: groups, Having: a.having(p)})
		case "unique":
			e = cost.Unique(p, in, cols, groups)
		case "setop":
			e = cost.SetOp(p, in, cols, groups)
		case "recursive":
			again, _ := a.side("again")
			e = cost.RecursiveUnion(p, in, again)
		case "limit":
			e = cost.Limit(in, int64(a.float("offset", 0)), int64(a.float("count", 0)))
		case "lockrows":
			e = cost.LockRows(p, in)
		case "modify":
			e = cost.ModifyTable(in, d.HasArg("returning"))
		case "window":
			e = a.window(p)
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		out := fmt.Sprintf("%.2f..%.2f rows=%.0f", e.Startup, e.Total, e.Rows)
		if e.Disabled > 0 {
			out += fmt.Sprintf(" disabled %d", e.Disabled)
		}
		return out + "\n"
	})
}
