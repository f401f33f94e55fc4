package ddl_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// TestFacts applies the statements of each file in testdata/facts on PostgreSQL 16.
//
//	ddl       applies the input, all of it in one run; prints what is said of it
//	describe  prints all relations, types and functions
//	effects   prints what the functions named in the input, or all, read, write and
//	          call, how many statements of their bodies are known, and what rules do
func TestFacts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/facts", func(t *testing.T, path string) {
		cat := newCatalog(t, 16)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "ddl":
				return printed(t, ddl.Apply(cat, statements(t, d.Input)))
			case "describe":
				return strings.Join(dump(cat), "\n") + "\n"
			case "effects":
				return printEffects(cat, strings.Fields(d.Input))
			}
			t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
			return ""
		})
	})
}

// TestServerFacts runs the ddl directives of testdata/ddl/objects on a real server
// too: operators, casts, aggregates, families, triggers and policies must be
// those of its catalogs.
func TestServerFacts(t *testing.T) {
	t.Parallel()
	conn := pgtest.New(t).Conn()
	var major int
	if err := conn.QueryRow(context.Background(),
		"select current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
		t.Fatal(err)
	}
	cat := newCatalog(t, major)
	datadriven.RunTest(t, "testdata/ddl/objects", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "ddl" {
			list := statements(t, d.Input)
			for _, s := range list {
				// What is refused is TestServer's to compare.
				_, _ = conn.Exec(context.Background(), s.Text)
			}
			ddl.Apply(cat, list)
		}
		return d.Expected
	})
	rows, err := conn.Query(context.Background(), serverFacts)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	got := facts(cat)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts differ (-server +ddl):\n%s", diff)
	}
}

// facts are a line for each object that no relation, type or function shows.
func facts(cat *catalog.Catalog) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	fn := func(oid pgtype.OID) string {
		if f := cat.Func(oid); f != nil {
			return f.Name
		}
		return "-"
	}
	sign := func(oid pgtype.OID) string {
		if o := cat.Operator(oid); o != nil {
			return o.Name
		}
		return "-"
	}
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	for _, o := range cat.Operators() {
		left := "-"
		if o.Left != 0 {
			left = cat.BaseTypeName(o.Left)
		}
		add("operator %s(%s,%s) returns %s by %s com %s neg %s rest %s join %s %t %t", o.Name, left, cat.BaseTypeName(o.Right),
			cat.BaseTypeName(o.Result), fn(o.Func), sign(o.Commutator), sign(o.Negator), dash(o.Restrict), dash(o.Join), o.CanMerge, o.CanHash)
	}
	for _, k := range cat.Casts() {
		add("cast %s to %s by %s %c%c", cat.BaseTypeName(k.Source), cat.BaseTypeName(k.Target), fn(k.Func), k.Context, k.Method)
	}
	for _, f := range cat.Funcs() {
		if g := f.Aggregate; g != nil {
			add("aggregate %s/%d %c direct %d trans %s final %s combine %s state %s null %t modify %c", f.Name, len(f.Args), g.Kind, g.DirectArgs,
				fn(g.TransFunc), fn(g.FinalFunc), fn(g.CombineFunc), cat.BaseTypeName(g.TransType), g.InitValNull, g.FinalModify)
		}
	}
	for _, t := range cat.Tables() {
		for _, g := range t.Triggers {
			add("trigger %s on %s calls %s %c columns %v when %t deferrable %t %t old %s new %s", g.Name, t.Name, fn(g.Func), g.Enabled,
				g.Columns, g.When != nil, g.Deferrable, g.Deferred, dash(g.OldTable), dash(g.NewTable))
		}
		for _, p := range t.Policies {
			add("policy %s on %s %s permissive %t using %t check %t", p.Name, t.Name, p.Command, p.Permissive, p.Using != nil, p.Check != nil)
		}
	}
	return out
}

const serverFacts = `
select format('operator %s(%s,%s) returns %s by %s com %s neg %s rest %s join %s %s %s', o.oprname,
    case when o.oprleft = 0 then '-' else format_type(o.oprleft, null) end, format_type(o.oprright, null), format_type(o.oprresult, null),
    (select proname from pg_proc where oid = o.oprcode), coalesce((select oprname from pg_operator where oid = o.oprcom), '-'),
    coalesce((select oprname from pg_operator where oid = o.oprnegate), '-'), o.oprrest, o.oprjoin,
    o.oprcanmerge::text, o.oprcanhash::text)
  from pg_operator o where o.oid >= 16384
union all
select format('cast %s to %s by %s %s%s', format_type(castsource, null), format_type(casttarget, null),
    coalesce((select proname from pg_proc where oid = castfunc), '-'), castcontext, castmethod) from pg_cast where oid >= 16384
union all
select format('aggregate %s/%s %s direct %s trans %s final %s combine %s state %s null %s modify %s', p.proname, p.pronargs, a.aggkind,
    a.aggnumdirectargs, (select proname from pg_proc where oid = a.aggtransfn), coalesce((select proname from pg_proc where oid = a.aggfinalfn), '-'),
    coalesce((select proname from pg_proc where oid = a.aggcombinefn), '-'), format_type(a.aggtranstype, null),
    (a.agginitval is null)::text, a.aggfinalmodify)
  from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid where p.oid >= 16384
union all
select format('trigger %s on %s calls %s %s columns [%s] when %s deferrable %s %s old %s new %s', g.tgname, c.relname,
    (select proname from pg_proc where oid = g.tgfoid), g.tgenabled, g.tgattr, (g.tgqual is not null)::text, g.tgdeferrable::text,
    g.tginitdeferred::text, coalesce(g.tgoldtable, '-'), coalesce(g.tgnewtable, '-'))
  from pg_trigger g join pg_class c on c.oid = g.tgrelid where not g.tgisinternal
union all
select format('policy %s on %s %s permissive %s using %s check %s', p.polname, c.relname,
    case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end,
    p.polpermissive::text, (p.polqual is not null)::text, (p.polwithcheck is not null)::text)
  from pg_policy p join pg_class c on c.oid = p.polrelid`

func printEffects(cat *catalog.Catalog, names []string) string {
	var b strings.Builder
	line := func(what string, e *catalog.Effects) {
		b.WriteString(what)
		list := func(word string, oids []pgtype.OID, name func(pgtype.OID) string) {
			for _, oid := range oids {
				b.WriteString(" " + word + " " + name(oid))
			}
		}
		list("reads", e.Reads, cat.RelationName)
		list("writes", e.Writes, cat.RelationName)
		list("calls", e.Calls, cat.FuncName)
		if !e.Known {
			b.WriteString(" and more")
		}
		b.WriteByte('\n')
	}
	for _, f := range cat.Funcs() {
		if f.Effects != nil && (len(names) == 0 || slices.Contains(names, f.Name)) {
			line(fmt.Sprintf("%s (%d statements):", f.Name, len(f.Body)), f.Effects)
		}
	}
	for _, t := range cat.Tables() {
		for _, r := range t.Rules {
			line(fmt.Sprintf("rule %s of %s:", r.Name, t.Name), r.Effects)
		}
	}
	return b.String()
}
