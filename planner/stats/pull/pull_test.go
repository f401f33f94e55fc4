package pull

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func pull(t *testing.T, conn *pgx.Conn, opts Options) (*stats.File, []string) {
	t.Helper()
	file, diags, err := Pull(context.Background(), conn, opts)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range diags {
		out = append(out, d.Message+" | "+d.Hint)
	}
	return file, out
}

// as connects as a role of its own without rights and returns the role's name.
// Roles belong to the whole server: the database's name makes it the test's own.
func as(t *testing.T, db *pgtest.DB) (*pgx.Conn, string) {
	t.Helper()
	role := db.Name + "_role"
	db.Exec(fmt.Sprintf(`CREATE ROLE %s LOGIN`, role))
	t.Cleanup(func() { db.Exec(fmt.Sprintf(`DROP OWNED BY %s; DROP ROLE %s`, role, role)) })
	conn := db.Conn()
	if _, err := conn.Exec(context.Background(), "SET SESSION AUTHORIZATION "+role); err != nil {
		t.Fatal(err)
	}
	return conn, role
}

const shop = `
	CREATE TYPE mood AS ENUM ('low', 'high');
	CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
	CREATE TABLE customer (
		id bigint PRIMARY KEY, email text NOT NULL UNIQUE, mood mood, tags text[], born date, balance cents,
		gone int, note varchar(40), spot box, hours tstzrange);
	ALTER TABLE customer DROP COLUMN gone;
	INSERT INTO customer SELECT i, 'user' || i || '@example.com', CASE WHEN i % 10 = 0 THEN 'low' ELSE 'high' END::mood,
		ARRAY['t' || i % 7, 'a "quoted", \ one'], date '2000-01-01' + i % 3650, i % 100, CASE WHEN i % 3 = 0 THEN 'x,{y}' END,
		box(point(0, 0), point(i % 3, 1)), tstzrange(timestamptz '2026-01-01 UTC', timestamptz '2026-01-01 UTC' + i * interval '1 hour')
		FROM generate_series(1, 20000) i;
	CREATE INDEX customer_lower ON customer (lower(email));
	CREATE INDEX customer_born ON customer (born DESC, id) INCLUDE (mood);
	CREATE INDEX customer_low ON customer (born) WHERE mood = 'low';
	CREATE INDEX customer_pattern ON customer (email text_pattern_ops);
	CREATE INDEX customer_collate ON customer (note COLLATE "C" DESC NULLS LAST, email COLLATE "POSIX");
	CREATE INDEX customer_tags ON customer USING gin (tags);
	CREATE INDEX customer_hash ON customer USING hash (email);
	CREATE INDEX customer_brin ON customer USING brin (born);
	CREATE STATISTICS customer_ext (ndistinct, dependencies, mcv) ON mood, born, balance FROM customer;
	CREATE STATISTICS customer_expr ON (balance % 10), (lower(email)) FROM customer;
	CREATE TABLE "odd.schema ""x" (id int PRIMARY KEY, "Wörd" text);
	CREATE TABLE never (id int);
	ALTER TABLE never SET (fillfactor = 70, parallel_workers = 3);
	CREATE TABLE wide (k text PRIMARY KEY);
	INSERT INTO wide SELECT repeat(md5(i::text), 30) || i FROM generate_series(1, 3000) i;
	CREATE TABLE secret (id int PRIMARY KEY, who text);
	ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON secret USING (who = current_user);
	INSERT INTO secret SELECT i, 'me' FROM generate_series(1, 100) i;
	ANALYZE customer; ANALYZE wide; ANALYZE secret;`

const events = `
	CREATE TABLE event (id bigint NOT NULL, at timestamptz NOT NULL, kind text) PARTITION BY RANGE (at);
	CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
	CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2026-02-01 00:00+00') TO ('2026-03-01 00:00+00') PARTITION BY LIST (kind);
	CREATE TABLE event_2_a PARTITION OF event_2 FOR VALUES IN ('a', 'b');
	CREATE TABLE event_2_rest PARTITION OF event_2 DEFAULT;
	CREATE INDEX event_id ON event (id);
	INSERT INTO event SELECT i, timestamptz '2026-01-01 UTC' + i * interval '1 minute', chr(97 + i % 4) FROM generate_series(1, 60000) i;
	CREATE TABLE parent (id int); CREATE TABLE child (more text) INHERITS (parent);
	INSERT INTO parent SELECT generate_series(1, 100); INSERT INTO child SELECT i, 'x' FROM generate_series(1, 300) i;
	ANALYZE`

