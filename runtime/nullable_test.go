package runtime_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// TestTimeArguments wants the day and the clock of the value's own location.
func TestTimeArguments(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 29, 1, 2, 3, 0, time.FixedZone("east", 14*3600))
	if d := runtime.Date(at); !d.Valid || d.Time.Day() != 29 {
		t.Errorf("Date: %v", d)
	}
	if d := runtime.DateNull(&at); d != runtime.Date(at) {
		t.Errorf("DateNull: %v", d)
	}
	if d := runtime.DateNull(nil); d.Valid {
		t.Errorf("DateNull(nil): %v", d)
	}
	if ts := runtime.Timestamp(at); !ts.Valid || ts.Time.Hour() != 1 {
		t.Errorf("Timestamp: %v", ts)
	}
	if ts := runtime.TimestampNull(&at); ts != runtime.Timestamp(at) {
		t.Errorf("TimestampNull: %v", ts)
	}
	if ts := runtime.TimestampNull(nil); ts.Valid {
		t.Errorf("TimestampNull(nil): %v", ts)
	}
	if p := runtime.FromSQLNull(sql.Null[int]{V: 3, Valid: true}); p == nil || *p != 3 {
		t.Errorf("FromSQLNull: %v", p)
	}
	if p := runtime.FromSQLNull(sql.Null[int]{V: 3}); p != nil {
		t.Errorf("FromSQLNull of NULL: %v", *p)
	}
}

// TestComposite reads composites that are NULL, too short, or hold what does not
// fit.
func TestComposite(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn()
	type values struct {
		A int32
		B *string
	}
	read := func(r *runtime.Row) values {
		return runtime.Composite(r, 0, []uint32{23, 25}, func(f *runtime.Row) values {
			return values{f.Int32(0), runtime.Null(f, 1, (*runtime.Row).Text)}
		})
	}
	for text, want := range map[string]string{
		"SELECT '(1,x)'::text": "", "SELECT '(1,)'::text": "", "SELECT NULL::text": "unexpected NULL",
		"SELECT '(1)'::text": "expected", "SELECT '(,x)'::text": "unexpected NULL", "SELECT '(a,x)'::text": "none that int32 can hold", "SELECT 'x'::text": "(",
		"SELECT '(1,x,y)'::text": "",
	} {
		v, err := runtime.One(t.Context(), conn, runtime.Query{Name: "Pair", SQL: text}, read)
		switch {
		case want == "" && (err != nil || v.A != 1):
			t.Errorf("%s: %v, %v", text, v, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", text, err)
		}
	}
}
