package golden_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/nullpgtype"
	"github.com/dbgen/dbgen/golden/nullsql"
	"github.com/dbgen/dbgen/golden/types"
	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// modes are the query modes of pgx; behind poolers others than the first are
// used.
func modes() map[string]pgx.QueryExecMode {
	return map[string]pgx.QueryExecMode{
		"cache statement": pgx.QueryExecModeCacheStatement, "cache describe": pgx.QueryExecModeCacheDescribe,
		"describe": pgx.QueryExecModeDescribeExec, "exec": pgx.QueryExecModeExec, "simple": pgx.QueryExecModeSimpleProtocol,
	}
}

// connect opens a connection to a database with a case's schema.
func connect(t *testing.T, name string, mode pgx.QueryExecMode) *pgx.Conn {
	t.Helper()
	return open(t, pgtest.New(t, pgtest.Files(name+"/sql/schema/*.sql")).URL, mode)
}

// open opens a connection in a query mode.
func open(t *testing.T, url string, mode pgx.QueryExecMode) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if mode == pgx.QueryExecModeSimpleProtocol {
		// pgx wants both for it.
		if _, err := conn.Exec(t.Context(), "SET standard_conforming_strings = on"); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

func number(t *testing.T, text string) pgtype.Numeric {
	t.Helper()
	var n pgtype.Numeric
	if err := n.Scan(text); err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	uuid  = pgtype.UUID{Bytes: [16]byte{0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, Valid: true}
	noon  = time.Date(2026, 3, 29, 12, 30, 15, 123456000, time.UTC)
	day   = time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)
	vec2  = pgtype.Vec2{X: 1.5, Y: -2}
	five  = pgtype.Int4{Int32: 5, Valid: true}
	spans = pgtype.Range[pgtype.Int4]{Lower: pgtype.Int4{Int32: 1, Valid: true}, Upper: five, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true}
)

// everything is a value of every type.
func everything(t *testing.T) types.AddEverythingParams {
	return types.AddEverythingParams{
		Bool: true, Int2: -2, Int4: 1 << 30, Int8: -1 << 62, Float4: 1.5, Float8: 0.1, Numeric: number(t, "12345.67"),
		Text: "a 'b' \\ \"c\" é", Varchar: "v", Char: "abc", Name: "n", Qchar: "q", Bytea: []byte{0, 1, 255},
		UUID: uuid, JSON: json.RawMessage(`{"a":1}`), Jsonb: json.RawMessage(`{"a": [1, null]}`), XML: "<a/>",
		Date: day, Time: pgtype.Time{Microseconds: 3_600_000_001, Valid: true}, Timetz: "10:00:00+02", Timestamp: noon, Timestamptz: noon,
		Interval: pgtype.Interval{Months: 1, Days: 2, Microseconds: 3, Valid: true}, Mood: types.MoodVeryHappy, Positive: 7,
		// A day of a zone far from UTC stays that day.
		Day: time.Date(2026, 3, 29, 0, 0, 0, 0, time.FixedZone("east", 14*3600)), Clock: noon, Label: "l",
		Inet: netip.MustParsePrefix("10.1.2.3/24"), Cidr: netip.MustParsePrefix("10.1.2.0/24"), Macaddr: "08:00:2b:01:02:03",
		Bit: pgtype.Bits{Bytes: []byte{0xa0}, Len: 4, Valid: true}, Varbit: pgtype.Bits{Bytes: []byte{0x80}, Len: 1, Valid: true},
		Point: pgtype.Point{P: vec2, Valid: true}, Box: pgtype.Box{P: [2]pgtype.Vec2{{X: 3, Y: 4}, {X: 1, Y: 2}}, Valid: true},
		Circle: pgtype.Circle{P: vec2, R: 3, Valid: true}, Oid: 1 << 31, Xid8: 1 << 63, Money: "$1.50", Lsn: "0/1",
		Tsvector: pgtype.TSVector{Lexemes: []pgtype.TSVectorLexeme{{Word: "a"}, {Word: "b", Positions: []pgtype.TSVectorPosition{{Position: 2, Weight: pgtype.TSVectorWeightA}}}}, Valid: true},
		Tsquery:  "'a' & 'b'", Jsonpath: `$."a"`, Regclass: "everything", Int4range: spans,
		Numrange: pgtype.Range[pgtype.Numeric]{Lower: number(t, "1.5"), LowerType: pgtype.Exclusive, UpperType: pgtype.Unbounded, Valid: true},
		Tstzrange: pgtype.Range[pgtype.Timestamptz]{
			Lower: pgtype.Timestamptz{Time: noon, Valid: true}, Upper: pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true},
			LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true,
		},
		Daterange: pgtype.Range[pgtype.Date]{LowerType: pgtype.Empty, UpperType: pgtype.Empty, Valid: true},
		Int8multi: pgtype.Multirange[pgtype.Range[pgtype.Int8]]{{
			Lower: pgtype.Int8{Int64: 1, Valid: true}, Upper: pgtype.Int8{Int64: 3, Valid: true},
			LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true,
		}},
		Ints: []int32{1, -2}, Texts: []string{"", "NULL", `a"b,{}`}, Moods: []types.Mood{types.MoodEmpty, types.MoodVeryHappy, types.MoodPlus},
		Positives: []int32{1}, Numerics: []pgtype.Numeric{number(t, "0.5")}, Times: []time.Time{noon}, UUIDs: []pgtype.UUID{uuid},
		JSONs: []json.RawMessage{json.RawMessage(`{"a": "b,c"}`)}, Byteas: [][]byte{{1}, {}}, Ranges: []pgtype.Range[pgtype.Int4]{spans},
	}
}