func TestPull(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(shop))
	conn := db.Conn()
	file, warnings := pull(t, conn, Options{})
	if len(warnings) != 0 {
		t.Errorf("warnings for a superuser: %q", warnings)
	}
	c := file.Tables["public.customer"]
	if c == nil || *c.RelTuples != 20000 || *c.Pages < 100 {
		t.Fatalf("customer: %+v", c)
	}
	if got := c.Columns["mood"]; got.Type != "public.mood" || !cmp.Equal(got.MCV, []string{"high", "low"}) ||
		got.MCF[0] != float64(float32(0.9)) {
		t.Errorf("mood: %+v", got)
	}
	if got := c.Columns["note"]; got.Type != "character varying(40)" || !cmp.Equal(got.MCV, []string{"x,{y}"}) {
		t.Errorf("note: %+v", got)
	}
	if got := c.Columns["tags"]; got.MCElem[0] != `a "quoted", \ one` || got.MCV[0][:2] != "{t" || len(got.MCElemFreqs) != len(got.MCElem)+3 {
		t.Errorf("tags: %+v", got)
	}
	if got := c.Columns["spot"]; got.Number != 9 || !got.HasStats {
		t.Errorf("spot: %+v", got)
	}
	if got := c.Columns["id"]; got.NDistinct != -1 || len(got.Histogram) != 101 || *got.Correlation != 1 || !got.NotNull {
		t.Errorf("id: %+v", got)
	}
	if got := c.Columns["hours"]; file.Server.VersionNum >= 170000 && len(got.RangeBounds) != 101 {
		t.Errorf("hours: %+v", got)
	}
	if got := c.Indexes["customer_lower"]; got.Columns["lower"].NDistinct != -1 || *got.Min != "user10000@example.com" || got.Tuples != 20000 {
		t.Errorf("customer_lower: %+v", got)
	}
	if got := c.Indexes["customer_born"]; *got.Min != "2000-01-01" || *got.Max != "2009-12-28" {
		t.Errorf("customer_born: %s to %s", *got.Min, *got.Max)
	}
	if got := c.Indexes["customer_low"]; got.Min != nil || got.Tuples != 2000 {
		t.Errorf("customer_low: %+v", got)
	}
	if got := c.Indexes["customer_pkey"]; got.Constraint != "p customer_pkey" || *got.Min != "1" || *got.Max != "20000" {
		t.Errorf("customer_pkey: %+v", got)
	}
	if got := c.Extended["public.customer_ext"]; got == nil || !cmp.Equal(got.Columns, []int{3, 5, 6}) || !strings.HasPrefix(got.NDistinct, `{"3, 5": `) ||
		got.Dependencies == "" || len(got.MCV) == 0 || len(got.MCV[0].Values) != 3 {
		t.Errorf("customer_ext: %+v", got)
	}
	if got := c.Extended["public.customer_expr"]; got == nil || len(got.Exprs) != 2 || len(got.ExprStats) != 2 ||
		got.ExprStats[0].NDistinct != 10 || got.ExprStats[1].NDistinct != -1 {
		t.Errorf("customer_expr: %+v", got)
	}
	if got := file.Tables["public.never"]; *got.RelTuples != -1 || got.FillFactor != 70 || *got.ParallelWorkers != 3 {
		t.Errorf("never: %+v", got)
	}
	odd := file.Tables[`public."odd.schema ""x"`]
	if odd == nil || odd.Columns["Wörd"] == nil {
		t.Errorf("the table with an odd name: %+v", odd)
	}
	roundTrip(t, file)

	// The session is as it was.
	var path, tz string
	if err := conn.QueryRow(context.Background(), "SELECT current_setting('search_path'), current_setting('enable_seqscan')").Scan(&path, &tz); err != nil {
		t.Fatal(err)
	}
	if path != `"$user", public` || tz != "on" {
		t.Errorf("search_path %s, enable_seqscan %s", path, tz)
	}
}

