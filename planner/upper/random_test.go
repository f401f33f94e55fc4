package upper_test

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/planner/internal/plantest"
)

// gen makes up queries.
type gen struct{ *rand.Rand }

func (g gen) pick(l ...string) string { return l[g.Intn(len(l))] }
func (g gen) some(p int) bool         { return g.Intn(100) < p }

// from is a FROM with its integer columns and others.
func (g gen) from() (from string, ints, others []string) {
	switch g.Intn(7) {
	case 0:
		return "a", []string{"a.id", "a.k", "a.g"}, []string{"a.t", "a.at"}
	case 1:
		return "b", []string{"b.x", "b.y"}, []string{"b.n", "b.f", "b.big", "b.c", "b.flag"}
	case 2:
		return "a JOIN c ON c.a = a.id", []string{"a.id", "a.k", "a.g", "c.b", "c.id"}, []string{"a.t", "c.s"}
	case 3:
		return "a LEFT JOIN c ON c.a = a.id AND c.b < 50", []string{"a.id", "a.k", "a.g", "c.b"}, []string{"a.t", "c.s"}
	case 4:
		return "p", []string{"p.id", "p.n"}, []string{"p.at"}
	case 5:
		return "(SELECT x, y, count(*)::int AS m FROM b GROUP BY x, y) q", []string{"q.x", "q.y", "q.m"}, []string{"q.x + 1"}
	}
	return "b JOIN a ON a.k = b.x", []string{"a.id", "a.k", "a.g", "b.x", "b.y"}, []string{"b.n", "a.t"}
}

func (g gen) cols(ints, others []string, n int) []string {
	all := append(append([]string{}, ints...), others...)
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

func (g gen) where(ints []string) string {
	if g.some(50) {
		return ""
	}
	c := g.pick(ints...)
	w := fmt.Sprintf(" WHERE %s %s %d", c, g.pick("=", "<", ">", "<>"), g.Intn(300))
	if g.some(30) {
		w += fmt.Sprintf(" AND %s = %s", g.pick(ints...), g.pick(ints...))
	}
	return w
}

func (g gen) tail(cols []string) string {
	s := ""
	if g.some(60) {
		n := 1 + g.Intn(len(cols))
		var keys []string
		for _, i := range g.Perm(len(cols))[:n] {
			keys = append(keys, fmt.Sprintf("%d%s", i+1, g.pick("", " DESC", " DESC NULLS LAST", "")))
		}
		s += " ORDER BY " + strings.Join(keys, ", ")
	}
	if g.some(40) {
		s += fmt.Sprintf(" LIMIT %d", 1+g.Intn(500))
	}
	if g.some(10) {
		s += fmt.Sprintf(" OFFSET %d", g.Intn(50))
	}
	return s
}

func (g gen) query() string {
	from, ints, others := g.from()
	aggs := []string{
		"count(*)", "sum(" + g.pick(ints...) + ")", "max(" + g.pick(ints...) + ")", "count(DISTINCT " + g.pick(ints...) + ")",
		"avg(" + g.pick(ints...) + ")", "array_agg(" + g.pick(ints...) + " ORDER BY " + g.pick(ints...) + ")", "min(" + g.pick(others...) + "::text)",
		"count(*) FILTER (WHERE " + g.pick(ints...) + " > 5)",
	}
	switch g.Intn(7) {
	case 0, 1: // group
		keys := g.cols(ints, others, 1+g.Intn(3))
		out := append([]string{}, keys...)
		for range g.Intn(3) {
			out = append(out, g.pick(aggs...))
		}
		having := ""
		if g.some(25) {
			having = fmt.Sprintf(" HAVING count(*) > %d", g.Intn(20))
		}
		group := strings.Join(keys, ", ")
		if g.some(15) {
			group = g.pick("ROLLUP", "CUBE") + " (" + group + ")"
		}
		return "SELECT " + g.pick("", "", "", "DISTINCT ") + strings.Join(out, ", ") + " FROM " + from + g.where(ints) + " GROUP BY " + group + having + g.tail(out)
	case 2: // plain aggregates
		var out []string
		for range 1 + g.Intn(3) {
			out = append(out, g.pick(aggs...))
		}
		return "SELECT " + strings.Join(out, ", ") + " FROM " + from + g.where(ints)
	case 3: // distinct
		out := g.cols(ints, others, 1+g.Intn(3))
		return "SELECT DISTINCT " + strings.Join(out, ", ") + " FROM " + from + g.where(ints) + g.tail(out)
	case 4: // windows
		out := g.cols(ints, others, 1+g.Intn(2))
		for range 1 + g.Intn(2) {
			f := g.pick("row_number()", "rank()", "sum("+g.pick(ints...)+")", "count(*)", "lag("+g.pick(ints...)+")")
			w := ""
			if g.some(60) {
				w += "PARTITION BY " + g.pick(ints...)
			}
			if g.some(60) {
				w += " ORDER BY " + g.pick(ints...)
			}
			out = append(out, f+" OVER ("+w+")")
		}
		return "SELECT " + strings.Join(out, ", ") + " FROM " + from + g.where(ints) + g.tail(out)
	case 5: // set operation
		from2, ints2, _ := g.from()
		n := 1 + g.Intn(2)
		return "SELECT " + strings.Join(g.cols(ints, nil, n), ", ") + " FROM " + from + g.where(ints) +
			" " + g.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL") +
			" SELECT " + strings.Join(g.cols(ints2, nil, n), ", ") + " FROM " + from2 + g.where(ints2) + g.tail(make([]string, n))
	}
	out := g.cols(ints, others, 1+g.Intn(4))
	if g.some(20) {
		out = append(out, g.pick("random()", "generate_series(1, "+g.pick(ints...)+")", "md5("+g.pick(others...)+"::text)", "(SELECT count(*) FROM c WHERE c.b = "+g.pick(ints...)+")"))
	}
	return "SELECT " + strings.Join(out, ", ") + " FROM " + from + g.where(ints) + g.tail(out)
}

// TestRandomQueries holds the plans of generated queries against the server's.
// Queries that the server refuses are passed over.
func TestRandomQueries(t *testing.T) {
	t.Parallel()
	f := plantest.New(t, schema, data)
	g := gen{rand.New(rand.NewSource(1))}
	var n plantest.Tally
	for _, set := range settings {
		s := f.Set(t, set)
		for range 60 {
			sql := g.query()
			if _, err := f.Conn.Exec(context.Background(), "EXPLAIN "+sql, pgx.QueryExecModeSimpleProtocol); err != nil {
				continue
			}
			f.Compare(t, &n, set, sql, s)
		}
	}
	t.Log(n)
}
