package pipeline

import (
	"fmt"
	"path/filepath"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/migration"
)

// scope marks the files whose repositories are scoped to a tenant. A path that
// names no query file is an error: what it was meant for would not be scoped.
func (p *Project) scope() {
	tenant := p.Config.Tenant
	if !tenant.Scopes() {
		return
	}
	files := map[string]*File{}
	for _, f := range p.Files {
		f.Scoped = len(tenant.Queries) == 0
		files[whole(f.Source.Name)] = f
	}
	for i, pattern := range tenant.Queries {
		fail := func(hint, format string, args ...any) {
			p.Diags.Add(diag.Diagnostic{
				Severity: diag.Error, Code: "config", Message: fmt.Sprintf(format, args...), Hint: hint,
				File: p.Config.File, Span: p.Config.Span(fmt.Sprintf("tenant.queries[%d]", i)),
			})
		}
		names, diags := migration.Expand([]string{pattern})
		if diags.HasErrors() {
			fail("", "%s: %s", pattern, diags[0].Message)
			continue
		}
		for _, name := range names {
			f := files[whole(name)]
			if f == nil {
				fail("queries lists what is generated, tenant.queries which of it is scoped", "%s is none of the query files", name)
				continue
			}
			f.Scoped = true
		}
	}
}

// whole is a file's path from the root, by which two ways to name it are one.
func whole(name string) string {
	if abs, err := filepath.Abs(filepath.FromSlash(name)); err == nil {
		return abs
	}
	return filepath.Clean(name) // no current folder: nothing to be relative to
}
