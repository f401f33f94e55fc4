package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/migration"
)

// catalogs makes the extensions of the configured files known. It reports
// whether all could be read.
func (p *Project) catalogs() bool {
	const hint = "write one with \"dbgen catalog capture --database-url …\""
	bad := func(format string, args ...any) {
		p.Diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: migration.InputCode, Message: fmt.Sprintf(format, args...), Hint: hint,
		})
	}
	var libs []*builtin.Library
	ok := true
	for _, name := range p.Config.Catalogs {
		data, err := os.ReadFile(name)
		if err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			bad("read %s: %v", name, err)
			ok = false
			continue
		}
		l, err := builtin.ReadLibrary(name, string(data))
		if err != nil {
			bad("%s: %v", name, err)
			ok = false
			continue
		}
		libs = append(libs, l)
	}
	if len(libs) > 0 {
		told := map[string]bool{}
		p.Catalog.SetExtensionSource(func(name string) *catalog.AvailableExtension { return p.findExtension(libs, name, told) })
	}
	return ok
}

// findExtension looks for an extension in files. One of another major version
// is better than none; told says of which that was said.
func (p *Project) findExtension(libs []*builtin.Library, name string, told map[string]bool) *catalog.AvailableExtension {
	var lib *builtin.Library
	var block *builtin.Block
	for _, l := range libs {
		b := l.Find(name, p.Catalog.Major)
		if b == nil || block != nil && (block.For(p.Catalog.Major) || !b.For(p.Catalog.Major)) {
			continue
		}
		lib, block = l, b
	}
	if block == nil {
		return nil
	}
	if !block.For(p.Catalog.Major) && !told[name] {
		told[name] = true
		majors := make([]string, len(block.Majors))
		for i, m := range block.Majors {
			majors[i] = strconv.Itoa(m)
		}
		p.Diags.Add(diag.Diagnostic{
			Severity: diag.Warning, Code: "catalog",
			Message: fmt.Sprintf("%s: extension %q was captured from PostgreSQL %s, and this is for %d", lib.Name, name, strings.Join(majors, ", "), p.Catalog.Major),
			Hint:    "capture it from a server of that version, or set the version with postgres: or --postgres",
		})
	}
	return lib.Available(block)
}
