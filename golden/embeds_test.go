package golden_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/golden/embeds"
)

// TestEmbeds reads embedded rows that are there and that are not.
func TestEmbeds(t *testing.T) {
	t.Parallel()
	for name, mode := range modes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testEmbeds(t, mode)
		})
	}
}

func testEmbeds(t *testing.T, mode pgx.QueryExecMode) {
	t.Helper()
	ctx := t.Context()
	conn := connect(t, "embeds", mode)
	if _, err := conn.Exec(ctx, `
		INSERT INTO teams VALUES (1, 'red', 2), (2, 'blue', NULL);
		INSERT INTO users VALUES (1, 'ann', 1, NULL), (2, 'bob', NULL, 1);
		INSERT INTO notes VALUES (1, 'x'), (1, NULL)`, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	q := embeds.New(conn)
	one, two := int64(1), int64(2)
	ann, bob := embeds.User{ID: 1, Name: "ann", TeamID: &one}, embeds.User{ID: 2, Name: "bob", Manager: &one}
	red, blue := embeds.Team{ID: 1, Name: "red", Lead: &two}, embeds.Team{ID: 2, Name: "blue"}
	x := "x"
	check := func(what string, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	user, _, err := q.GetUser(ctx, 1)
	check("with team", embeds.GetUserRow{User: ann, Team: &red}, user, err)
	user, _, err = q.GetUser(ctx, 2)
	check("without team", embeds.GetUserRow{User: bob}, user, err)
	member, found, err := q.GetTeamMember(ctx, 1)
	check("member", embeds.GetTeamMemberRow{User: ann, Team: red}, member, err)
	check("member", true, found, err)
	_, found, err = q.GetTeamMember(ctx, 2)
	check("no member", false, found, err)
	managers, err := q.ListManagers(ctx)
	check("managers", []embeds.ListManagersRow{{User: ann, Total: 2}, {User: bob, Manager: &ann, Total: 2}}, managers, err)
	pairs, err := q.ListPairs(ctx)
	check("pairs", []embeds.ListPairsRow{{User: &ann}, {User: &bob, Team: &red}, {Team: &blue}}, pairs, err)
	counted, err := q.ListCounted(ctx)
	check("counted", []embeds.ListCountedRow{
		{User: ann, Counted: &embeds.ListCountedRowCounted{UserID: &one, Notes: &two}}, {User: bob},
	}, counted, err)
	busy, err := q.ListBusy(ctx, 0)
	check("view", []embeds.BusyUser{{ID: 1, Name: "ann", Notes: 1}}, busy, err)
	all, err := q.ListBusyEmbedded(ctx)
	check("view embedded", 2, len(all), err)
	joined, err := q.ListJoined(ctx)
	check("joined", []embeds.ListJoinedRow{{ID: 1, Name: "ann", TeamID: 1, ID2: 1, Name2: "red", Lead: &two}}, joined, err)
	using, err := q.ListUsing(ctx)
	check("using", 0, len(using), err)
	moved, err := q.MoveUser(ctx, &two, 1)
	check("moved", embeds.User{ID: 1, Name: "ann", TeamID: &two}, moved, err)
	moved, err = q.MoveUser(ctx, nil, 1)
	check("moved away", embeds.User{ID: 1, Name: "ann"}, moved, err)
	var notes []embeds.ListNotesRow
	for n, err := range q.ListNotes(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, n)
	}
	check("notes", []embeds.ListNotesRow{
		{Name: "ann", Note: &embeds.Note{UserID: &one, Body: &x}}, {Name: "ann", Note: &embeds.Note{UserID: &one}}, {Name: "bob"},
	}, notes, nil)

	// A column that is added behind the generator's back shifts no other.
	if _, err := conn.Exec(ctx, "ALTER TABLE users ADD hidden text DEFAULT 'h'"); err != nil {
		t.Fatal(err)
	}
	if err := conn.DeallocateAll(ctx); err != nil {
		t.Fatal(err)
	}
	member, found, err = q.GetTeamMember(ctx, 1)
	check("after a new column", embeds.GetTeamMemberRow{}, member, err)
	check("after a new column", false, found, err)
	managers, err = q.ListManagers(ctx)
	ann.TeamID = nil
	check("after a new column", []embeds.ListManagersRow{{User: ann, Total: 2}, {User: bob, Manager: &ann, Total: 2}}, managers, err)

	// In a transaction.
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.WithTx(tx).MoveUser(ctx, &one, 2); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	user, _, err = q.GetUser(ctx, 2)
	check("rolled back", embeds.GetUserRow{User: bob}, user, err)
}
