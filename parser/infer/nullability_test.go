package infer_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestNullability prints what is inferred of the columns of statements and holds each
// against a server with data in which a NULL would show. "schema" takes DDL, "data" is
// run on the server alone, "columns" prints a line for each column; "columns trust"
// with foreign keys trusted, "columns params=1,2" with those parameters never NULL.
// Statements with parameters are not run.
func TestNullability(t *testing.T) {
	t.Parallel()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, "testdata/nullability", func(t *testing.T, path string) {
		t.Parallel()
		cat := catalog.New(base)
		conn := pgtest.New(t).Conn()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				if _, err := conn.Exec(t.Context(), d.Input); err != nil {
					return err.Error()
				}
				stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", d.Input)}, parser.Schema)
				diags.Append(ddl.Apply(cat, stmts))
				var b strings.Builder
				for i := range diags {
					fmt.Fprintln(&b, diags[i].Error())
				}
				return b.String()
			case "data":
				if _, err := conn.Exec(t.Context(), d.Input); err != nil {
					return err.Error()
				}
				return ""
			}
			o := infer.Options{TrustForeignKeys: d.HasArg("trust"), TrustDomains: d.HasArg("domains"), Params: map[int]string{}}
			for _, a := range d.CmdArgs {
				for _, v := range a.Vals {
					var n int
					fmt.Sscan(v, &n) //nolint:errcheck // 0 is no parameter
					o.Params[n] = "the caller sends no NULL"
				}
			}
			return columns(t, cat, conn, d.Input, o)
		})
	})
}

// columns prints the columns of each statement and what the server contradicts.
func columns(t *testing.T, cat *catalog.Catalog, conn *pgx.Conn, sql string, o infer.Options) string {
	t.Helper()
	stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", sql)}, parser.Queries)
	if diags.HasErrors() {
		return diags[0].Error()
	}
	var b strings.Builder
	for i, s := range stmts {
		if i > 0 {
			fmt.Fprintln(&b, "--")
		}
		a, diags := analyze.Statement(cat, s)
		if a == nil {
			fmt.Fprintln(&b, diags[0].Error())
			continue
		}
		f := infer.With(cat, a.Query, o)
		names, nulls := seen(t, conn, s.SQL(), len(a.Params) > 0)
		for i, c := range f.Columns {
			mark := ""
			if i < len(nulls) && nulls[i].value && !c.Nullable {
				mark = " BUT THE SERVER GAVE NULL"
			}
			elements := ""
			if i < len(nulls) && nulls[i].array {
				elements = map[bool]string{true: "[?]", false: "[!]"}[c.ElementNullable]
				if nulls[i].element && !c.ElementNullable {
					mark += " BUT THE SERVER GAVE A NULL ELEMENT"
				}
			}
			name := fmt.Sprint(i + 1)
			if i < len(names) {
				name = names[i]
			}
			fmt.Fprintf(&b, "%s%s %s%s\n", name, elements, c.Why, mark)
		}
	}
	return b.String()
}

// nullSeen is what a server's rows have in a column.
type nullSeen struct{ value, array, element bool }

// seen runs a statement, without leaving a trace, and tells in which columns a NULL
// came.
func seen(t *testing.T, conn *pgx.Conn, sql string, params bool) (names []string, nulls []nullSeen) {
	t.Helper()
	if params {
		d, err := conn.Prepare(context.Background(), "", sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		for _, f := range d.Fields {
			names = append(names, f.Name)
		}
		return names, nil
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background()) //nolint:errcheck // to undo is the purpose
	rows, err := tx.Query(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	for _, f := range rows.FieldDescriptions() {
		n := nullSeen{}
		if typ, ok := conn.TypeMap().TypeForOID(f.DataTypeOID); ok {
			n.array = strings.HasPrefix(typ.Name, "_")
		}
		names, nulls = append(names, f.Name), append(nulls, n)
	}
	for rows.Next() {
		for i, v := range rows.RawValues() {
			nulls[i].value = nulls[i].value || v == nil
			text := "," + strings.NewReplacer("{", ",", "}", ",").Replace(string(v)) + ","
			nulls[i].element = nulls[i].element || nulls[i].array && strings.Contains(text, ",NULL,")
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return names, nulls
}
