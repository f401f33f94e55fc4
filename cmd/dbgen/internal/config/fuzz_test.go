package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad holds that no file makes reading panic, and that what is read without
// an error can be worked with.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"version: 1\nschema: [a]\nqueries: [b]\n", "version: 1\nnull: sql\nfindings: {PL001: off}\n", "- a\n",
		"version: 1\nschema: [a]\nqueries: [b]\ntenant: {setting: app.tenant_id, queries: [b]}\n", "version: 1\ntenant:\n", "&a [*a]", "!!x y",
		"a: |\n  b\n", "? a\n: b\n", "<<: {}\n", "version: 1\n---\nb\n", "\x00", "é: [\"ü\", 'x\n",
		`{"version": "2", "sql": [{"engine": "postgresql", "schema": ["a"], "queries": "q", "gen": {"go": {"out": "x"}}}]}`,
		"version: '1'\npackages: [{path: x, schema: s, queries: [q]}]\n",
	} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, sqlc bool) {
		name := filepath.Join(t.TempDir(), "dbgen.yaml")
		if sqlc {
			name = filepath.Join(filepath.Dir(name), "sqlc.yaml")
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, diags := Load(name)
		for i := range diags {
			d := &diags[i]
			if d.Message == "" {
				t.Error("a diagnostic without a message")
			}
			if d.File != nil && (d.Span.Start < 0 || d.Span.End < d.Span.Start || d.Span.End > len(d.File.Text)) {
				t.Errorf("%s has the place %v in %d bytes", d.Message, d.Span, len(d.File.Text))
			}
		}
		if diags.HasErrors() {
			return
		}
		if len(list) == 0 {
			t.Fatal("neither a configuration nor an error")
		}
		for _, c := range list {
			if len(c.Schema) == 0 || len(c.Queries) == 0 {
				t.Errorf("%+v lacks schema or queries", c)
			}
			if strings.Count(c.Tenant.Setting, ".") != 1 && c.Tenant.Scopes() || !c.Tenant.Scopes() && c.Tenant.Queries != nil {
				t.Errorf("scoped by %+v", c.Tenant)
			}
		}
	})
}
