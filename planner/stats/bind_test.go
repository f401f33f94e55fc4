package stats

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/source"
)

// schema is a small database: customers, orders that refer to them, and events
// in two partitions.
const schema = `
	CREATE TYPE mood AS ENUM ('low', 'middle', 'high');
	CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name varchar(40), mood mood, active bool NOT NULL);
	CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, total numeric(12, 2) NOT NULL, note text);
	CREATE INDEX ON orders (customer_id);
	CREATE INDEX ON orders (note);
	CREATE TABLE events (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
	CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
	CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');`

func newSchema(t *testing.T, major int) *catalog.Catalog {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", schema)}, parser.Schema)
	diags.Append(ddl.Apply(cat, stmts))
	if len(diags) > 0 {
		t.Fatal(diags[0].Error())
	}
	return cat
}

// TestBind prints the findings, and the facts of the tables that are asked for.
func TestBind(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/bind", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out bytes.Buffer
			major := 16
			d.MaybeScanArgs(t, "major", &major)
			cat := newSchema(t, major)
			file, diags := Read("db.stats.json", []byte(d.Input))
			if len(diags) > 0 {
				t.Fatal(diags[0].Error())
			}
			opts := BindOptions{Source: source.NewFile("db.stats.json", d.Input)}
			before := len(cat.Tables()) + len(cat.TableByName("", "orders").Indexes)
			b, diags := Bind(file, cat, opts)
			if before != len(cat.Tables())+len(cat.TableByName("", "orders").Indexes) {
				t.Error("the catalog was changed")
			}
			if err := diags.Text(&out, false); err != nil {
				t.Fatal(err)
			}
			for _, arg := range d.CmdArgs {
				if arg.Key == "facts" {
					for _, name := range arg.Vals {
						facts(&out, b, name)
					}
				}
			}
			return out.String()
		})
	})
}

func facts(out *bytes.Buffer, b *Bound, name string) {
	t := b.Catalog.TableByName("", name)
	r := b.Relation(t.OID)
	pages, tuples, visible := b.Size(t.OID)
	fmt.Fprintf(out, "%s: pages %v, tuples %v, visible %v; relpages %v, reltuples %v %s\n",
		name, pages, tuples, visible, *r.RelPages, *r.RelTuples, reasons(r.Derived))
	for _, c := range t.Columns {
		f := b.Column(t.OID, c.Number, false)
		fmt.Fprintf(out, "  %s: width %d", c.Name, f.AvgWidth)
		if f.Column != nil {
			fmt.Fprintf(out, ", n_distinct %v", f.NDistinct)
		}
		if f.NoValues {
			out.WriteString(", no values")
		}
		fmt.Fprintf(out, " %s\n", reasons(f.Derived))
	}
	for _, x := range t.Indexes {
		f := b.Index(x.OID)
		pages, tuples := b.IndexSize(x, f, tuples)
		height := "?"
		if f.Height != nil {
			height = fmt.Sprint(*f.Height)
		}
		fmt.Fprintf(out, "  index %s: pages %v, tuples %v, height %s, valid %t %s\n", x.Name, pages, tuples, height, x.Valid, reasons(f.Derived))
	}
	for _, x := range b.Extended(t.OID, false) {
		fmt.Fprintf(out, "  statistics %s: columns %v, groups %v, dependencies %v %s\n", x.Name, x.Attrs, x.Groups, x.Deps, reasons(x.Derived))
	}
}

func reasons(d Derived) string {
	if len(d) == 0 {
		return "(exact)"
	}
	return "(" + strings.Join(d, "; ") + ")"
}

func TestBindNothing(t *testing.T) {
	t.Parallel()
	cat := newSchema(t, 18)
	b, diags := Bind(nil, cat, BindOptions{})
	if len(diags) != 0 || b.Settings.WorkMem != 4096 || b.VersionNum != 180000 || !b.CollectedAt.IsZero() {
		t.Errorf("%+v %+v", b, diags)
	}
	r := b.Relation(cat.TableByName("", "orders").OID)
	if *r.RelTuples != -1 || len(r.Derived) != 1 {
		t.Errorf("orders: %+v", r)
	}
	if b.Relation(1).Derived == nil || b.Index(1).Derived == nil || b.Column(1, 1, false).Derived == nil {
		t.Error("what is not there has facts")
	}
}
