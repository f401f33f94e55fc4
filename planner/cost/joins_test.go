package cost_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// joinArgs are the arguments of a command in testdata/joins.
type joinArgs struct {
	t *testing.T
	d *datadriven.TestData
}

func (a joinArgs) floats(key string, n int) ([]float64, bool) {
	a.t.Helper()
	for _, arg := range a.d.CmdArgs {
		if arg.Key != key {
			continue
		}
		if len(arg.Vals) != n {
			a.d.Fatalf(a.t, "%s wants %d numbers", key, n)
		}
		out := make([]float64, n)
		for i, v := range arg.Vals {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				a.d.Fatalf(a.t, "%s: %v", key, err)
			}
			out[i] = f
		}
		return out, true
	}
	return make([]float64, n), false
}

func (a joinArgs) float(key string, def float64) float64 {
	if f, ok := a.floats(key, 1); ok {
		return f[0]
	}
	return def
}

// side is an input: (startup, total, rows, width).
func (a joinArgs) side(key string) (cost.Estimate, int) {
	f, ok := a.floats(key, 4)
	if !ok {
		a.d.Fatalf(a.t, "no %s side", key)
	}
	return cost.Estimate{Startup: f[0], Total: f[1], Rows: f[2]}, int(f[3])
}

func (a joinArgs) params() cost.Params {
	major := int(a.float("version", 16))
	s := stats.DefaultSettings(major)
	s.WorkMem = int(a.float("work_mem", float64(s.WorkMem)))
	s.HashMemMultiplier = a.float("hash_mem_multiplier", s.HashMemMultiplier)
	for _, off := range []struct {
		key string
		set *bool
	}{
		{"nohash", &s.EnableHashJoin},
		{"nomerge", &s.EnableMergeJoin},
		{"noloop", &s.EnableNestLoop},
		{"nomaterial", &s.EnableMaterial},
	} {
		if a.d.HasArg(off.key) {
			*off.set = false
		}
	}
	return cost.Params{Settings: s, Major: major}
}

func (a joinArgs) kind() query.JoinType {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == "type" {
			return map[string]query.JoinType{
				"left": query.JoinLeft, "right": query.JoinRight, "full": query.JoinFull,
				"semi": query.JoinSemi, "anti": query.JoinAnti,
			}[arg.Vals[0]]
		}
	}
	return query.JoinInner
}

func (a joinArgs) end(p cost.Params) cost.JoinEnd {
	end := cost.JoinEnd{Rows: a.float("rows", 1)}
	// Clauses are counted in operators of cost 1.
	end.Keys.PerTuple = p.CPUOperatorCost * a.float("keys", 0)
	end.Restrict.PerTuple = p.CPUOperatorCost * a.float("quals", a.float("keys", 0))
	if f, ok := a.floats("match", 2); ok {
		end.FirstMatch = true
		end.Factors = rel.SemiAntiFactors{OuterMatchFrac: f[0], MatchCount: f[1]}
	}
	return end
}

func printed(e cost.Estimate) string {
	s := fmt.Sprintf("%.2f..%.2f", e.Startup, e.Total)
	if e.Disabled > 0 {
		s += fmt.Sprintf(" disabled %d", e.Disabled)
	}
	return s
}

