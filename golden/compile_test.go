package golden_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module      = "github.com/dbgen/dbgen"
	runtimePath = module + "/runtime"
)

// compiler type-checks Go against the compiled form of what it imports.
type compiler struct {
	fset     *token.FileSet
	exports  map[string]string
	importer types.Importer
	// folders are the generated packages by their import path.
	folders map[string]string
}

func newCompiler(t *testing.T) *compiler {
	t.Helper()
	c := &compiler{fset: token.NewFileSet(), exports: map[string]string{}, folders: map[string]string{}}
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Dir", "./...", "../runtime/pool", "../runtime/txn")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct{ ImportPath, Export, Dir string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		c.exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/golden/") {
			c.folders[p.ImportPath] = p.Dir
		}
	}
	c.importer = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		name := c.exports[path]
		if name == "" {
			return nil, fmt.Errorf("%s is not compiled", path)
		}
		return os.Open(name)
	})
	return c
}

// check type-checks the files of a package.
func (c *compiler) check(path string, files []*ast.File) (*types.Info, error) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	config := types.Config{Importer: c.importer}
	_, err := config.Check(path, c.fset, files, info)
	return info, err
}

func (c *compiler) parse(t *testing.T, name string, text any) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(c.fset, name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestScopedByType holds that what is scoped to a tenant takes nothing but a
// tenant's transaction: all else does not compile.
func TestScopedByType(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	const file = `package try

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dbgen/dbgen/golden/tenantonly"
	"github.com/dbgen/dbgen/golden/tenants"
	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
	"github.com/dbgen/dbgen/runtime/txn"
)

// own has the methods of a TenantDB that can be written down elsewhere.
type own struct{ runtime.DB }

func (own) Tenant() string { return "a" }
func (own) tenantScoped()  {}

func try(ctx context.Context, p *pool.Pool, conn *pool.Conn, tx *txn.Tx, tenant *txn.TenantTx, pgxTx pgx.Tx, pgxConn *pgx.Conn,
	pgxPool *pgxpool.Pool, db runtime.DB, m *txn.Manager) {
	var _, _, _, _, _, _, _, _, _, _, _ any = ctx, p, conn, tx, tenant, pgxTx, pgxConn, pgxPool, db, m, own{}
	_, _ = tenantonly.New, tenants.New
	%s
}
`
	compiles := func(statement string) error {
		_, err := c.check("try", []*ast.File{c.parse(t, "try.go", fmt.Sprintf(file, statement))})
		return err
	}
	for _, constructor := range []string{
		"tenants.NewInvoiceRepository", "tenants.NewCustomerRepository", "tenants.NewTenantQueries", "tenantonly.New",
		"tenantonly.NewPlanRepository", "tenants.NewInvoiceRepository(tenant).WithTx", "tenants.NewTenantQueries(tenant).WithTx",
		"tenantonly.New(tenant).WithTx",
	} {
		if err := compiles(constructor + "(tenant)"); err != nil {
			t.Errorf("%s does not take a tenant's transaction: %v", constructor, err)
		}
		for _, db := range []string{"p", "conn", "tx", "pgxTx", "pgxConn", "pgxPool", "db", "own{}"} {
			err := compiles(fmt.Sprintf("%s(%s)", constructor, db))
			if err == nil || !strings.Contains(err.Error(), "does not implement runtime.TenantDB") {
				t.Errorf("%s takes %s: %v", constructor, db, err)
			}
		}
	}
	for _, fine := range []string{
		"tenants.New(p)", "tenants.New(tenant)", "tenants.NewPlanRepository(tx)",
		"tenants.New(p).InTx(ctx, m, func(ctx context.Context, q *tenants.Queries) error { return nil }, txn.ReadOnly())",
		`tenants.InTenant(ctx, m, "a", func(ctx context.Context, q *tenants.TenantQueries) error { return nil }, txn.ReadOnly())`,
		`tenantonly.InTenant(ctx, m, "a", func(ctx context.Context, q *tenantonly.Queries) error { return nil })`,
	} {
		if err := compiles(fine); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
	for _, wrong := range []string{
		"tenants.New(p).ListCustomers(ctx)", "tenants.New(tenant).LastNumber(ctx)", // not of Queries
		"tenantonly.New(tenant).InTx(ctx, m, nil)",
		"tenants.InvoiceRepository{p}", "tenants.InvoiceRepository{db: p}", // the field is the package's own
	} {
		if compiles(wrong) == nil {
			t.Errorf("%s compiles", wrong)
		}
	}
}

// TestNoSQLText holds that no caller can bring SQL into a generated package: every
// statement is a constant, held by a variable that is not exported and that the
// package only hands to the runtime, which in turn nobody else's statement is
// given to; and no exported name takes or shows a statement.
func TestNoSQLText(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	if len(c.folders) < 8 {
		t.Fatalf("only %d packages", len(c.folders))
	}
	statements := 0
	for path, dir := range c.folders {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var files []*ast.File
		for _, name := range names {
			files = append(files, c.parse(t, name, nil))
		}
		info, err := c.check(path, files)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			g := &guard{compiler: c, t: t, info: info}
			g.file(f)
			statements += g.statements
		}
	}
	if statements < 150 {
		t.Errorf("only %d statements were seen", statements)
	}
}

// guard looks at one file.
type guard struct {
	*compiler
	t          *testing.T
	info       *types.Info
	statements int
}

func (g *guard) errorf(n ast.Node, format string, args ...any) {
	g.t.Helper()
	g.t.Errorf("%s: %s", g.fset.Position(n.Pos()), fmt.Sprintf(format, args...))
}

// runners are the functions of the runtime that take a statement.
var runners = []string{"One", "Opt", "Many", "Iter", "Exec", "ExecRows"} //nolint:gochecknoglobals // a constant list

// of reports whether a type is, or is made of, one of package runtime.
func of(typ types.Type, name string) bool {
	found := false
	seen := map[types.Type]bool{}
	var walk func(types.Type)
	walk = func(typ types.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		switch typ := types.Unalias(typ).(type) {
		case *types.Named:
			o := typ.Obj()
			found = found || o.Pkg() != nil && o.Pkg().Path() == runtimePath && o.Name() == name
		case *types.Pointer:
			walk(typ.Elem())
		case *types.Slice:
			walk(typ.Elem())
		case *types.Signature:
			for _, tuple := range []*types.Tuple{typ.Params(), typ.Results()} {
				for v := range tuple.Variables() {
					walk(v.Type())
				}
			}
		}
	}
	walk(typ)
	return found
}

func (g *guard) file(f *ast.File) {
	allowed := map[*ast.Ident]bool{} // uses of statements in the one place they belong
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					g.values(v)
				}
			}
		case *ast.FuncDecl:
			if o := g.info.Defs[d.Name]; d.Name.IsExported() && of(o.Type(), "Query") {
				g.errorf(d, "%s takes or returns a statement", d.Name.Name)
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					if of(g.info.TypeOf(n), "Query") {
						g.errorf(n, "a statement is made in a function")
					}
				case *ast.CallExpr:
					g.call(n, allowed)
				}
				return true
			})
		}
	}
	for id, o := range g.info.Uses {
		if v, ok := o.(*types.Var); ok && g.fset.File(id.Pos()) == g.fset.File(f.Pos()) && of(v.Type(), "Query") && !allowed[id] {
			g.errorf(id, "the statement %s is used other than as that of a call of the runtime", id.Name)
		}
	}
}

