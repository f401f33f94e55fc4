package pgtype_test

import (
	"errors"
	"testing"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// TestNumericArithmetic holds results and scales of the operators of numeric
// against the server's.
func TestNumericArithmetic(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(trySQL))
	values := []string{
		"0", "1", "-1", "3", "7.00", "0.1", "-0.003", "12345678901234567890", "99999.99999", "10000", "9999", "0.0001",
		"1e-20", "123456.789", "-2.50", "1e30", "NaN", "Infinity", "-Infinity", "1.0000000000000000000000000000000000001",
	}
	ops := map[string]func(a, b *pgtype.Numeric) (*pgtype.Numeric, error){
		"+": (*pgtype.Numeric).Add, "-": (*pgtype.Numeric).Sub, "*": (*pgtype.Numeric).Mul,
		"/": (*pgtype.Numeric).Div, "%": (*pgtype.Numeric).Mod,
	}
	for _, x := range values {
		for _, y := range values {
			a, errA := pgtype.ParseNumeric(x, 16)
			b, errB := pgtype.ParseNumeric(y, 16)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			for op, f := range ops {
				var want, state *string
				err := db.Pool().QueryRow(t.Context(), "SELECT r[1], r[2] FROM try('0', $1) AS r",
					"numeric + ('"+x+"'::numeric "+op+" '"+y+"'::numeric)").Scan(&want, &state)
				if err != nil {
					t.Fatal(err)
				}
				got, err := f(a, b)
				var ve *pgtype.ValueError
				switch {
				case errors.As(err, &ve):
					if state == nil || *state != ve.Code {
						t.Errorf("%s %s %s: got %v, want %v", x, op, y, err, want)
					}
				case want == nil || got.String() != *want:
					t.Errorf("%s %s %s: got %s, want %v", x, op, y, got, deref(want))
				}
			}
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return "an error"
	}
	return *s
}
