package cost_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/planner/cost"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// scanArgs are the arguments of a command in testdata/scans.
type scanArgs struct {
	t *testing.T
	d *datadriven.TestData
}

func (a scanArgs) float(key string, otherwise float64) float64 {
	a.t.Helper()
	for _, arg := range a.d.CmdArgs {
		if arg.Key != key {
			continue
		}
		f, err := strconv.ParseFloat(arg.Vals[0], 64)
		if err != nil {
			a.d.Fatalf(a.t, "%s: %v", key, err)
		}
		return f
	}
	return otherwise
}

func (a scanArgs) params() cost.Params {
	major := int(a.float("version", 16))
	s := stats.DefaultSettings(major)
	s.WorkMem = int(a.float("work_mem", float64(s.WorkMem)))
	s.EnableSeqScan = !a.d.HasArg("noseqscan")
	s.EnableSort = !a.d.HasArg("nosort")
	return cost.Params{Settings: s, Major: major}
}

func (a scanArgs) scan() cost.Scan {
	return cost.Scan{
		Rows: a.float("rows", 1), Pages: a.float("pages", 1), Tuples: a.float("tuples", 1),
		Qual:    rel.QualCost{Startup: a.float("qualstart", 0), PerTuple: a.float("qual", 0)},
		Target:  rel.QualCost{PerTuple: a.float("target", 0)},
		Workers: int(a.float("workers", 0)),
	}
}

func (a scanArgs) probe() cost.IndexProbe {
	return cost.IndexProbe{
		Pages: a.float("ipages", 1), Tuples: a.float("ituples", 1), Height: int(a.float("height", 0)),
		Selectivity: a.float("sel", 1), IndexTuples: a.float("visited", 1), Descents: a.float("descents", 1),
		LoopCount: a.float("loops", 1), Quals: int(a.float("quals", 1)), Correlation: a.float("corr", 0),
		TotalTablePages: a.float("total", a.float("pages", 1)),
	}
}

func (a scanArgs) input() cost.Estimate {
	return cost.Estimate{Startup: a.float("instart", 0), Total: a.float("intotal", 0), Rows: a.float("rows", 1)}
}

// bitmap is a bitmap index scan as the commands define it.
func (a scanArgs) bitmap(prefix string) *rel.IndexPath {
	return &rel.IndexPath{
		PathBase: rel.PathBase{Rows: a.float(prefix+"rows", 1)}, Index: &rel.IndexOptInfo{Pages: a.float(prefix+"ipages", 1)},
		IndexTotal: a.float(prefix+"cost", 0), Selectivity: a.float(prefix+"sel", 1),
	}
}

// TestScans computes the costs of scans, sorts and gathers from numbers that a
// server's catalogs hold; what is expected is the same server's EXPLAIN.
//
// Each command computes one node: seqscan, btree, bitmapheap, bitmapor,
// values, function, cte, tid, tidrange, sample, sort, incremental, material,
// gather, gathermerge, append, mergeappend, pages (Mackert and Lohman), width.
func TestScans(t *testing.T) {
	t.Parallel()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	datadriven.RunTest(t, "testdata/scans", func(t *testing.T, d *datadriven.TestData) string {
		a := scanArgs{t, d}
		p := a.params()
		e, text := a.run(p, cat)
		if text != "" {
			return text + "\n"
		}
		out := fmt.Sprintf("cost=%.2f..%.2f rows=%.0f", e.Startup, e.Total, e.Rows)
		if e.Disabled > 0 {
			out += fmt.Sprintf(" disabled=%d", e.Disabled)
		}
		return out + "\n"
	})
}

