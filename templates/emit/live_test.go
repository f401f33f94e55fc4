package emit_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/runtime/pgtest"
	"github.com/dbgen/dbgen/templates/model"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestPrepare has a server prepare what each method sends, with the package's
// search path, and compares the number of its parameters and columns with the
// method's.
func TestPrepare(t *testing.T) {
	t.Parallel()
	for _, g := range cases() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			schema, _ := g.paths()
			files, diags := migration.Load([]string{filepath.ToSlash(schema)})
			noErrors(t, diags)
			var texts []string
			for _, f := range files {
				texts = append(texts, f.Text)
			}
			conn := pgtest.New(t, pgtest.SQL(texts...)).Conn()
			in := g.input(t)
			p, diags := model.Build(in)
			noErrors(t, diags)
			searched := slices.DeleteFunc(slices.Clone(in.Catalog.SearchPath), func(s string) bool { return in.Catalog.Schema(s) == nil })
			var path []string
			if err := conn.QueryRow(t.Context(), "SELECT current_schemas(false) FROM set_config('search_path', $1, false)", p.SearchPath).Scan(&path); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(searched, path); diff != "" {
				t.Errorf("search path %s: %s", p.SearchPath, diff)
			}
			for _, r := range p.Repositories {
				for _, m := range r.Methods {
					s, err := conn.Prepare(t.Context(), m.Name, m.SQL)
					if err != nil {
						t.Errorf("%s: %v\n%s", m.Name, err, m.SQL)
						continue
					}
					if len(s.ParamOIDs) != len(m.Params) {
						t.Errorf("%s: %d parameters, the server wants %d", m.Name, len(m.Params), len(s.ParamOIDs))
					}
					if want := columns(m.Result); m.Result != nil && len(s.Fields) != want {
						t.Errorf("%s: %d columns, the server has %d", m.Name, want, len(s.Fields))
					}
				}
			}
		})
	}
}

// columns is how many columns of a result are read.
func columns(r *model.Result) int {
	if r == nil || r.Scalar != nil {
		return 1
	}
	return fields(r.Struct)
}

func fields(s *model.Struct) int {
	n := 0
	for _, f := range s.Fields {
		if f.Embed != nil {
			n += fields(f.Embed.Struct)
		} else {
			n++
		}
	}
	return n
}
