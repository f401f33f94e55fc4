package main

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

var (
	mutateFor  = flag.Duration("mutate", 0, "how long TestMutations runs; 0 is a fixed number of statements")
	mutateSeed = flag.Uint64("mutateseed", 1, "its seed; 0 is the time")
)

// mutations is how many statements TestMutations looks at in an ordinary run.
const mutations = 3000

// mutator makes new statements of those in the case files.
type mutator struct {
	r          *rand.Rand
	statements []string
	words      []string // columns, tables and functions
	types      []string
}

func newMutator(t *testing.T, cat *catalog.Catalog, seed uint64) *mutator {
	t.Helper()
	m := &mutator{r: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // nothing to guess
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := readCases(string(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if strings.HasPrefix(c.answers[cat.Major], "ok") && len(c.comments) == 0 {
				m.statements = append(m.statements, c.sql)
			}
		}
	}
	for _, x := range cat.Tables() {
		if x.Schema != "public" {
			continue
		}
		m.words = append(m.words, x.Name)
		for _, c := range x.Columns {
			m.words = append(m.words, c.Name)
		}
	}
	m.words = append(m.words, strings.Fields(`add_one overloaded twice defs vari vari_any poly compat ranged pairs outs
		some_ints where_is full_label takes_mood takes_addr takes_domain lower upper length sum count min max avg coalesce
		array_agg abs round now unnest generate_series to_char nullif greatest row_number jsonb_build_object to_json substring
		date_trunc left array_append array_length lag percentile_cont string_agg concat format`)...)
	m.types = strings.Fields(`int bigint text varchar(5) numeric(8,2) date timestamptz timestamp interval boolean jsonb json mood
		positive label address customer int[] text[] daterange bytea float8 real smallint uuid inet "char" name regclass point
		tag_list int4range record tsvector bit(3) char(2) time oid`)
	return m
}

func pick[T any](m *mutator, list []T) T { return list[m.r.IntN(len(list))] }

func operators() []string {
	return strings.Fields(`= <> < > + - * / || -> ->> @> && ~ % | # <@ ? @@ !~ << IN LIKE AND OR`)
}

func literals() []string {
	return []string{
		"1", "2.5", "'a'", "'1'", "NULL", "true", "'{}'", "'2020-01-01'", "'1 day'", "$1", "$2", "$3", "ARRAY[1]", "ARRAY['a']",
		"(1, 'a')", "now()", "current_date", "'{1,2}'", "(SELECT 1)", "(SELECT 'a')", "-5", "99999999999", "''", "DEFAULT",
		"ROW(1, 2)", "'[1,5)'", "1::smallint", "'a'::text", "x'1F'", "CASE WHEN true THEN 1 END",
	}
}

// next is a statement with up to three changes.
func (m *mutator) next() string {
	sql := pick(m, m.statements)
	for range 1 + m.r.IntN(3) {
		sql = m.change(sql)
	}
	if m.r.IntN(4) == 0 {
		sql = m.graft(sql)
	}
	if m.r.IntN(5) == 0 {
		sql += " " + pick(m, endings())
	}
	switch m.r.IntN(12) {
	case 0:
		return "SELECT * FROM (" + sql + ") AS q"
	case 1:
		return "WITH w AS (" + sql + ") SELECT * FROM w"
	case 2:
		return sql + " UNION " + pick(m, m.statements)
	case 3:
		return "SELECT (" + sql + ")"
	}
	return sql
}

func endings() []string {
	return []string{
		"ORDER BY 1", "ORDER BY 2 DESC", "GROUP BY 1", "GROUP BY 1, 2", "LIMIT $1", "FOR UPDATE", "OFFSET 1", "RETURNING *", "WHERE id = $1",
		"HAVING count(*) > 1", "GROUP BY id", "ORDER BY name, id", "WHERE true", "AND id = $1", "WINDOW w AS (ORDER BY id)", "GROUP BY ROLLUP (1)",
		"ON CONFLICT DO NOTHING", "ON CONFLICT (id) DO UPDATE SET name = excluded.name", "FETCH FIRST 1 ROW WITH TIES", ", orders", "AS x(a, b)",
	}
}

// brackets finds a bracket and its partner, and returns what is between.
func (m *mutator) brackets(sql string) (start, end int) {
	var opens []int
	for i := range sql {
		if sql[i] == '(' {
			opens = append(opens, i)
		}
	}
	if len(opens) == 0 {
		return -1, -1
	}
	start = pick(m, opens)
	depth := 0
	for i := start; i < len(sql); i++ {
		switch sql[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return start + 1, i
			}
		}
	}
	return -1, -1
}

// graft puts what another statement has in brackets into brackets of this one.
func (m *mutator) graft(sql string) string {
	other := pick(m, m.statements)
	from, to := m.brackets(other)
	start, end := m.brackets(sql)
	if from < 0 || start < 0 {
		return sql
	}
	return sql[:start] + other[from:to] + sql[end:]
}

// change replaces, removes or adds one piece of a statement.
func (m *mutator) change(sql string) string {
	var pieces []source.Piece
	l := source.NewLexer(sql, 0)
	for {
		p, ok := l.Next()
		if !ok {
			break
		}
		if p.Kind != source.Space {
			pieces = append(pieces, p)
		}
	}
	if len(pieces) < 2 {
		return sql
	}
	p := pick(m, pieces[1:])
	before, text, after := sql[:p.Span.Start], sql[p.Span.Start:p.Span.End], sql[p.Span.End:]
	switch m.r.IntN(8) {
	case 0:
		return before + text + "::" + pick(m, m.types) + after
	case 1:
		return before + text + " " + pick(m, operators()) + " " + pick(m, literals()) + after
	case 2:
		return before + pick(m, literals()) + after
	case 3:
		q := pick(m, pieces)
		return before + sql[q.Span.Start:q.Span.End] + after
	case 4:
		if m.r.IntN(3) == 0 {
			return before + after
		}
	}
	switch {
	case p.Kind == source.Word && text[0] >= 'a' && text[0] <= 'z':
		return before + pick(m, m.words) + after
	case p.Kind == source.Word && text[0] >= '0' && text[0] <= '9', p.Kind == source.StringConst:
		return before + pick(m, literals()) + after
	case strings.ContainsAny(text, "=<>+-*/|"):
		return before + pick(m, operators()) + after
	}
	return before + text + after
}

// TestMutations holds analysis of changed statements against the server at hand.
func TestMutations(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := newServer(ctx, pgtest.New(t).Conn(), readSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	cat := loadSchema(t, s.major)
	seed := *mutateSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) //nolint:gosec // any bits will do
	}
	m := newMutator(t, cat, seed)
	n, failed := 0, 0
	end := time.Now().Add(*mutateFor)
	for ; failed < 30 && (n < mutations || time.Now().Before(end)); n++ {
		sql := m.next()
		if strings.HasPrefix(sql, "SHOW") || strings.Contains(sql, "$99999999999") {
			continue // parameters are the server's, and no grammar reads such a number
		}
		want, err := s.ask(ctx, sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if strings.HasPrefix(want, "error 42601") {
			continue // the grammar's own words
		}
		got := answer(cat, sql, want)
		if got != want && !strings.Contains(got, "not supported yet") {
			failed++
			t.Errorf("PostgreSQL %d: %s\n(-server +analysis)\n%s", s.major, sql, cmp.Diff(want, got))
		}
	}
	t.Logf("seed %d: %d statements", seed, n)
}
