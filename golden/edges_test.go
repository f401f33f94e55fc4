package golden_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/types"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// edges are values at the ends of what a type holds, each put into a row of its
// own.
func edges(t *testing.T) []func(p *types.AddEverythingParams) {
	t.Helper()
	type P = types.AddEverythingParams
	var list []func(p *P)
	add := func(f ...func(p *P)) { list = append(list, f...) }
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-7, 123456789.125, 1.0 / 3} {
		add(func(p *P) { p.Float8 = f }, func(p *P) { p.Float4 = float32(f) })
	}
	for _, n := range []pgtype.Numeric{
		{NaN: true, Valid: true},
		number(t, "0"), number(t, "-0.01"), number(t, "9999999999.99"),
		{Int: big.NewInt(5), Exp: 3, Valid: true},
	} {
		add(func(p *P) { p.Numeric = n }, func(p *P) { p.Numerics = []pgtype.Numeric{n, number(t, "1")} },
			func(p *P) {
				p.Numrange = pgtype.Range[pgtype.Numeric]{Lower: n, LowerType: pgtype.Inclusive, UpperType: pgtype.Unbounded, Valid: true}
			})
	}
	add(
		func(p *P) { p.Int2 = math.MinInt16 }, func(p *P) { p.Int4 = math.MinInt32 }, func(p *P) { p.Int8 = math.MinInt64 },
		func(p *P) { p.Int8 = math.MaxInt64 }, func(p *P) { p.Bool = false }, func(p *P) { p.Oid = math.MaxUint32 },
		func(p *P) { p.Xid8 = math.MaxUint64 }, func(p *P) { p.Positive = math.MaxInt32 },
	)
	for _, s := range []string{"", " ", "'", `\`, `\x41`, `"`, "a\nb\tc\r", "NULL", "{}", "日本 \U0001F600", "$1", "?", "%s", ";--", "\u0001", "E'\\n'"} {
		add(func(p *P) { p.Text = s }, func(p *P) { p.Varchar = s }, func(p *P) { p.Label = s }, func(p *P) { p.Name = s },
			func(p *P) { p.Texts = []string{s, s} }, func(p *P) { p.Bytea = []byte(s) }, func(p *P) { p.Byteas = [][]byte{[]byte(s)} })
	}
	for _, s := range []string{`"a\"b\\c"`, `{"k": "é\u0001"}`, `[]`, `null`, ` 1 `, `"'"`} {
		raw := json.RawMessage(s)
		add(func(p *P) { p.JSON = raw }, func(p *P) { p.Jsonb = raw }, func(p *P) { p.JSONs = []json.RawMessage{raw, raw} })
	}
	far, west := time.FixedZone("far", 14*3600), time.FixedZone("west", -(12*3600+1800))
	for _, at := range []time.Time{
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1899, 12, 31, 23, 59, 59, 999999000, time.UTC),
		time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC), time.Date(2024, 2, 29, 0, 0, 0, 0, far), time.Date(2024, 2, 29, 23, 59, 59, 0, west),
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(12345, 6, 7, 8, 9, 10, 11000, time.UTC),
		time.Date(2025, 3, 30, 2, 30, 0, 123456789, time.UTC),
	} {
		add(func(p *P) { p.Date = at }, func(p *P) { p.Day = at }, func(p *P) { p.Timestamp = at }, func(p *P) { p.Clock = at },
			func(p *P) { p.Timestamptz = at }, func(p *P) { p.Times = []time.Time{at, at} })
	}
	for _, i := range []pgtype.Interval{{Valid: true}, {Microseconds: -1, Valid: true}, {Months: -14, Days: 3, Microseconds: -90061000001, Valid: true}} {
		add(func(p *P) { p.Interval = i })
	}
	for _, µs := range []int64{0, 1, 86_399_999_999, 86_400_000_000} {
		add(func(p *P) { p.Time = pgtype.Time{Microseconds: µs, Valid: true} })
	}
	for _, a := range []string{"::1/128", "0.0.0.0/0", "255.255.255.255/32", "2001:db8::/32"} {
		add(func(p *P) { p.Inet = netip.MustParsePrefix(a) }, func(p *P) { p.Cidr = netip.MustParsePrefix(a) })
	}
	add(
		func(p *P) { p.Ints = []int32{} }, func(p *P) { p.Texts = []string{} }, func(p *P) { p.Moods = []types.Mood{} },
		func(p *P) { p.Numerics = []pgtype.Numeric{} }, func(p *P) { p.Times = []time.Time{} }, func(p *P) { p.UUIDs = []pgtype.UUID{} },
		func(p *P) { p.JSONs = []json.RawMessage{} }, func(p *P) { p.Byteas = [][]byte{} }, func(p *P) { p.Ranges = []pgtype.Range[pgtype.Int4]{} },
		func(p *P) { p.Positives = []int32{} }, func(p *P) { p.Bytea = []byte{} }, func(p *P) { p.Int8multi = pgtype.Multirange[pgtype.Range[pgtype.Int8]]{} },
		func(p *P) { p.Point = pgtype.Point{P: pgtype.Vec2{X: math.Inf(1), Y: 0.1}, Valid: true} },
		func(p *P) { p.Varbit = pgtype.Bits{Valid: true} }, func(p *P) { p.Tsvector = pgtype.TSVector{Valid: true} },
		func(p *P) {
			p.Tstzrange = pgtype.Range[pgtype.Timestamptz]{LowerType: pgtype.Empty, UpperType: pgtype.Empty, Valid: true}
		},
		func(p *P) {
			p.Daterange = pgtype.Range[pgtype.Date]{
				Lower: pgtype.Date{Time: day, Valid: true}, LowerType: pgtype.Inclusive, UpperType: pgtype.Unbounded, Valid: true,
			}
		},
	)
	return list
}

