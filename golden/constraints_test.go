package golden_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/constraints"
)

// TestConstraints violates each constraint and wants its error, and no other.
func TestConstraints(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testConstraints(t, mode)
		})
	}
}

func testConstraints(t *testing.T, mode pgx.QueryExecMode) {
	t.Helper()
	ctx := t.Context()
	q := constraints.New(connect(t, "constraints", mode))
	all := map[string]error{
		"accounts email": constraints.ErrAccountsEmailKey, "accounts name": constraints.ErrAccountsNameKey,
		"accounts positive": constraints.ErrAccountsPositive, "ledger account": constraints.ErrLedgerAccountIDFkey,
		"ledger amount": constraints.ErrLedgerAmountCheck, "ledger pkey": constraints.ErrLedgerPkey,
		"code form": constraints.ErrCodeForm, "logins session": constraints.ErrLoginsSessionIDFkey, "receipts ledger": constraints.ErrReceiptsLedger, "rooms during": constraints.ErrRoomsDuringExcl,
		"rooms pkey": constraints.ErrRoomsPkey, "rooms positive": constraints.ErrRoomsPositive,
		"sessions account": constraints.ErrSessionsAccountIDFkey, "sessions pkey": constraints.ErrSessionsPkey,
	}
	seen := map[string]bool{}
	want := func(name string, err error) {
		t.Helper()
		seen[name] = true
		for n, e := range all {
			if errors.Is(err, e) != (n == name) {
				t.Errorf("%v matches %s: %t", err, n, n != name)
			}
		}
	}
	fine := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	three, minus := int32(3), int32(-3)
	id, err := q.CreateAccount(ctx, constraints.CreateAccountParams{Name: "a", Email: "A@x", Age: &three})
	fine(err)
	_, err = q.CreateAccount(ctx, constraints.CreateAccountParams{Name: "a", Email: "b@x"})
	want("accounts name", err)
	_, err = q.CreateAccount(ctx, constraints.CreateAccountParams{Name: "b", Email: "a@X"})
	want("accounts email", err)
	_, err = q.CreateAccount(ctx, constraints.CreateAccountParams{Name: "b", Email: "b@x", Age: &minus})
	want("accounts positive", err)
	same, err := q.EnsureAccount(ctx, "a", "c@x")
	fine(err)
	if same != id {
		t.Errorf("the upsert made account %d", same)
	}
	n, err := q.TryAccount(ctx, "a", "c@x")
	fine(err)
	if n != 0 {
		t.Errorf("%d rows in spite of the conflict", n)
	}
	_, err = q.SetAge(ctx, &minus, id)
	want("accounts positive", err)

	// 2025 is a partition, 2026 one that has partitions of its own.
	amount := pgtype.Numeric{}
	fine(amount.Scan("1"))
	var zero pgtype.Numeric
	fine(zero.Scan("0"))
	for _, year := range []int{2025, 2026} {
		p := constraints.BookParams{ID: 1, Day: time.Date(year, 5, 1, 0, 0, 0, 0, time.UTC), AccountID: id, Amount: amount}
		fine(q.Book(ctx, p))
		want("ledger pkey", q.Book(ctx, p))
		p.ID, p.Amount = 2, zero
		want("ledger amount", q.Book(ctx, p))
		want("receipts ledger", q.AddReceipt(ctx, 77, p.Day))
		fine(q.AddReceipt(ctx, 1, p.Day))
		_, err = q.Unbook(ctx, 1, p.Day)
		want("receipts ledger", err)
		p.Amount, p.AccountID = amount, 99
		want("ledger account", q.Book(ctx, p))
	}
	_, err = q.DeleteAccount(ctx, id)
	want("ledger account", err)

	other, err := q.CreateAccount(ctx, constraints.CreateAccountParams{Name: "o", Email: "o@x"})
	fine(err)
	_, err = q.OpenSession(ctx, 1, 99)
	want("sessions account", err)
	// The session is not there yet when the login is checked, at the end it is.
	_, err = q.OpenSession(ctx, 1, other)
	fine(err)
	_, err = q.OpenSession(ctx, 1, other)
	want("sessions pkey", err)
	_, err = q.DeleteAccount(ctx, other)
	want("logins session", err)

	span := &pgtype.Range[pgtype.Int4]{
		Lower: pgtype.Int4{Int32: 1, Valid: true}, Upper: pgtype.Int4{Int32: 5, Valid: true},
		LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true,
	}
	fine(q.Reserve(ctx, constraints.ReserveParams{ID: 1, Size: &three, During: span}))
	want("rooms pkey", q.Reserve(ctx, constraints.ReserveParams{ID: 1, Size: &three}))
	want("rooms during", q.Reserve(ctx, constraints.ReserveParams{ID: 2, Size: &three, During: span}))
	want("rooms positive", q.Reserve(ctx, constraints.ReserveParams{ID: 2, Size: &minus}))
	good, bad := "A", "a"
	_, err = q.NameRoom(ctx, &good, 1)
	fine(err)
	_, err = q.NameRoom(ctx, &bad, 1)
	want("code form", err)
	if s := constraints.ErrCodeForm.Error(); s != "violates constraint public.code_form" {
		t.Errorf("the text is %q", s)
	}
	for name := range all {
		if !seen[name] {
			t.Errorf("%s was never violated", name)
		}
	}
}