// TestJoins holds the costs of joins against those that servers of the named
// version printed for the same inputs.
func TestJoins(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/joins", func(t *testing.T, d *datadriven.TestData) string {
		a := joinArgs{t, d}
		p := a.params()
		var out strings.Builder
		switch d.Cmd {
		case "nestloop":
			in := cost.NestLoopInput{FirstMatch: d.HasArg("match"), Indexed: d.HasArg("indexed")}
			in.Outer, _ = a.side("outer")
			in.Inner, _ = a.side("inner")
			in.RescanStartup, in.RescanTotal = in.Inner.Startup, in.Inner.Total
			if f, ok := a.floats("rescan", 2); ok {
				in.RescanStartup, in.RescanTotal = f[0], f[1]
			}
			w := p.NestLoopStart(in)
			e := p.NestLoopEnd(w, in, a.end(p))
			checkBound(t, d, w, e)
			out.WriteString(printed(e))
		case "mergejoin":
			in := cost.MergeJoinInput{Type: a.kind(), AllMerged: a.float("quals", 0) <= a.float("keys", 0), Tuples: a.float("tuples", 0)}
			outer, ow := a.side("outer")
			inner, iw := a.side("inner")
			in.Outer, in.Inner, in.InnerWidth = outer, inner, iw
			if d.HasArg("sort") {
				o := cost.Sort(p, cost.SortInput{Input: outer, Tuples: outer.Rows, Width: ow, LimitTuples: -1})
				i := cost.Sort(p, cost.SortInput{Input: inner, Tuples: inner.Rows, Width: iw, LimitTuples: -1})
				in.OuterSort, in.InnerSort = &o, &i
			}
			if f, ok := a.floats("scan", 4); ok {
				in.Scan = &cost.MergeScan{OuterStart: f[0], OuterEnd: f[1], InnerStart: f[2], InnerEnd: f[3]}
			}
			w := p.MergeJoinStart(in)
			m := p.MergeJoinEnd(w, in, a.end(p))
			checkBound(t, d, w, m.Estimate)
			out.WriteString(printed(m.Estimate))
			if m.MaterializeInner {
				out.WriteString(" materialize")
			}
			if m.SkipMarkRestore {
				out.WriteString(" skip mark/restore")
			}
		case "hashjoin":
			in := cost.HashJoinInput{
				Type: a.kind(), Clauses: int(a.float("keys", 1)), Parallel: d.HasArg("parallel"),
				BucketSize: a.float("bucket", 1), MCVFreq: a.float("mcv", 0), Tuples: a.float("tuples", 0),
			}
			in.Outer, in.OuterWidth = a.side("outer")
			in.Inner, in.InnerWidth = a.side("inner")
			in.OuterWorkers = int(a.float("workers", 0))
			in.InnerWorkers = in.OuterWorkers
			w := p.HashJoinStart(in)
			e := p.HashJoinEnd(w, in, a.end(p))
			checkBound(t, d, w, e)
			fmt.Fprintf(&out, "%s buckets %d batches %d", printed(e), w.Buckets, w.Batches)
		case "memoize":
			in := cost.MemoizeScan{KeyWidth: int(a.float("key", 0)), Calls: a.float("calls", 1), Distinct: a.float("distinct", 1)}
			in.Input, in.Width = a.side("inner")
			nl := cost.NestLoopInput{Inner: in.Input}
			nl.Outer, _ = a.side("outer")
			nl.Inner.Startup += p.CPUTupleCost
			nl.Inner.Total += p.CPUTupleCost
			var entries float64
			nl.RescanStartup, nl.RescanTotal, entries = p.MemoizeRescan(in)
			e := p.NestLoopEnd(p.NestLoopStart(nl), nl, a.end(p))
			fmt.Fprintf(&out, "%s entries %v", printed(e), entries)
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		return out.String() + "\n"
	})
}

// checkBound holds what the precheck of paths relies on: the first look at a
// join is never dearer than the final cost.
func checkBound(t *testing.T, d *datadriven.TestData, w cost.JoinWork, e cost.Estimate) {
	t.Helper()
	if w.Startup > e.Startup || w.Total > e.Total {
		t.Errorf("%s: first look %.4f..%.4f, final %.4f..%.4f", d.Pos, w.Startup, w.Total, e.Startup, e.Total)
	}
}

// TestHashTableSize holds invariants of the hash table: powers of two, and at
// least as many batches for more rows.
func TestHashTableSize(t *testing.T) {
	t.Parallel()
	for _, major := range []int{15, 16, 17, 18} {
		p := cost.Params{Settings: stats.DefaultSettings(major), Major: major}
		last := 0
		for rows := 1.0; rows < 1e9; rows *= 3 {
			buckets, batches := p.HashTableSize(rows, 100, false, 0)
			if buckets&(buckets-1) != 0 || batches&(batches-1) != 0 {
				t.Errorf("%d: %v rows: %d buckets, %d batches: not powers of two", major, rows, buckets, batches)
			}
			if batches < last {
				t.Errorf("%d: %v rows: %d batches after %d", major, rows, batches, last)
			}
			last = batches
		}
		if last == 1 {
			t.Errorf("%d: never more than one batch", major)
		}
	}
}
