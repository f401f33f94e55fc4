package golden_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dbgen/dbgen/golden/names"
)

// TestNames runs queries whose names, text and types are hard to write down, in
// the modes that send values in binary: a uuid as []byte is what was sent.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		if mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testNames(t, mode)
		})
	}
}

func testNames(t *testing.T, mode pgx.QueryExecMode) {
	t.Helper()
	ctx := t.Context()
	conn := connect(t, "names", mode)
	if _, err := conn.Exec(ctx, "INSERT INTO people VALUES (1, 'upper', 'i2', 't', 'f', 's', 7, '名', true, 'w', 'q', 'u', "+
		"'{1,2}', 1.5, 'a0010203-0405-0607-0809-0a0b0c0d0e0f', 'x', '+'), (2, '', '', E'`\\n', '', '', 0, '', false, '', '', '', "+
		"'{}', NULL, NULL, 'x', '')", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	q := names.New(conn)
	p, err := q.GetPerson(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != 1 || p.ID2 != "upper" || p.Id2 != "i2" || p.Größe != 7 || p.X名前 != "名" || !p.X2fa || p.QuoTe != "q" ||
		p.Weird != names.WeirdPlus || p.Kind != names.PublicPersonX || len(p.UserIDs) != 2 ||
		p.Score == nil || p.Score.Float64 != 1.5 || string(p.Key) != string([]byte{0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) {
		t.Errorf("%+v", p)
	}
	if p, err = q.GetPerson(ctx, 2); err != nil || p.Key != nil || p.Score != nil || p.Weird != names.WeirdEmpty {
		t.Errorf("%+v, %v", p, err)
	}
	name, err := q.GetName(ctx, "t", "f")
	if err != nil || name.K != "``" {
		t.Errorf("back quotes: %+v, %v", name, err)
	}
	if n, err := q.CountPerson(ctx); err != nil || n != 1 {
		t.Errorf("carriage returns: %d, %v", n, err)
	}
	rows, err := q.Select(ctx, "t", "f")
	if err != nil || len(rows) != 1 || rows[0] != (names.SelectRow{ID: 1, ID2: 1, ID3: 1, Column: 2, X2: 2, Id2: 1}) {
		t.Errorf("%+v, %v", rows, err)
	}
	found, err := q.ByKey(ctx, names.ByKeyParams{Key: p.Key, Kind: names.PublicPersonX, Score: &pgtype.Float8{Float64: 1.5, Valid: true}})
	if err != nil || len(found) != 0 {
		t.Errorf("a NULL key was found: %+v, %v", found, err)
	}
	ids, err := q.AnyOf(ctx, []names.Weird{names.WeirdEmpty, names.WeirdPlus}, []int64{2})
	if err != nil || len(ids) != 1 || ids[0] != 1 {
		t.Errorf("%v, %v", ids, err)
	}
	if ids, err = q.FindByHint(ctx, "t", []int64{1, 2}); err != nil || len(ids) != 1 {
		t.Errorf("%v, %v", ids, err)
	}
	if sum, err := q.FindNoHint(ctx, 1, 2); err != nil || sum == nil || *sum != 3 {
		t.Errorf("%v, %v", sum, err)
	}
	if n, err := q.Touch(ctx, names.TouchParams{Ctx: "c", R: "r", P: "p", ID: 1}); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	if err := q.Nothing(ctx); err != nil {
		t.Error(err)
	}
	if all, err := q.ListLinux(ctx); err != nil || len(all) != 2 {
		t.Errorf("%v, %v", all, err)
	}
}
