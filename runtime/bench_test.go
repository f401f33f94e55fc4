package runtime_test

import (
	"context"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/jackc/pgx/v5"
)

type benchRow struct {
	ID    int64
	Name  string
	Bio   *string
	At    time.Time
	Ok    bool
	N     int32
	Price float64
}

func scanBench(r *runtime.Row) benchRow {
	return benchRow{r.Int64(0), r.Text(1), runtime.Null(r, 2, (*runtime.Row).Text), r.Time(3), r.Bool(4), r.Int32(5), r.Float64(6)}
}

var benchList = runtime.Query{Name: "List", SQL: `SELECT g::int8 AS id, 'name ' || g AS name, CASE WHEN g % 2 = 0 THEN 'bio' END AS bio, '2024-01-01'::timestamptz AS at, g % 3 = 0 AS ok, g::int4 AS n, g / 7.0::float8 AS price FROM generate_series(1, $1::int) g`}

// rows.Scan into the fields, as one writes it by hand or sqlc does.
func pgxScan(ctx context.Context, conn *pgx.Conn, n int) ([]benchRow, error) {
	rows, err := conn.Query(ctx, benchList.SQL, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []benchRow
	for rows.Next() {
		var r benchRow
		if err := rows.Scan(&r.ID, &r.Name, &r.Bio, &r.At, &r.Ok, &r.N, &r.Price); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func benchmark(b *testing.B, n int, run func(ctx context.Context, conn *pgx.Conn) (int, error)) {
	conn := pgtest.New(b).Conn()
	b.ReportAllocs()
	for b.Loop() {
		if got, err := run(context.Background(), conn); err != nil || got != n {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkMany1000(b *testing.B) {
	b.Run("Row", func(b *testing.B) {
		benchmark(b, 1000, func(ctx context.Context, conn *pgx.Conn) (int, error) {
			rows, err := runtime.Many(ctx, conn, benchList, scanBench, 1000)
			return len(rows), err
		})
	})
	b.Run("Scan", func(b *testing.B) {
		benchmark(b, 1000, func(ctx context.Context, conn *pgx.Conn) (int, error) {
			rows, err := pgxScan(ctx, conn, 1000)
			return len(rows), err
		})
	})
}

func BenchmarkOne(b *testing.B) {
	b.Run("Row", func(b *testing.B) {
		benchmark(b, 1, func(ctx context.Context, conn *pgx.Conn) (int, error) {
			_, err := runtime.One(ctx, conn, benchList, scanBench, 1)
			return 1, err
		})
	})
	b.Run("Scan", func(b *testing.B) {
		benchmark(b, 1, func(ctx context.Context, conn *pgx.Conn) (int, error) {
			var r benchRow
			return 1, conn.QueryRow(ctx, benchList.SQL, 1).Scan(&r.ID, &r.Name, &r.Bio, &r.At, &r.Ok, &r.N, &r.Price)
		})
	})
}
