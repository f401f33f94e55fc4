package pull

import (
	"strings"
	"testing"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// apply runs DDL on a catalog.
func apply(cat *catalog.Catalog, file *source.File) diag.List {
	stmts, diags := parser.ParseFiles([]*source.File{file}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	return diags
}

// TestBindPulled pulls from a server that has partitions and indexes which the
// schema lacks, and lays the file over the schema.
func TestBindPulled(t *testing.T) {
	t.Parallel()
	const declared = `
		CREATE TYPE mood AS ENUM ('low', 'high');
		CREATE TABLE event (id bigint NOT NULL, at timestamptz NOT NULL, kind text, mood mood, PRIMARY KEY (id, at, kind)) PARTITION BY RANGE (at);
		CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-02-01 00:00+00');
		CREATE TABLE parent (id int PRIMARY KEY, name varchar(20), price numeric(12, 2), tags text[]);
		CREATE INDEX by_name ON parent (lower(name)) WHERE price > 10;`
	db := pgtest.New(t, pgtest.SQL(declared, `
		CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2026-02-01 00:00+00') TO ('2026-03-01 00:00+00') PARTITION BY LIST (kind);
		CREATE TABLE event_2_a PARTITION OF event_2 FOR VALUES IN ('a', 'b');
		CREATE TABLE event_2_rest PARTITION OF event_2 DEFAULT;
		CREATE TABLE child (more text) INHERITS (parent);
		CREATE INDEX by_price ON parent (price DESC) INCLUDE (name);
		ALTER INDEX by_name RENAME TO by_another_name;
		INSERT INTO event SELECT i, timestamptz '2026-01-01 UTC' + i * interval '1 minute', chr(97 + i % 4), 'low' FROM generate_series(1, 60000) i;
		INSERT INTO parent SELECT i, 'n' || i, i FROM generate_series(1, 1000) i; ANALYZE`))
	file, _ := pull(t, db.Conn(), Options{})
	base, err := builtin.Load(file.Server.VersionNum / 10000)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	if diags := apply(cat, source.NewFile("schema.sql", declared)); diags.HasErrors() {
		t.Fatal(diags[0].Error())
	}
	b, diags := stats.Bind(file, cat, stats.BindOptions{})
	var got []string
	for _, d := range diags {
		got = append(got, d.Severity.String()+" "+d.Message)
	}
	want := `info 1 child of public.parent is known to the statistics alone and planned with
info 1 partition of public.event is known to the statistics alone and planned with
info 2 partitions of public.event_2 are known to the statistics alone and planned with
info index by_price of public.parent is known to the statistics alone and planned with`
	if strings.Join(got, "\n") != want {
		t.Errorf("findings:\n%s", strings.Join(got, "\n"))
	}
	for key, rel := range file.Tables {
		_, name, _ := stats.ParseName(key)
		table := b.Catalog.TableByName("public", name)
		if table == nil {
			t.Errorf("%s is not there", key)
			continue
		}
		if f := b.Relation(table.OID); len(f.Derived) > 0 || f.OID != rel.OID {
			t.Errorf("%s: %+v", key, f)
		}
		for _, c := range table.Columns {
			if f := b.Column(table.OID, c.Number, false); len(f.Derived) > 0 {
				t.Errorf("%s.%s: %+v", key, c.Name, f)
			}
		}
		if rel.Kind == "p" {
			continue
		}
		if len(table.Indexes) != len(rel.Indexes) {
			t.Errorf("%s: %d indexes, %d on the server", key, len(table.Indexes), len(rel.Indexes))
		}
		for _, x := range table.Indexes {
			if f := b.Index(x.OID); len(f.Derived) > 0 || f.OID == 0 || f.Height == nil && f.Pages > 0 {
				t.Errorf("%s: %+v", x.Name, f)
			}
			for n := range x.Keys {
				if f := b.IndexColumn(x, n+1); len(f.Derived) > 0 || f.Column == nil && *rel.RelTuples > 0 && name != "child" {
					t.Errorf("%s %d: %+v", x.Name, n+1, f)
				}
			}
		}
	}
	parts := b.Catalog.TableByName("", "event_2")
	if parts.PartitionKey == nil || len(parts.Children) != 2 || cat.TableByName("", "event_2") != nil {
		t.Errorf("event_2: %+v", parts)
	}
}
