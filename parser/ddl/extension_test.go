package ddl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

// TestExtensionObjects calls every function, operator and cast of every
// extension that the server can create, once with typed arguments and once with
// parameters: what comes out, and what a parameter is taken for, must be what
// PREPARE says; what it refuses must be refused with the same SQLSTATE.
func TestExtensionObjects(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	conn := pgtest.New(t).Conn()
	var major int
	if err := conn.QueryRow(ctx, "select current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
		t.Fatal(err)
	}
	lib, err := builtin.Contrib()
	if err != nil {
		t.Fatal(err)
	}
	total, wrong := 0, 0
	for _, b := range lib.Blocks {
		if !b.For(major) || b.Schema == "pg_catalog" {
			continue
		}
		create := fmt.Sprintf("create extension %q cascade", b.Name)
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, create); err != nil {
			t.Logf("%s: %v", create, err)
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := tx.Exec(ctx, "savepoint s"); err != nil {
			t.Fatal(err)
		}
		cat := newCatalog(t, major)
		if diags := ddl.Apply(cat, statements(t, create)); diags.HasErrors() {
			t.Fatalf("%s: %s", create, printed(t, diags))
		}
		for _, sql := range calls(cat, &cat.Extension(b.Name).Members) {
			total++
			got := signatureOf(cat, sql)
			want, err := prepared(ctx, cat, tx.Conn().PgConn(), sql)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				if wrong++; wrong <= 20 {
					t.Errorf("%s: %s\n dbgen  %s\n server %s", b.Name, sql, got, want)
				}
			}
		}
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PostgreSQL %d: %d statements, %d differ", major, total, wrong)
	if total < 1000 {
		t.Errorf("only %d statements", total)
	}
}

// calls are statements that use each object of an extension.
func calls(cat *catalog.Catalog, o *catalog.Objects) []string {
	null := func(oid pgtype.OID) string { return "NULL::" + cat.SQLType(oid) }
	pseudo := func(list ...pgtype.OID) bool {
		return slices.ContainsFunc(list, func(oid pgtype.OID) bool {
			t := cat.Type(oid)
			return t == nil || t.Kind == 'p' && oid != pgtype.CstringOID
		})
	}
	var out []string
	for _, f := range o.Funcs {
		if f.Kind == 'p' || pseudo(f.Args...) || pseudo(f.Result) && f.Result != pgtype.RecordOID && f.Result != pgtype.VoidOID {
			continue
		}
		typed, params := make([]string, len(f.Args)), make([]string, len(f.Args))
		for i, a := range f.Args {
			typed[i], params[i] = null(a), fmt.Sprintf("$%d", i+1)
		}
		name := cat.QuoteIdent(f.Name)
		out = append(out, fmt.Sprintf("SELECT %s(%s)", name, strings.Join(typed, ", ")), fmt.Sprintf("SELECT %s(%s)", name, strings.Join(params, ", ")))
		if f.Defaults > 0 {
			out = append(out, fmt.Sprintf("SELECT %s(%s)", name, strings.Join(typed[:len(typed)-f.Defaults], ", ")))
		}
		if f.RetSet && f.Result != pgtype.RecordOID || f.Modes != nil {
			out = append(out, fmt.Sprintf("SELECT * FROM %s(%s)", name, strings.Join(typed, ", ")))
		}
	}
	for _, p := range o.Operators {
		if p.Left == 0 {
			out = append(out, fmt.Sprintf("SELECT %s %s", p.Name, null(p.Right)))
			continue
		}
		out = append(out, fmt.Sprintf("SELECT %s %s %s", null(p.Left), p.Name, null(p.Right)),
			fmt.Sprintf("SELECT %s %s $1", null(p.Left), p.Name), fmt.Sprintf("SELECT $1 %s %s", p.Name, null(p.Right)))
	}
	for _, k := range o.Casts {
		out = append(out, fmt.Sprintf("SELECT CAST(%s AS %s)", null(k.Source), cat.SQLType(k.Target)))
	}
	for _, r := range o.Tables {
		if r.Kind != catalog.KindComposite {
			out = append(out, "SELECT * FROM "+cat.RelationName(r.OID))
		}
	}
	return out
}

// signatureOf is what a statement's parameters and columns are, domains as what
// they are over (SendRowDescription), or its SQLSTATE.
func signatureOf(cat *catalog.Catalog, sql string) string {
	tree, err := pg.Parse(sql)
	if err != nil {
		return "42601"
	}
	a, failed := analyze.Analyze(cat, analyze.Input{Text: sql, Node: tree.Stmts[0].Stmt})
	if failed != nil {
		if failed.SQLState == "" {
			return failed.Message
		}
		return failed.SQLState
	}
	var params, columns []string
	for _, p := range a.Params {
		params = append(params, cat.SQLType(p.Type))
	}
	for _, c := range a.Query.TargetList {
		if !c.Junk {
			columns = append(columns, c.Name+" "+cat.SQLType(cat.BaseType(c.Expr.ResultType())))
		}
	}
	return fmt.Sprintf("(%s) → %s", strings.Join(params, ", "), strings.Join(columns, ", "))
}

// prepared is the same as the server has it; a refusal is undone to the
// savepoint s.
func prepared(ctx context.Context, cat *catalog.Catalog, conn *pgconn.PgConn, sql string) (string, error) {
	d, err := conn.Prepare(ctx, "", sql, nil)
	if err != nil {
		var refused *pgconn.PgError
		if !errors.As(err, &refused) {
			return "", err
		}
		_, err := conn.Exec(ctx, "rollback to s").ReadAll()
		return refused.Code, err
	}
	name := func(oid uint32) (string, error) {
		if oid < uint32(pgtype.FirstNormalOID) {
			return cat.SQLType(pgtype.OID(oid)), nil
		}
		r, err := conn.Exec(ctx, fmt.Sprintf("select quote_ident(coalesce(e.typname, t.typname)) || case when e.oid is null then '' else '[]' end"+
			" from pg_type t left join pg_type e on e.typarray = t.oid where t.oid = %d", oid)).ReadAll()
		if err != nil {
			return "", err
		}
		return string(r[0].Rows[0][0]), nil
	}
	var params, columns []string
	for _, oid := range d.ParamOIDs {
		s, err := name(oid)
		if err != nil {
			return "", err
		}
		params = append(params, s)
	}
	for _, f := range d.Fields {
		s, err := name(f.DataTypeOID)
		if err != nil {
			return "", err
		}
		columns = append(columns, f.Name+" "+s)
	}
	return fmt.Sprintf("(%s) → %s", strings.Join(params, ", "), strings.Join(columns, ", ")), nil
}
