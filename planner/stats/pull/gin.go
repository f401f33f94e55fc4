package pull

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/dbgen/dbgen/planner/stats"
)

// ginProbe asks the server for the costs of two searches of one GIN index: for
// one entry, and for all that there are.
type ginProbe struct {
	x          *index
	one, whole string // conditions
}

// probeGIN has the server itself tell what a GIN index's metapage counts, from
// which it works out costs (gincostestimate, selfuncs.c): once with a page at 1
// and processing free, once the other way round, the latter since 16, which is
// why the counts stay unknown before. An index whose answers fit no counts stays
// unknown, too.
func (p *puller) probeGIN(ctx context.Context) error {
	if p.file.Server.VersionNum < 160000 {
		return nil
	}
	probes, err := p.ginProbes(ctx)
	if err != nil || len(probes) == 0 {
		return err
	}
	var sqls []string
	for _, g := range probes {
		for _, cond := range []string{g.one, g.whole} {
			sqls = append(sqls, "EXPLAIN (FORMAT JSON) SELECT 1 FROM ONLY "+g.x.table.sql()+" WHERE "+cond)
		}
	}
	off := []string{
		"seq_page_cost", "0", "cpu_tuple_cost", "0", "cpu_index_tuple_cost", "0", "enable_seqscan", "off",
		"enable_indexscan", "off", "enable_bitmapscan", "on", "max_parallel_workers_per_gather", "0", "jit", "off",
	}
	var costs [2][]float64 // by pages, by processing; NaN where unknown
	for round, set := range [][]string{
		{"random_page_cost", "1", "cpu_operator_cost", "0"}, {"random_page_cost", "0", "cpu_operator_cost", "1"},
	} {
		if err := p.set(ctx, append(set, off...)...); err != nil {
			return err
		}
		costs[round] = make([]float64, len(sqls))
		err := p.batch(ctx, sqls, func(i int, row [][]byte) {
			costs[round][i] = math.NaN()
			var plans []struct{ Plan planNode }
			if len(row) != 1 || json.Unmarshal(row[0], &plans) != nil || len(plans) != 1 {
				return
			}
			if scan := plans[0].Plan.scan(); scan != nil && scan.Index == probes[i/2].x.name {
				costs[round][i] = scan.Total
			}
		})
		if err != nil {
			return err
		}
	}
	for i, g := range probes {
		g.x.x.GIN = solveGIN(g.x.x.Pages, costs[0][2*i], costs[1][2*i], costs[0][2*i+1], costs[1][2*i+1])
	}
	return nil
}

// solveGIN finds the counts under which two searches cost what they do. With n
// entries in the index, d = ceil(log2(n)), f pages pending and p pages read for
// each entry, a search for k entries that reads r pages of rows costs
//
//	pages       f + k*p + r
//	processing  2*d*k + 100*(f + k*p) + 50*k + 50*r + k
//
// so that processing - 50*pages is (2*d + 50*p + 51)*k + 50*f, where k is 1 for
// one entry and n for all. nil if nothing or more than one thing fits.
func solveGIN(pages, pagesOne, cpuOne, pagesAll, cpuAll float64) *stats.GIN {
	one, all := cpuOne-50*pagesOne-51, cpuAll-50*pagesAll
	if math.IsNaN(one) || math.IsNaN(all) || one < 0 {
		return nil
	}
	// 2*d is below 50 for any index that could be.
	both := math.Floor(one / 50)
	descent := one - 50*both
	var found *stats.GIN
	for perEntry := 1.0; perEntry <= both; perEntry++ {
		pending := both - perEntry
		n := (all - 50*pending) / (descent + 50*perEntry + 51)
		if n < 1 || n != math.Floor(n) || 2*math.Ceil(math.Log(n)/math.Log(2)) != descent {
			continue
		}
		data := pagesAll - pending - n*perEntry
		if data < 0 || found != nil {
			return nil
		}
		found = &stats.GIN{
			PendingPages: pending, TotalPages: pages, EntryPages: entryPages(pages-pending-data-1, perEntry),
			DataPages: data, Entries: n, EntryPagesGuessed: true,
		}
	}
	return found
}

// entryPages is the largest number up to most of which the server makes so many
// pages to read for an entry: rint(n^0.15).
func entryPages(most, perEntry float64) float64 {
	n := max(most, 1)
	for n > 1 && math.RoundToEven(math.Pow(n, 0.15)) > perEntry {
		n--
	}
	return n
}

// ginProbes lists the GIN indexes that can be asked: on one plain column, whole,
// with an operator class of the server that takes a search for everything.
func (p *puller) ginProbes(ctx context.Context) ([]ginProbe, error) {
	byOID := map[uint32]*index{}
	for _, x := range p.indexList {
		if x.storage && x.method == "gin" && x.x.Pages > 0 && x.x.GIN == nil {
			byOID[x.oid] = x
		}
	}
	if len(byOID) == 0 {
		return nil, nil
	}
	rows, err := p.tx.Query(ctx, `
		SELECT i.indexrelid, quote_ident(a.attname), oc.opcname::text, coalesce(et.typname, '')::text
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am am ON am.oid = c.relam AND am.amname = 'gin'
		JOIN pg_opclass oc ON oc.oid = i.indclass[0] AND oc.opcnamespace = 'pg_catalog'::regnamespace
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
		JOIN pg_type t ON t.oid = a.atttypid
		LEFT JOIN pg_type et ON et.oid = t.typelem AND et.typnamespace = 'pg_catalog'::regnamespace
		WHERE i.indnatts = 1 AND i.indpred IS NULL AND i.indisvalid
		ORDER BY i.indexrelid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ginProbe
	for rows.Next() {
		var oid uint32
		var column, class, elem string
		if err := rows.Scan(&oid, &column, &class, &elem); err != nil {
			return nil, err
		}
		x := byOID[oid]
		one, whole, ok := ginSearches(class, elem)
		if x == nil || !ok {
			continue
		}
		out = append(out, ginProbe{x: x, one: fmt.Sprintf("%s %s", column, one), whole: fmt.Sprintf("%s %s", column, whole)})
	}
	return out, rows.Err()
}

// ginSearches are what a column is compared with to search for one entry, and
// for all of them.
func ginSearches(class, elem string) (one, whole string, ok bool) {
	switch class {
	case "array_ops":
		switch elem {
		case "text", "varchar", "bpchar":
			return "@> '{x}'", "@> '{}'", true
		case "int2", "int4", "int8", "numeric", "float4", "float8":
			return "@> '{1}'", "@> '{}'", true
		case "uuid":
			return "@> '{00000000-0000-0000-0000-000000000000}'", "@> '{}'", true
		}
	case "jsonb_ops":
		return "? 'x'", "@> '{}'", true
	case "jsonb_path_ops":
		return `@> '{"x": 1}'`, "@> '{}'", true
	case "tsvector_ops":
		return "@@ 'x'::tsquery", "@@ '!x'::tsquery", true
	}
	return "", "", false
}