// simple are the fields that come back as they were given, but for what a type
// cannot hold.
type simple struct {
	Bool                 bool
	Int2                 int16
	Int4, Positive       int32
	Int8                 int64
	Float4               float32
	Float8               float64
	Numeric              pgtype.Numeric
	Text, Varchar, Label string
	Texts                []string
	Bytea                []byte
	Byteas               [][]byte
	Date, Day            time.Time
	Timestamp, Clock     time.Time
	Timestamptz          time.Time
	Times                []time.Time
	Interval             pgtype.Interval
	Time                 pgtype.Time
	Inet, Cidr           netip.Prefix
	Ints                 []int32
	Moods                []types.Mood
}

func plain(e types.Everything) simple {
	return simple{
		e.Bool, e.Int2, e.Int4, e.Positive, e.Int8, e.Float4, e.Float8, e.Numeric, e.Text, e.Varchar, e.Label, e.Texts, e.Bytea, e.Byteas,
		e.Date, e.Day, e.Timestamp, e.Clock, e.Timestamptz, e.Times, e.Interval, e.Time, e.Inet, e.Cidr, e.Ints, e.Moods,
	}
}

// stored is what comes back of p: microseconds, the day that a date's own zone
// shows, and what its clock shows for a timestamp.
func stored(p types.AddEverythingParams) simple {
	instant := func(t time.Time) time.Time { return t.Truncate(time.Microsecond) }
	clock := func(t time.Time) time.Time {
		return instant(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC))
	}
	date := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	var times []time.Time
	for _, t := range p.Times {
		times = append(times, instant(t))
	}
	if times == nil {
		times = []time.Time{}
	}
	return simple{
		p.Bool, p.Int2, p.Int4, p.Positive, p.Int8, p.Float4, p.Float8, p.Numeric, p.Text, p.Varchar, p.Label, p.Texts, p.Bytea, p.Byteas,
		date(p.Date), date(p.Day), clock(p.Timestamp), clock(p.Clock), instant(p.Timestamptz), times, p.Interval, p.Time, p.Inet, p.Cidr, p.Ints, p.Moods,
	}
}

// TestEdges stores and reads values at the ends of what types hold, in every way to
// send statements, and wants the same of all, which is what was given.
func TestEdges(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, way string) (out []types.Everything) {
		db := pgtest.New(t, pgtest.Files("types/sql/schema/*.sql"))
		b := ways()[way](t, db.URL)
		for i, edge := range edges(t) {
			p := everything(t)
			edge(&p)
			tx, err := b.BeginTx(t.Context(), pgx.TxOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := types.New(tx).AddEverything(t.Context(), p)
			got.ID = 0
			if err := errors.Join(err, tx.Rollback(t.Context())); err != nil {
				t.Errorf("%d: %v", i, err)
			}
			if diff := cmp.Diff(stored(p), plain(got), same(), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%d (-given +stored):\n%s", i, diff)
			}
			out = append(out, got)
		}
		return out
	}
	want := run(t, reference)
	for way := range ways() {
		if way == reference {
			continue
		}
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			for i, got := range run(t, way) {
				if diff := cmp.Diff(want[i], got, same(), cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("%d (-%s +%s):\n%s", i, reference, way, diff)
				}
			}
		})
	}
}