// values looks at a declaration of variables or constants of the package.
func (g *guard) values(spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		o := g.info.Defs[name]
		if o == nil || !of(o.Type(), "Query") {
			continue
		}
		if name.IsExported() {
			g.errorf(name, "the statement %s is exported, so anybody can change it", name.Name)
		}
		g.statements++
		for _, e := range spec.Values[i].(*ast.CompositeLit).Elts {
			kv := e.(*ast.KeyValueExpr)
			if kv.Key.(*ast.Ident).Name == "SQL" && g.info.Types[kv.Value].Value == nil {
				g.errorf(kv, "the SQL of %s is no constant", name.Name)
			}
		}
	}
}

// call looks at a call: those of the runtime have a statement as their third
// argument, and no method of the connection is called.
func (g *guard) call(n *ast.CallExpr, allowed map[*ast.Ident]bool) {
	sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
	if !ok {
		return
	}
	if s := g.info.Selections[sel]; s != nil {
		if of(s.Recv(), "DB") || of(s.Recv(), "TenantDB") {
			g.errorf(n, "%s of the connection is called", sel.Sel.Name)
		}
		return
	}
	f, ok := g.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg().Path() != runtimePath || !slices.Contains(runners, f.Name()) {
		return
	}
	if id, ok := n.Args[2].(*ast.Ident); ok {
		allowed[id] = true
		return
	}
	g.errorf(n, "the statement of the call is no variable of the package")
}