// roundTrip holds a pulled file against what is read back of it.
func roundTrip(t *testing.T, file *stats.File) {
	t.Helper()
	var out, again bytes.Buffer
	if err := stats.Write(&out, file); err != nil {
		t.Fatal(err)
	}
	got, diags := stats.Read("pulled", out.Bytes())
	if got == nil {
		t.Fatalf("%s", diags[0].Error())
	}
	if diff := cmp.Diff(file, got); diff != "" {
		t.Errorf("-pulled +read\n%s", diff)
	}
	if err := stats.Write(&again, got); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Errorf("two texts of one file: %v", err)
	}
}

// TestHeights holds the heights that the planner itself tells against those of
// the indexes' metapages.
func TestHeights(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(shop, events, `
		CREATE TABLE many (a int, b text, c timestamptz, d numeric, e uuid, f bool, g int[], h int4range, i "char", j bytea);
		INSERT INTO many SELECT i % 1000, md5(i::text), now() - i * interval '1 s', i / 3.0, md5(i::text)::uuid, i % 2 = 0,
			ARRAY[i % 10, i], int4range(i, i + 5), 'x', decode(md5(i::text), 'hex') FROM generate_series(1, 30000) i;
		CREATE INDEX ON many (a); CREATE INDEX ON many (b); CREATE INDEX ON many (c); CREATE INDEX ON many (d); CREATE INDEX ON many (e);
		CREATE INDEX ON many (f); CREATE INDEX ON many (g); CREATE INDEX ON many (h); CREATE INDEX ON many (i); CREATE INDEX ON many (j);
		CREATE INDEX ON many (a, b); CREATE INDEX ON many (a DESC, b); CREATE INDEX ON many (b, a NULLS FIRST); CREATE INDEX ON many ((a + 1));
		CREATE INDEX ON many (upper(b), c DESC NULLS LAST); CREATE INDEX ON many (d) WHERE a < 10; CREATE INDEX ON many (c) WHERE f;
		CREATE INDEX ON many (b varchar_pattern_ops); CREATE INDEX ON many ((b || 'x') COLLATE "C"); CREATE INDEX ON many (e) INCLUDE (a, b);
		CREATE INDEX ON many (b bpchar_pattern_ops) WHERE false; CREATE INDEX ON many (g, h, i); CREATE UNIQUE INDEX ON many (c, d, e) WITH (fillfactor = 30);
		ANALYZE many;`))
	db.Exec("CREATE EXTENSION pageinspect")
	super := db.Conn()
	exact, _ := pull(t, super, Options{})
	if got := exact.Tables["public.customer"].Indexes["customer_tags"].GIN; got == nil || got.TotalPages < 2 || got.Entries < 8 {
		t.Errorf("GIN: %+v", got)
	}
	conn, role := as(t, db)
	db.Exec(fmt.Sprintf("GRANT SELECT ON ALL TABLES IN SCHEMA public TO %s", role))
	probed, _ := pull(t, conn, Options{})
	same, unknown := 0, 0
	levels := map[int]int{}
	for key, rel := range exact.Tables {
		for name, x := range rel.Indexes {
			if !strings.Contains(x.Def, " USING btree ") || x.Pages == 0 {
				continue
			}
			got := probed.Tables[key].Indexes[name].Height
			switch {
			case x.Height == nil:
				t.Errorf("%s: no height of its metapage", name)
			case key == "public.secret":
				if got != nil {
					t.Errorf("%s: row security is in force and there is a height", name)
				}
			case got == nil:
				unknown++
				t.Logf("unknown: %s", x.Def)
			case *got != *x.Height:
				t.Errorf("%s: height %d, in truth %d", x.Def, *got, *x.Height)
			default:
				same++
				levels[*got]++
			}
		}
	}
	t.Logf("%d heights alike, %d unknown, by height %v", same, unknown, levels)
	if same < 30 || unknown > 2 || levels[2] == 0 || levels[0] == 0 {
		t.Errorf("%d heights alike, %d unknown, by height %v", same, unknown, levels)
	}
}

func TestRoleWithSelectAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(shop))
	conn, role := as(t, db)
	db.Exec(fmt.Sprintf(`
		GRANT SELECT ON customer, secret TO %[1]s; GRANT SELECT (id) ON "odd.schema ""x" TO %[1]s;`, role))
	file, warnings := pull(t, conn, Options{})
	r := stats.QuoteIdent(role)
	want := []string{
		`public."odd.schema ""x": the role may not read the column statistics of Wörd | GRANT SELECT ON "public"."odd.schema ""x" TO ` + r,
		`public.customer_expr: the role may not read the extended statistics | GRANT <owner of public.customer> TO ` + r,
		`public.customer_ext: the role may not read the extended statistics | GRANT <owner of public.customer> TO ` + r,
		`public.customer_lower: the role may not read the statistics of its expressions | GRANT pg_read_all_data TO ` + r,
		`public.never: the role may not read the column statistics | GRANT SELECT ON "public"."never" TO ` + r,
		`public.secret: the role may not read the column statistics (row security is in force) | ALTER ROLE ` + r + ` BYPASSRLS`,
		`public.wide: the role may not read the column statistics | GRANT SELECT ON "public"."wide" TO ` + r,
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if c := file.Tables["public.customer"]; !c.Columns["id"].HasStats || c.Indexes["customer_lower"].Columns["lower"].HasStats ||
		c.Indexes["customer_lower"].Height == nil || *c.Indexes["customer_pkey"].Max != "20000" {
		t.Errorf("customer: %+v", c)
	}
	if w := file.Tables["public.wide"]; w.Columns["k"].HasStats || *w.RelTuples != 3000 || w.Indexes["wide_pkey"].Min != nil {
		t.Errorf("wide: %+v", w)
	}
	var out bytes.Buffer
	if err := stats.Write(&out, file); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), role) || strings.Contains(out.String(), db.Name) {
		t.Error("the file names the role or the database")
	}
	roundTrip(t, file)

	// What the hints say opens what was hidden.
	db.Exec(fmt.Sprintf(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO %[1]s; GRANT pg_read_all_data TO %[1]s;
		GRANT %[2]s TO %[1]s; ALTER ROLE %[1]s BYPASSRLS`, role, stats.QuoteIdent(db.Conn().Config().User)))
	if _, warnings := pull(t, conn, Options{}); len(warnings) != 0 {
		t.Errorf("still hidden: %q", warnings)
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(events))
	file, _ := pull(t, db.Conn(), Options{})
	e := file.Tables["public.event"]
	if e.Kind != "p" || e.Pages != nil || *e.RelTuples != 60000 || e.PartitionKey != "RANGE (at)" || !e.Tree["kind"].HasStats || e.Columns["kind"].HasStats {
		t.Errorf("event: %+v", e)
	}
	one := file.Tables["public.event_1"]
	if one.Parent != "public.event" || one.Bound != "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')" ||
		len(one.Indexes) != 1 || !one.Columns["kind"].HasStats {
		t.Errorf("event_1: %+v", one)
	}
	if two := file.Tables["public.event_2"]; two.Parent != "public.event" || two.PartitionKey != "LIST (kind)" {
		t.Errorf("event_2: %+v", two)
	}
	if rest := file.Tables["public.event_2_rest"]; rest.Parent != "public.event_2" || rest.Bound != "DEFAULT" {
		t.Errorf("event_2_rest: %+v", rest)
	}
	if c := file.Tables["public.child"]; !cmp.Equal(c.Inherits, []string{"public.parent"}) || c.Parent != "" {
		t.Errorf("child: %+v", c)
	}
	if p := file.Tables["public.parent"]; p.Tree["id"].NDistinct == p.Columns["id"].NDistinct || !p.Tree["id"].HasStats {
		t.Errorf("parent: %+v %+v", p.Tree["id"], p.Columns["id"])
	}
	roundTrip(t, file)

	some, _ := pull(t, db.Conn(), Options{Tables: []string{"event"}})
	var names []string
	for name := range some.Tables {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"public.event", "public.event_1", "public.event_2", "public.event_2_a", "public.event_2_rest"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.Exec(fmt.Sprintf(`ALTER DATABASE %[1]s SET random_page_cost = 1.1; ALTER DATABASE %[1]s SET work_mem = '64MB';
		ALTER DATABASE %[1]s SET DateStyle = 'German'; ALTER DATABASE %[1]s SET TimeZone = 'Europe/Berlin'; ALTER DATABASE %[1]s SET quote_all_identifiers = on;
		CREATE TABLE t (d timestamptz); INSERT INTO t VALUES ('2026-07-01 12:00+00'), ('2026-07-01 12:00+00'); CREATE INDEX ON t (d); ANALYZE t`, db.Name))
	file, _ := pull(t, db.Conn(), Options{})
	for name, want := range map[string]string{
		"random_page_cost": "1.1", "work_mem": "64MB", "DateStyle": "German, DMY", "TimeZone": "Europe/Berlin", "search_path": `"$user", public`,
	} {
		if got := file.Settings[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, ok := file.Settings["enable_sort"]; ok {
		t.Error("a default is in the file")
	}
	rel := file.Tables["public.t"]
	if got := rel.Columns["d"].MCV[0]; got != "2026-07-01 12:00:00+00" {
		t.Errorf("a value has the form %s", got)
	}
	if x := rel.Indexes["t_d_idx"]; x.Def != "CREATE INDEX t_d_idx ON public.t USING btree (d)" || *x.Min != "2026-07-01 12:00:00+00" {
		t.Errorf("index: %+v", x)
	}
	if at, err := time.Parse(time.RFC3339Nano, file.Server.CollectedAt); err != nil || time.Since(at).Abs() > time.Hour {
		t.Errorf("collected at %s: %v", file.Server.CollectedAt, err)
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(shop))
	file, _ := pull(t, db.Conn(), Options{Level: stats.LevelShape})
	var out bytes.Buffer
	if err := stats.Write(&out, file); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"example.com", "quoted", "2000-01"} {
		if strings.Contains(out.String(), value) {
			t.Errorf("the value %s is in the file", value)
		}
	}
	c := file.Tables["public.customer"].Columns["mood"]
	if len(c.MCV) != 0 || len(c.MCF) != 2 {
		t.Errorf("mood: %+v", c)
	}
	roundTrip(t, file)
}

func TestInvalidIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)`))
	// A unique index that meets equal keys stays behind invalid.
	if _, err := db.Conn().Exec(context.Background(), "CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)"); err == nil {
		t.Fatal("the index was made")
	}
	file, _ := pull(t, db.Conn(), Options{})
	if x := file.Tables["public.t"].Indexes["broken"]; x == nil || !x.Invalid || x.Height != nil || x.Min != nil {
		t.Errorf("broken: %+v", x)
	}
}

