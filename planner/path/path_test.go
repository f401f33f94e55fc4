package path_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/path"
	"github.com/dbgen/dbgen/planner/rel"
)

// randomPaths makes paths of one relation with costs and properties from small
// ranges, so that many are equal or nearly so.
func randomPaths(r *rand.Rand, rl *rel.RelOptInfo, n int) []rel.Path {
	keys := []*rel.PathKey{{}, {}, {}}
	params := []*rel.ParamPathInfo{nil, nil}
	for i := range 3 {
		params = append(params, &rel.ParamPathInfo{RequiredOuter: query.MakeRelids(2, 3+i%2)})
	}
	params = append(params, &rel.ParamPathInfo{RequiredOuter: query.MakeRelids(2)})
	var out []rel.Path
	for range n {
		p := &rel.SeqScanPath{}
		p.Parent = rl
		p.Startup = float64(r.IntN(4)) * 10 * (1 + float64(r.IntN(3))/200)
		p.Total = p.Startup + float64(r.IntN(6)*20)*(1+float64(r.IntN(3))/200)
		p.Rows = float64(1 + r.IntN(2))
		p.PathKeys = keys[:r.IntN(4)]
		if r.IntN(4) == 0 {
			p.PathKeys = keys[2:]
		}
		p.Param = params[r.IntN(len(params))]
		p.ParallelSafe = r.IntN(2) == 0
		p.DisabledNodes = r.IntN(8) / 7
		out = append(out, p)
	}
	return out
}

// TestAddPath: whatever is offered, what is kept is sorted, holds nothing twice,
// and for each path left out one that is kept is as cheap within the fuzz, as
// well ordered and as little parameterised.
func TestAddPath(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		rl := &rel.RelOptInfo{ConsiderStartup: r.IntN(2) == 0, ConsiderParamStartup: r.IntN(2) == 0}
		offered := randomPaths(r, rl, 1+r.IntN(12))
		for _, p := range offered {
			path.AddPath(rl, p)
		}
		if len(rl.Paths) == 0 {
			t.Fatal("nothing was kept")
		}
		for i, p := range rl.Paths {
			if slices.Index(rl.Paths, p) != i {
				t.Fatal("a path is kept twice")
			}
			if i == 0 {
				continue
			}
			a, b := rl.Paths[i-1].Base(), p.Base()
			if a.DisabledNodes > b.DisabledNodes || a.DisabledNodes == b.DisabledNodes && a.Total > b.Total {
				t.Fatalf("not sorted: %v before %v", a.Total, b.Total)
			}
		}
		for _, p := range offered {
			if !slices.Contains(rl.Paths, p) && !slices.ContainsFunc(rl.Paths, func(q rel.Path) bool { return covers(q.Base(), p.Base()) }) {
				t.Fatalf("nothing that is kept stands for %+v", p.Base())
			}
		}
	}
}

// covers reports whether a kept path may stand for one that was left out. The
// fuzz adds up where a path was dropped for one that was dropped in turn.
func covers(kept, p *rel.PathBase) bool {
	const fuzz = 1.05
	// A chain of paths, of which each beat the one before, may pass through one
	// whose start does not matter.
	startup := p.Parent.ConsiderStartup && p.Parent.ConsiderParamStartup
	keys := p.PathKeys
	if p.Param != nil {
		keys = nil
	}
	have := kept.PathKeys
	if kept.Param != nil {
		have = nil
	}
	ordered := len(have) >= len(keys) && slices.Equal(have[:len(keys)], keys)
	return kept.DisabledNodes <= p.DisabledNodes &&
		(kept.DisabledNodes < p.DisabledNodes || kept.Total <= p.Total*fuzz && (!startup || kept.Startup <= p.Startup*fuzz)) &&
		ordered && kept.RequiredOuter().IsSubset(p.RequiredOuter())
}

// TestAddPathPrecheck: what the precheck refuses, AddPath would not keep.
func TestAddPathPrecheck(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	refused := 0
	for range 2000 {
		rl := &rel.RelOptInfo{ConsiderStartup: r.IntN(2) == 0, ConsiderParamStartup: r.IntN(2) == 0}
		for _, p := range randomPaths(r, rl, 8) {
			b := p.Base()
			b.Rows, b.ParallelSafe = 1, true // the precheck knows neither
			if b.Param != nil {
				b.Rows = 2 - float64(b.RequiredOuter().Len())/4
			}
			ok := path.AddPathPrecheck(rl, b.DisabledNodes, b.Startup, b.Total, b.PathKeys, b.RequiredOuter())
			path.AddPath(rl, p)
			if !ok {
				refused++
				if slices.Contains(rl.Paths, p) {
					t.Fatalf("refused but kept: %+v", b)
				}
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d refused", refused)
	}
}

// TestAddPartialPath: the cheapest partial path is always kept, and no two kept
// have the same order.
func TestAddPartialPath(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		rl := &rel.RelOptInfo{}
		offered := randomPaths(r, rl, 8)
		least, disabled := offered[0].Base().Total, 1
		for _, p := range offered {
			b := p.Base()
			if b.DisabledNodes < disabled || b.DisabledNodes == disabled && b.Total < least {
				least, disabled = b.Total, b.DisabledNodes
			}
			path.AddPartialPath(rl, p)
		}
		if first := rl.PartialPaths[0].Base(); first.DisabledNodes == disabled && first.Total > least*1.05 {
			t.Fatalf("cheapest kept costs %v, offered %v", first.Total, least)
		}
		for i, p := range rl.PartialPaths {
			for _, q := range rl.PartialPaths[:i] {
				if slices.Equal(p.Base().PathKeys, q.Base().PathKeys) {
					t.Fatal("two partial paths with the same order")
				}
			}
		}
	}
}

// TestSetCheapest: parameterised paths do not count where there are others.
func TestSetCheapest(t *testing.T) {
	t.Parallel()
	rl := &rel.RelOptInfo{ConsiderStartup: true}
	scan := func(startup, total float64, outer ...int) *rel.SeqScanPath {
		p := &rel.SeqScanPath{}
		p.Parent, p.Startup, p.Total, p.Rows = rl, startup, total, 1
		if len(outer) > 0 {
			p.Param = &rel.ParamPathInfo{RequiredOuter: query.MakeRelids(outer...)}
		}
		return p
	}
	slow, quick, param, more := scan(50, 60), scan(0, 100), scan(0, 1, 2), scan(0, 0.5, 2, 3)
	rl.Paths = []rel.Path{more, param, slow, quick}
	path.SetCheapest(rl)
	if rl.CheapestTotal != rel.Path(slow) || rl.CheapestStartup != rel.Path(quick) {
		t.Errorf("total %v, startup %v", rl.CheapestTotal.Base(), rl.CheapestStartup.Base())
	}
	if want := []rel.Path{slow, more, param}; !slices.Equal(rl.CheapestParam, want) {
		t.Errorf("parameterised: %v", rl.CheapestParam)
	}
	rl.Paths = []rel.Path{more, param}
	path.SetCheapest(rl)
	if rl.CheapestTotal != rel.Path(param) || rl.CheapestStartup != nil {
		t.Errorf("of parameterised paths the one with fewer parameters: %v", rl.CheapestTotal.Base())
	}
	if got := path.CompareFractionalPathCosts(slow, quick, 0.1); got != 1 {
		t.Errorf("a tenth of the rows: %d", got)
	}
}