func (a scanArgs) run(p cost.Params, cat *catalog.Catalog) (e cost.Estimate, text string) {
	in := cost.SortInput{
		Input: a.input(), Tuples: a.float("rows", 1), Width: int(a.float("width", 0)), LimitTuples: a.float("limit", -1),
	}
	switch a.d.Cmd {
	case "seqscan":
		return cost.SeqScan(p, a.scan()), ""
	case "btree":
		f := cost.IndexFetch{
			Scan: a.scan(), Search: cost.BTree(p, a.probe()), IndexPages: a.float("ipages", 1), LoopCount: a.float("loops", 1),
			IndexOnly: a.d.HasArg("only"), AllVisible: a.float("visible", 1), TotalTablePages: a.float("total", a.float("pages", 1)),
		}
		e, _ = cost.Index(p, f)
		return e, ""
	case "search":
		return cost.Estimate{Total: cost.BTree(p, a.probe()).Total, Rows: cost.ClampRows(a.float("sel", 1) * a.float("tuples", 1))}, ""
	case "bitmapheap", "bitmapand", "bitmapor":
		var b rel.Path = a.bitmap("a")
		if a.d.Cmd != "bitmapheap" {
			quals := []rel.Path{b, a.bitmap("b")}
			if a.d.Cmd == "bitmapand" {
				x := &rel.BitmapAndPath{Quals: quals}
				var est cost.Estimate
				est, x.Selectivity = cost.BitmapAnd(p, quals)
				est.Set(&x.PathBase)
				b = x
			} else {
				x := &rel.BitmapOrPath{Quals: quals}
				var est cost.Estimate
				est, x.Selectivity = cost.BitmapOr(p, quals)
				est.Set(&x.PathBase)
				b = x
			}
		}
		s := a.scan()
		return cost.BitmapHeap(p, s, cost.BitmapFetch(p, b, s.Pages, s.Tuples, a.float("loops", 1), s.Pages)), ""
	case "values":
		return cost.ValuesScan(p, a.scan()), ""
	case "function":
		return cost.FunctionScan(p, a.scan(), rel.QualCost{PerTuple: a.float("calls", p.CPUOperatorCost)}), ""
	case "cte":
		return cost.CTEScan(p, a.scan()), ""
	case "tid":
		return cost.TidScan(p, a.scan(), a.float("tids", 1), rel.QualCost{PerTuple: p.CPUOperatorCost}), ""
	case "tidrange":
		sel := a.float("sel", 1)
		s := a.scan()
		return cost.TidRangeScan(p, s, math.Ceil(sel*s.Pages), sel*s.Tuples, rel.QualCost{PerTuple: p.CPUOperatorCost}), ""
	case "sample":
		return cost.SampleScan(p, a.scan(), true), ""
	case "sort":
		return cost.Sort(p, in), ""
	case "incremental":
		return cost.IncrementalSort(p, in, a.float("groups", 1)), ""
	case "material":
		return cost.Material(p, in.Input, in.Tuples, in.Width), ""
	case "gather":
		return cost.Gather(p, a.input(), a.float("rows", 1)), ""
	case "gathermerge":
		return cost.GatherMerge(p, a.input(), a.float("rows", 1), int(a.float("workers", 2))), ""
	case "append":
		var subs []rel.Path
		for range int(a.float("inputs", 1)) {
			s := &rel.SeqScanPath{}
			a.input().Set(&s.PathBase)
			subs = append(subs, s)
		}
		return cost.Append(p, cost.AppendInput{Subs: subs, FirstPartial: len(subs)}), ""
	case "mergeappend":
		return cost.MergeAppend(p, a.input(), int(a.float("inputs", 2))), ""
	case "pages":
		return e, fmt.Sprintf("%g", p.IndexPagesFetched(a.float("tuples", 1), a.float("pages", 1), a.float("ipages", 0), a.float("total", 1)))
	case "width":
		return e, strconv.Itoa(cost.TypeWidth(cat, pgtype.OID(a.float("type", 0)), pgtype.Typmod(a.float("mod", -1))))
	case "elements":
		return e, strconv.Itoa(cost.CountElements(a.d.Input))
	}
	a.d.Fatalf(a.t, "unknown command %s", a.d.Cmd)
	return e, ""
}

// TestClampRows: row counts are whole, at least one and never infinite.
func TestClampRows(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]float64{
		-3: 1, 0: 1, 0.99: 1, 1.5: 2, 2.5: 2, 3.5: 4, 1e9 + 0.4: 1e9, math.Inf(1): 1e100,
	} {
		if got := cost.ClampRows(in); got != want {
			t.Errorf("%g: got %g, want %g", in, got, want)
		}
	}
	if got := cost.ClampRows(math.NaN()); got != 1e100 {
		t.Errorf("NaN: %g", got)
	}
}