// Functions of users must not run with the rights of the role that collects.
func TestUserFunctions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(`CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100);
		CREATE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x; END';
		CREATE INDEX by_f ON t (f(a)); CREATE INDEX by_a ON t (a); CREATE INDEX by_abs ON t (abs(a)); ANALYZE t;
		CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE ''run''; END'`))
	file, _ := pull(t, db.Conn(), Options{})
	indexes := file.Tables["public.t"].Indexes
	if x := indexes["by_f"]; x.Min != nil || x.Height != nil || !x.Columns["f"].HasStats {
		t.Errorf("by_f: %+v", x)
	}
	if x := indexes["by_abs"]; x.Min == nil || *x.Max != "100" || x.Height == nil {
		t.Errorf("by_abs: %+v", x)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, pgtest.SQL(shop))
	ctx, cancel := context.WithCancel(context.Background())
	var stages []string
	_, _, err := Pull(ctx, db.Conn(), Options{Progress: func(stage string, done, total int) {
		if done > total {
			t.Errorf("%s: %d of %d", stage, done, total)
		}
		stages = append(stages, stage)
		if stage == "column statistics" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if !slices.Contains(stages, "tables") || slices.Contains(stages, "index heights") {
		t.Errorf("stages %q", stages)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn()
	for _, opts := range []Options{{Level: "half"}, {Tables: []string{"["}}} {
		if _, _, err := Pull(context.Background(), conn, opts); err == nil {
			t.Errorf("%+v is taken", opts)
		}
	}
}

func TestParseArray(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`{}`: nil, `{a,b}`: {"a", "b"}, `{"a,b","c\"d\\"}`: {"a,b", `c"d\`}, `{"{x,\"y z\"}",{}`: {`{x,"y z"}`, "{"}, `{""}`: {""}, `{"NULL"}`: {"NULL"},
	} {
		got, err := parseArray(text, ',')
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "a", "{", `{"a`, `{"a"b}`, `{"a\`} {
		if got, err := parseArray(bad, ','); err == nil {
			t.Errorf("%s: %q", bad, got)
		}
	}
}
