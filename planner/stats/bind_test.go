package stats

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/source"
)

// schema makes a small database: customers, orders that refer to them, and
// events in two partitions.
type schema struct {
	t   *testing.T
	cat *catalog.Catalog
}

func newSchema(t *testing.T, major int) *schema {
	t.Helper()
	base, err := builtin.Load(major)
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{t, catalog.New(base)}
	s.cat.AddType(&catalog.Type{
		OID: s.cat.NewOID(), Schema: "public", Name: "mood", Len: 4, ByVal: true, Kind: 'e', Category: 'E', Align: 'i',
		Labels: []string{"low", "middle", "high"},
	})
	customers := s.table("customers", catalog.KindTable, "id int8!", "email text!", "name varchar:44", "mood mood", "active bool!")
	s.key(customers, "customers_pkey", 'p', 1)
	s.key(customers, "customers_email_key", 'u', 2)
	orders := s.table("orders", catalog.KindTable, "id int8!", "customer_id int8!", "total numeric:786438!", "note text")
	s.key(orders, "orders_pkey", 'p', 1)
	s.index(orders, "orders_customer_id_idx", false, 2)
	s.index(orders, "orders_note_idx", false, 4)
	s.cat.AddConstraint(&catalog.Constraint{
		OID: s.cat.NewOID(), Name: "orders_customer_id_fkey", Kind: catalog.ConstraintForeign, Table: orders.OID,
		Columns: []int{2}, RefTable: customers.OID, RefColumns: []int{1},
	})
	events := s.table("events", catalog.KindPartitioned, "id int8!", "at timestamptz!")
	s.partition(events, "events_1")
	s.partition(events, "events_2")
	return s
}

func (s *schema) table(name string, kind byte, columns ...string) *catalog.Table {
	t := &catalog.Table{OID: s.cat.NewOID(), Schema: "public", Name: name, Kind: kind, ParallelWorkers: -1}
	for i, text := range columns {
		words := strings.Fields(strings.TrimSuffix(text, "!"))
		typ, mod := words[1], pgtype.NoTypmod
		if base, n, ok := strings.Cut(typ, ":"); ok {
			typ = base
			if _, err := fmt.Sscan(n, &mod); err != nil {
				s.t.Fatal(err)
			}
		}
		known := s.cat.TypeByName("", typ)
		if known == nil {
			s.t.Fatalf("no type %s", typ)
		}
		t.Columns = append(t.Columns, &catalog.Column{
			Number: i + 1, Name: words[0], Type: known.OID, Typmod: mod, Collation: known.Collation, NotNull: strings.HasSuffix(text, "!"),
		})
	}
	s.cat.AddTable(t)
	return t
}

func (s *schema) partition(of *catalog.Table, name string) *catalog.Table {
	p := s.table(name, catalog.KindTable)
	p.Columns, p.IsPartition, p.Parents = of.Columns, true, []pgtype.OID{of.OID}
	of.Children = append(of.Children, p.OID)
	return p
}

func (s *schema) index(t *catalog.Table, name string, unique bool, columns ...int) *catalog.Index {
	return addIndex(s.cat, t, name, unique, columns...)
}

func addIndex(cat *catalog.Catalog, t *catalog.Table, name string, unique bool, columns ...int) *catalog.Index {
	m := cat.MethodByName("btree")
	x := &catalog.Index{
		OID: cat.NewOID(), Schema: t.Schema, Name: name, Table: t.OID, Method: m.OID, NumKeys: len(columns),
		Unique: unique, Immediate: true, Valid: true,
	}
	for _, n := range columns {
		c := t.Attr(n)
		oc := cat.DefaultOpClass(c.Type, m.OID)
		x.Keys = append(x.Keys, catalog.IndexKey{
			Column: n, Type: c.Type, Collation: c.Collation, OpClass: oc.OID, Family: oc.Family, InType: oc.InType,
		})
	}
	cat.AddIndex(x)
	return x
}

func (s *schema) key(t *catalog.Table, name string, kind byte, columns ...int) {
	x := s.index(t, name, true, columns...)
	x.Primary = kind == 'p'
	s.cat.AddConstraint(&catalog.Constraint{OID: s.cat.NewOID(), Name: name, Kind: kind, Table: t.OID, Columns: columns, Index: x.OID})
}

var (
	partitionDDL = regexp.MustCompile(`^CREATE TABLE "public"."(\w+)" PARTITION OF "public"."(\w+)" `)
	indexDDL     = regexp.MustCompile(`^CREATE INDEX (\w+) ON public.(\w+) USING btree \((\w+)\)`)
)

// TestBind prints the findings, the DDL that was asked for, and every fact.
func TestBind(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/bind", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out bytes.Buffer
			major := 16
			d.MaybeScanArgs(t, "major", &major)
			s := newSchema(t, major)
			file, diags := Read("db.stats.json", []byte(d.Input))
			if len(diags) > 0 {
				t.Fatal(diags[0].Error())
			}
			opts := BindOptions{Source: source.NewFile("db.stats.json", d.Input)}
			if !d.HasArg("no-ddl") {
				// Only what Bind asks for is looked at here: the text, and that
				// it goes on with what the text makes.
				opts.Apply = func(cat *catalog.Catalog, ddl *source.File) diag.List {
					fmt.Fprintf(&out, "ddl: %s\n", ddl.Text)
					scratch := &schema{t, cat}
					if m := partitionDDL.FindStringSubmatch(ddl.Text); m != nil {
						scratch.partition(cat.TableByName("public", m[2]), m[1])
					} else if m := indexDDL.FindStringSubmatch(ddl.Text); m != nil {
						table := cat.TableByName("public", m[2])
						addIndex(cat, table, m[1], false, table.Column(m[3]).Number)
					} else {
						return diag.List{{Severity: diag.Error, Message: "syntax error"}}
					}
					return nil
				}
			}
			before := len(s.cat.Tables()) + len(s.cat.TableByName("", "orders").Indexes)
			b, diags := Bind(file, s.cat, opts)
			if before != len(s.cat.Tables())+len(s.cat.TableByName("", "orders").Indexes) {
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
	s := newSchema(t, 18)
	b, diags := Bind(nil, s.cat, BindOptions{})
	if len(diags) != 0 || b.Settings.WorkMem != 4096 || b.VersionNum != 180000 || !b.CollectedAt.IsZero() {
		t.Errorf("%+v %+v", b, diags)
	}
	r := b.Relation(s.cat.TableByName("", "orders").OID)
	if *r.RelTuples != -1 || len(r.Derived) != 1 {
		t.Errorf("orders: %+v", r)
	}
	if b.Relation(1).Derived == nil || b.Index(1).Derived == nil || b.Column(1, 1, false).Derived == nil {
		t.Error("what is not there has facts")
	}
}