// same compares values as they mean: times by instant, numerics by value.
func same() cmp.Option {
	return cmp.Options{
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b pgtype.Numeric) bool {
			x, y := new(big.Rat), new(big.Rat)
			if a.Int == nil || b.Int == nil { // NULL, NaN or infinite
				return a == b
			}
			scale := func(r *big.Rat, n pgtype.Numeric) {
				r.SetInt(n.Int)
				ten := big.NewRat(10, 1)
				for e := n.Exp; e < 0; e++ {
					r.Quo(r, ten)
				}
				for e := n.Exp; e > 0; e-- {
					r.Mul(r, ten)
				}
			}
			scale(x, a)
			scale(y, b)
			return x.Cmp(y) == 0
		}),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	}
}

// TestEverything stores a value of every type and reads it back, in every query
// mode.
func TestEverything(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			q := types.New(connect(t, "types", mode))
			p := everything(t)
			got, err := q.AddEverything(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			want := types.Everything{
				ID: 1, Bool: p.Bool, Int2: p.Int2, Int4: p.Int4, Int8: p.Int8, Float4: p.Float4, Float8: p.Float8, Numeric: p.Numeric,
				Text: p.Text, Varchar: p.Varchar, Char: p.Char, Name: p.Name, Qchar: p.Qchar, Bytea: p.Bytea, UUID: p.UUID, JSON: p.JSON,
				Jsonb: p.Jsonb, XML: p.XML, Date: p.Date, Time: p.Time, Timetz: p.Timetz, Timestamp: p.Timestamp, Timestamptz: p.Timestamptz,
				Interval: p.Interval, Mood: p.Mood, Positive: p.Positive, Day: day, Clock: p.Clock, Label: p.Label, Inet: p.Inet,
				Cidr: p.Cidr, Macaddr: p.Macaddr, Bit: p.Bit, Varbit: p.Varbit, Point: p.Point, Box: p.Box, Circle: p.Circle, Oid: p.Oid,
				Xid8: p.Xid8, Money: p.Money, Lsn: p.Lsn, Tsvector: p.Tsvector, Tsquery: p.Tsquery, Jsonpath: p.Jsonpath,
				Regclass: p.Regclass, Int4range: p.Int4range, Numrange: p.Numrange, Tstzrange: p.Tstzrange, Daterange: p.Daterange,
				Int8multi: p.Int8multi, Ints: p.Ints, Texts: p.Texts, Moods: p.Moods, Positives: p.Positives, Numerics: p.Numerics,
				Times: p.Times, UUIDs: p.UUIDs, JSONs: p.JSONs, Byteas: p.Byteas, Ranges: p.Ranges,
			}
			if diff := cmp.Diff(want, got, same()); diff != "" {
				t.Error(diff)
			}
			again, err := q.GetEverything(ctx, got.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, again, same()); diff != "" {
				t.Error(diff)
			}
			if n, err := q.CountDays(ctx, p.Day, p.Clock); err != nil || n != 1 {
				t.Errorf("count by a domain: %d, %v", n, err)
			}
			if _, err := q.GetEverything(ctx, 99); !errors.Is(err, pgx.ErrNoRows) {
				t.Errorf("no row: %v", err)
			}
		})
	}
}

