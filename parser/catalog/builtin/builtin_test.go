package builtin

import (
	"testing"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	for major := 15; major <= 18; major++ {
		base, err := Load(major)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(major)
		if err != nil || again != base {
			t.Fatalf("%d: second Load gives %p, %v; want %p", major, again, err, base)
		}
		c := catalog.New(base)
		int4 := c.TypeByName("", "int4")
		if int4 == nil || int4.OID != pgtype.Int4OID || int4.Array != pgtype.Int4ArrayOID || !c.Type(int4.Array).IsArray() {
			t.Errorf("%d: int4 is %+v", major, int4)
		}
		var eq *catalog.Operator
		for _, o := range c.OperatorsByName("", "=") {
			if o.Left == pgtype.Int4OID && o.Right == pgtype.Int4OID {
				eq = o
			}
		}
		if eq == nil || eq.Restrict != "eqsel" || eq.Join != "eqjoinsel" || !eq.CanMerge || !eq.CanHash || eq.Commutator != eq.OID {
			t.Errorf("%d: int4 = int4 is %+v", major, eq)
		}
		if oc := c.DefaultOpClass(pgtype.VarcharOID, c.MethodByName("btree").OID); oc == nil || oc.Name != "text_ops" {
			t.Errorf("%d: default class of varchar is %+v", major, oc)
		}
		sums := 0
		for _, f := range c.FuncsByName("", "sum") {
			if f.Kind == 'a' && f.Aggregate != nil && f.Aggregate.TransFunc != 0 {
				sums++
			}
		}
		if sums != 8 {
			t.Errorf("%d: %d sums, want 8", major, sums)
		}
		for _, f := range c.FuncsByName("", "jsonb_set") {
			if f.Defaults != 1 || len(f.DefaultTexts) != 1 || f.DefaultTexts[0] != "true" {
				t.Errorf("%d: jsonb_set has defaults %d %q", major, f.Defaults, f.DefaultTexts)
			}
		}
		class := c.TableByName("", "pg_class")
		if class == nil || class.Column("relname") == nil || class.Column("relname").Type != pgtype.NameOID || len(class.Indexes) != 3 {
			t.Errorf("%d: pg_class is %+v", major, class)
		}
		if v := c.TableByName("information_schema", "columns"); v == nil || v.Kind != catalog.KindView || c.Type(v.RowType) == nil {
			t.Errorf("%d: information_schema.columns is %+v", major, v)
		}
		if m := c.MethodByName("btree"); !m.CanOrder || !m.CanUnique || !m.SearchArray || !m.OptionalKey || !m.CanParallel || m.CanOrderByOp {
			t.Errorf("%d: btree is %+v", major, m)
		}
		if m := c.MethodByName("gist"); !m.CanOrderByOp || m.CanOrder || !m.HasGetBitmap {
			t.Errorf("%d: gist is %+v", major, m)
		}
	}
	if _, err := Load(14); err == nil {
		t.Error("14 was loaded")
	}
}

// TestDefaults holds that every default of a function has its text.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for major := 15; major <= 18; major++ {
		o, err := parse(Data(major))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range o.Funcs {
			if len(f.DefaultTexts) != f.Defaults {
				t.Errorf("%d: %s has %d defaults and the texts %q", major, f.Name, f.Defaults, f.DefaultTexts)
			}
			if n := max(len(f.AllArgs), len(f.Args)); f.Modes != nil && len(f.Modes) != n {
				t.Errorf("%d: %s has %d modes for %d arguments", major, f.Name, len(f.Modes), n)
			}
			if f.Kind == 'a' != (f.Aggregate != nil) {
				t.Errorf("%d: %s is of kind %c and has the aggregate %v", major, f.Name, f.Kind, f.Aggregate)
			}
		}
	}
}

func TestBrokenData(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"x", "== schemas oid\n", "== schemas oid name\n11", "== schemas oid name\nx\ty\n"} {
		if _, err := parse(data); err == nil {
			t.Errorf("%q was read", data)
		}
	}
}

// TestLibrary reads a file of extensions whole, and in pieces that are wrong.
func TestLibrary(t *testing.T) {
	t.Parallel()
	l, err := Contrib()
	if err != nil {
		t.Fatal(err)
	}
	load := func(b *Block) (*catalog.ExtensionObjects, error) {
		next := pgtype.FirstNormalOID
		return b.load(catalog.ExtensionOIDs{
			Schema: "ext",
			New: func() pgtype.OID {
				next++
				return next
			},
			Find: func(catalog.ExtensionRef) (pgtype.OID, error) { return 1, nil },
		})
	}
	for _, b := range l.Blocks {
		o, err := load(b)
		if err != nil {
			t.Errorf("%s %s: %v", b.Name, b.Version, err)
			continue
		}
		if n := len(o.Types) + len(o.Funcs) + len(o.Operators) + len(o.Tables); n == 0 && b.Name != "lo" && b.Name != "plpgsql" {
			t.Errorf("%s %s is empty", b.Name, b.Version)
		}
		for _, f := range o.Funcs {
			if f.Schema != "ext" || f.OID <= pgtype.FirstNormalOID || f.Kind == 'a' != (f.Aggregate != nil) {
				t.Errorf("%s: function %+v", b.Name, f)
			}
		}
	}
	for _, text := range []string{
		"", "x", FileHead + "x\n", FileHead + "\nx", FileHead + "\n=== a\tb\n", FileHead + "\n=== a\t1\tx\t\tt\t\t1\t\n",
		FileHead + "\n=== a\t1\t16\t\tt\t\t-1\t\n", FileHead + "\n=== a\t1\t16\t\tt\t\t99999999999\t\n",
	} {
		if _, err := ReadLibrary("x", text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	// Whatever a file says, reading ends with an error or with objects.
	b := *l.Find("pg_stat_statements", 16)
	text := b.Text
	for i := 0; i < len(text); i += 37 {
		for _, with := range []string{"", "\t", "\n", "-1", "99999", "== types\n"} {
			b.Text = text[:i] + with + text[i+1:]
			_, _ = load(&b)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := read(16, pg16); err != nil {
			b.Fatal(err)
		}
	}
}
