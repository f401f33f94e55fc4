package eval_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/eval"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const zone = "America/New_York"

// samples are values of each type in the form its output function prints.
var samples = map[pgtype.OID][]string{
	pgtype.BoolOID:        {"t", "f"},
	pgtype.Int2OID:        {"0", "7", "-3", "32767"},
	pgtype.Int4OID:        {"0", "3", "-2", "1", "40", "2147483647"},
	pgtype.Int8OID:        {"0", "5", "-9", "12", "9223372036854775807"},
	pgtype.Float4OID:      {"0", "1.5", "-2.25", "1e+20"},
	pgtype.Float8OID:      {"0", "2.5", "-3.7", "0.1", "1e+300", "1700000000.25"},
	pgtype.NumericOID:     {"0", "2.50", "-1.005", "100", "12345678901234567890.123"},
	pgtype.TextOID:        {"", "Hello World", "hello%", "^H.*o", "a_b", "x", "day", "month", "year", "hour", "week", "quarter", "dow", "isodow", "doy", "minute", "Europe/Berlin", "naïve café", "abcabc", "bc"},
	pgtype.VarcharOID:     {"", "some words", "naïve"},
	pgtype.BpcharOID:      {"ab   ", "hello"},
	pgtype.NameOID:        {"some_name"},
	pgtype.ByteaOID:       {`\x6162`, `\x2562`, `\x`},
	pgtype.TimetzOID:      {"13:14:15.987654-05"},
	pgtype.DateOID:        {"2000-01-01", "2024-02-29", "1999-12-31", "2025-03-09"},
	pgtype.TimeOID:        {"00:00:00", "13:14:15.123456"},
	pgtype.TimestampOID:   {"2024-02-29 12:34:56.789", "2025-03-09 02:30:00", "1999-12-31 23:59:59.999999", "2025-11-02 01:30:00"},
	pgtype.TimestamptzOID: {"2024-02-29 12:34:56.789-05", "2025-03-09 03:30:00-04", "1970-01-01 00:00:00-05", "2025-11-02 01:30:00-05"},
	pgtype.IntervalOID:    {"1 mon", "-1 days", "1 year 2 mons 3 days 04:05:06.5", "12:00:00", "31 days"},
	pgtype.Int4ArrayOID:   {"{}", "{1,2,3}", "{2,NULL}", "{3}"},
	pgtype.JsonbOID:       {`{"a": 1, "b": [1, 2]}`, `{"a": 1.0}`, `[1, "x"]`, `"x"`, `{}`},
}

func sampleType(t pgtype.OID) pgtype.OID {
	switch t {
	case pgtype.AnyarrayOID, pgtype.AnycompatiblearrayOID:
		return pgtype.Int4ArrayOID
	case pgtype.AnyelementOID, pgtype.AnycompatibleOID:
		return pgtype.Int4OID
	}
	return t
}

// TestListedFunctions holds every listed function against the server: what is
// folded has the server's value, and nothing is folded that the server refuses.
func TestListedFunctions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn := db.Conn()
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "SET timezone = '"+zone+"'"); err != nil {
		t.Fatal(err)
	}
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	base, err := builtin.Load(version / 10000)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	settings := stats.DefaultSettings(version / 10000)
	settings.TimeZone = zone
	g := &rel.Global{Catalog: cat, VersionNum: version, Settings: settings, Stats: &stats.Bound{CollectedAt: time.Now()}}
	listed := eval.Listed()
	seen := map[string]int{}
	calls := 0
	for oid := pgtype.OID(1); oid < 12000; oid++ {
		fn := cat.Func(oid)
		if fn == nil || !slices.Contains(listed, fn.Source) || fn.Language != "internal" || fn.Kind != 'f' || len(fn.Args) == 0 {
			continue
		}
		for _, args := range combinations(fn.Args) {
			calls++
			if check(t, conn, g, fn, args) {
				seen[fn.Source]++
			}
		}
	}
	for _, name := range listed {
		if seen[name] == 0 && name != "now" && name != "statement_timestamp" {
			t.Errorf("%s was never folded", name)
		}
	}
	t.Logf("%d calls of %d functions", calls, len(listed))
}

// combinations gives argument lists of sample values, not all of them.
func combinations(types []pgtype.OID) [][]string {
	lists := [][]string{nil}
	for i, typ := range types {
		values := samples[sampleType(typ)]
		if len(types) > 3 && len(values) > 2 {
			values = values[:2]
		}
		var next [][]string
		for _, l := range lists {
			for _, v := range values {
				next = append(next, append(slices.Clip(l), v))
			}
		}
		lists = next
		if i == len(types)-1 && len(lists) > 100 {
			var few [][]string
			for k := 0; k < len(lists); k += len(lists)/100 + 1 {
				few = append(few, lists[k])
			}
			lists = few
		}
	}
	return lists
}

func check(t *testing.T, conn *pgx.Conn, g *rel.Global, fn *catalog.Func, values []string) (folded bool) {
	t.Helper()
	args := make([]query.Expr, len(values))
	texts := make([]string, len(values))
	for i, v := range values {
		typ := g.Catalog.Type(sampleType(fn.Args[i]))
		args[i] = &query.Const{Header: query.Header{Typ: typ.OID, Mod: -1, Coll: typ.Collation}, Value: v, Len: typ.Len, ByVal: typ.ByVal}
		texts[i] = fmt.Sprintf("'%s'::%s", strings.ReplaceAll(v, "'", "''"), typ.Name)
		if typ.IsArray() {
			texts[i] = fmt.Sprintf("'%s'::%s[]", v, g.Catalog.Type(typ.Element).Name)
		}
	}
	e := &query.FuncExpr{Header: query.Header{Typ: sampleType(fn.Result), Mod: -1}, Func: fn.OID, InputColl: pgtype.DefaultCollation, Args: args}
	c, ok := eval.Estimate(g, e).(*query.Const)
	if !ok {
		return false
	}
	sql := fmt.Sprintf(`SELECT pg_catalog."%s"(%s)`, fn.Name, strings.Join(texts, ", "))
	rows, err := conn.Query(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Errorf("%s: folded to %q, the server says %v", sql, c.Value, err)
		return true
	}
	got, null := "", true
	for rows.Next() {
		if raw := rows.RawValues()[0]; raw != nil {
			got, null = string(raw), false
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		t.Errorf("%s: folded to %q, the server says %v", sql, c.Value, err)
		return true
	}
	if null != c.Null || got != c.Value {
		t.Errorf("%s: folded to %q (null %v), the server says %q (null %v)", sql, c.Value, c.Null, got, null)
	}
	return true
}