// TestPerhaps does the same with NULL everywhere, and with a value everywhere,
// for each form of NULL.
func TestPerhaps(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			conn := connect(t, "types", mode)
			full := everything(t)
			t.Run("pointer", func(t *testing.T) {
				q := types.New(conn)
				id, err := q.AddPerhaps(ctx, types.AddPerhapsParams{})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := q.GetPerhaps(ctx, id); err != nil {
					t.Fatal(err)
				} else if diff := cmp.Diff(types.Perhaps{ID: id}, got, same()); diff != "" {
					t.Error(diff)
				}
				p := types.AddPerhapsParams{
					Bool: &full.Bool, Int2: &full.Int2, Int4: &full.Int4, Int8: &full.Int8, Float4: &full.Float4, Float8: &full.Float8,
					Numeric: &full.Numeric, Text: &full.Text, Qchar: &full.Qchar, Bytea: full.Bytea, UUID: &full.UUID, JSON: full.JSON, Jsonb: full.Jsonb,
					XML: &full.XML, Date: &full.Date, Time: &full.Time, Timetz: &full.Timetz, Timestamp: &full.Timestamp,
					Timestamptz: &full.Timestamptz, Interval: &full.Interval, Mood: &full.Mood, Positive: &full.Positive, Day: &full.Day,
					Clock: &full.Clock, Inet: &full.Inet, Cidr: &full.Cidr, Macaddr: &full.Macaddr, Bit: &full.Bit, Point: &full.Point,
					Oid: &full.Oid, Xid8: &full.Xid8, Tsvector: &full.Tsvector, Int4range: &full.Int4range, Tstzrange: &full.Tstzrange,
					Int8multi: full.Int8multi, Ints: full.Ints, Texts: full.Texts, Moods: full.Moods,
				}
				if id, err = q.AddPerhaps(ctx, p); err != nil {
					t.Fatal(err)
				}
				got, err := q.GetPerhaps(ctx, id)
				if err != nil {
					t.Fatal(err)
				}
				want := types.Perhaps{
					ID: id, Bool: p.Bool, Int2: p.Int2, Int4: p.Int4, Int8: p.Int8, Float4: p.Float4, Float8: p.Float8, Numeric: p.Numeric,
					Text: p.Text, Qchar: p.Qchar, Bytea: p.Bytea, UUID: p.UUID, JSON: p.JSON, Jsonb: p.Jsonb, XML: p.XML, Date: p.Date, Time: p.Time,
					Timetz: p.Timetz, Timestamp: p.Timestamp, Timestamptz: p.Timestamptz, Interval: p.Interval, Mood: p.Mood,
					Positive: p.Positive, Day: &day, Clock: p.Clock, Inet: p.Inet, Cidr: p.Cidr, Macaddr: p.Macaddr, Bit: p.Bit,
					Point: p.Point, Oid: p.Oid, Xid8: p.Xid8, Tsvector: p.Tsvector, Int4range: p.Int4range, Tstzrange: p.Tstzrange,
					Int8multi: p.Int8multi, Ints: p.Ints, Texts: p.Texts, Moods: p.Moods,
				}
				if diff := cmp.Diff(want, got, same()); diff != "" {
					t.Error(diff)
				}
			})
			t.Run("sql", func(t *testing.T) {
				q := nullsql.New(conn)
				id, err := q.AddPerhaps(ctx, nullsql.AddPerhapsParams{})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := q.GetPerhaps(ctx, id); err != nil {
					t.Fatal(err)
				} else if diff := cmp.Diff(nullsql.Perhaps{ID: id}, got, same()); diff != "" {
					t.Error(diff)
				}
				var p nullsql.AddPerhapsParams
				p.Text.V, p.Text.Valid = "x", true
				p.Day.V, p.Day.Valid = full.Day, true
				p.Numeric.V, p.Numeric.Valid = full.Numeric, true
				p.Inet.V, p.Inet.Valid = full.Inet, true
				p.Mood.V, p.Mood.Valid = nullsql.MoodOk, true
				one, happy := int32(1), nullsql.MoodVeryHappy
				p.Ints, p.Moods = []*int32{&one, nil}, []*nullsql.Mood{nil, &happy}
				if id, err = q.AddPerhaps(ctx, p); err != nil {
					t.Fatal(err)
				}
				got, err := q.GetPerhaps(ctx, id)
				if err != nil {
					t.Fatal(err)
				}
				want := nullsql.Perhaps{ID: id, Text: p.Text, Day: p.Day, Numeric: p.Numeric, Inet: p.Inet, Mood: p.Mood, Ints: p.Ints, Moods: p.Moods}
				want.Day.V = day
				if diff := cmp.Diff(want, got, same()); diff != "" {
					t.Error(diff)
				}
			})
			t.Run("pgtype", func(t *testing.T) {
				q := nullpgtype.New(conn)
				id, err := q.AddPerhaps(ctx, nullpgtype.AddPerhapsParams{})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := q.GetPerhaps(ctx, id); err != nil {
					t.Fatal(err)
				} else if diff := cmp.Diff(nullpgtype.Perhaps{ID: id}, got, same()); diff != "" {
					t.Error(diff)
				}
				p := nullpgtype.AddPerhapsParams{
					Text: pgtype.Text{String: "x", Valid: true}, Day: pgtype.Date{Time: full.Day, Valid: true}, Numeric: full.Numeric,
					Oid: pgtype.Uint32{Uint32: 7, Valid: true}, Timestamptz: pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true},
				}
				if id, err = q.AddPerhaps(ctx, p); err != nil {
					t.Fatal(err)
				}
				got, err := q.GetPerhaps(ctx, id)
				if err != nil {
					t.Fatal(err)
				}
				want := nullpgtype.Perhaps{ID: id, Text: p.Text, Day: p.Day, Numeric: p.Numeric, Oid: p.Oid, Timestamptz: p.Timestamptz}
				want.Day.Time = day
				if diff := cmp.Diff(want, got, same()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestPlace reads a composite with another one, an array and NULLs in it.
func TestPlace(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			conn := connect(t, "types", mode)
			q := types.New(conn)
			id, err := q.AddPerhaps(ctx, types.AddPerhapsParams{})
			if err != nil {
				t.Fatal(err)
			}
			row, found, err := q.GetPlace(ctx, id)
			if err != nil || !found || row.Place != nil || row.Point != nil || row.Street != nil {
				t.Fatalf("NULL: %+v, %t, %v", row, found, err)
			}
			if _, found, err := q.GetPlace(ctx, 99); err != nil || found {
				t.Fatalf("no row: %t, %v", found, err)
			}
			n, err := q.SetPlace(ctx, types.SetPlaceParams{
				Street: `Main "St", (1)`, Mood: types.MoodPlus, Born: day, Tags: []string{"a b", `"`, ""}, X: 1.5, Name: "p,q",
				Doc: json.RawMessage(`{"k": "v"}`), N: number(t, "1.25"), Size: 3, ID: id,
			})
			if err != nil || n != 1 {
				t.Fatalf("set: %d, %v", n, err)
			}
			if row, _, err = q.GetPlace(ctx, id); err != nil {
				t.Fatal(err)
			}
			x, street, mood, name, numeric, size := 1.5, `Main "St", (1)`, types.MoodPlus, "p,q", number(t, "1.25"), int32(3)
			point := &types.Point3{X: &x, Name: &name}
			want := types.GetPlaceRow{
				Place: &types.Place{
					Street: &street, Mood: &mood, Born: &day, Tags: []string{"a b", `"`, ""}, At: point,
					Doc: json.RawMessage(`{"k": "v"}`), N: &numeric, Size: &size,
				},
				Point: point, Street: &street,
			}
			if diff := cmp.Diff(want, row, same()); diff != "" {
				t.Error(diff)
			}
			if mode != pgx.QueryExecModeCacheStatement {
				return
			}
			// Registered on the connection, the composites come in binary.
			loaded, err := conn.LoadTypes(ctx, []string{"mood", "positive", "point3", "place"})
			if err != nil {
				t.Fatal(err)
			}
			conn.TypeMap().RegisterTypes(loaded)
			if err := conn.DeallocateAll(ctx); err != nil {
				t.Fatal(err)
			}
			if row, _, err = q.GetPlace(ctx, id); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, row, same()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStream reads a stream to its end, leaves one early, and meets an error.
func TestStream(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	q := types.New(connect(t, "types", pgx.QueryExecModeCacheStatement))
	sum := int64(0)
	for n, err := range q.StreamNumbers(ctx, 10) {
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != 55 {
		t.Errorf("sum %d", sum)
	}
	for n, err := range q.StreamNumbers(ctx, 10) {
		if err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		break
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range q.StreamNumbers(canceled, 10) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("canceled: %v", err)
		}
		if e := runtime.AsError(err); e == nil || e.Query != "StreamNumbers" {
			t.Errorf("the error has no name: %v", err)
		}
	}
}

// TestMoods passes an enum and an array of it.
func TestMoods(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testMoods(t, mode)
		})
	}
}

func testMoods(t *testing.T, mode pgx.QueryExecMode) {
	t.Helper()
	ctx := t.Context()
	q := types.New(connect(t, "types", mode))
	for _, m := range types.AllMoods() {
		if !m.Valid() {
			t.Errorf("%q is not valid", m)
		}
		if _, err := q.AddPerhaps(ctx, types.AddPerhapsParams{Mood: &m}); err != nil {
			t.Fatal(err)
		}
	}
	if types.Mood("no such").Valid() {
		t.Error("an unknown value is valid")
	}
	rows, err := q.ListMoods(ctx, []types.Mood{types.MoodSad, types.MoodEmpty}, types.MoodOk)
	if err != nil {
		t.Fatal(err)
	}
	var got []types.Mood
	for _, r := range rows {
		got = append(got, r.Mood)
	}
	if diff := cmp.Diff([]types.Mood{types.MoodSad, types.MoodOk, types.MoodEmpty}, got); diff != "" {
		t.Error(diff)
	}
}
