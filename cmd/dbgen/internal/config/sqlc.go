package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

func isSqlc(name string) bool {
	base := strings.ToLower(filepath.Base(name))
	return strings.HasPrefix(base, "sqlc.") || strings.HasPrefix(base, "sqlc-")
}

// sqlcFile is what dbgen reads of a sqlc configuration; both formats, 1 and 2.
type sqlcFile struct {
	Version  string        `yaml:"version"`
	SQL      []sqlcSQL     `yaml:"sql"`
	Packages []sqlcPackage `yaml:"packages"`
}

type sqlcSQL struct {
	Engine  string   `yaml:"engine"`
	Schema  oneOrAll `yaml:"schema"`
	Queries oneOrAll `yaml:"queries"`
	Gen     struct {
		Go *sqlcGo `yaml:"go"`
	} `yaml:"gen"`
}

type sqlcGo struct {
	Package  string `yaml:"package"`
	Out      string `yaml:"out"`
	Pointers bool   `yaml:"emit_pointers_for_null_types"`
	Package5 string `yaml:"sql_package"`
}

type sqlcPackage struct {
	Name    string   `yaml:"name"`
	Path    string   `yaml:"path"`
	Engine  string   `yaml:"engine"`
	Schema  oneOrAll `yaml:"schema"`
	Queries oneOrAll `yaml:"queries"`
}

// oneOrAll is a string or a list of strings.
type oneOrAll []string

// UnmarshalYAML accepts both forms.
func (o *oneOrAll) UnmarshalYAML(data []byte) error {
	var one string
	if err := yaml.Unmarshal(data, &one); err == nil {
		*o = oneOrAll{one}
		return nil
	}
	var all []string
	if err := yaml.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("a path or a list of paths is wanted")
	}
	*o = all
	return nil
}

// loadSqlc reads a sqlc configuration: one Config for each PostgreSQL block.
// Options of sqlc's generator that dbgen does not have are passed over.
func loadSqlc(f *source.File) ([]*Config, diag.List) {
	var diags diag.List
	var s sqlcFile
	if err := yaml.Unmarshal([]byte(f.Text), &s); err != nil {
		decode(f, &s, &diags)
		if !diags.HasErrors() {
			diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "config", Message: err.Error(), File: f})
		}
		return nil, diags
	}
	var out []*Config
	add := func(engine string, schema, queries []string, pkg, to string) {
		if engine != "" && engine != "postgresql" {
			diags.Add(diag.Diagnostic{
				Severity: diag.Warning, Code: "config", File: f,
				Message: fmt.Sprintf("not supported yet: a block of engine %s is passed over; dbgen reads postgresql", engine),
			})
			return
		}
		c := &Config{Version: 1, Schema: schema, Queries: queries, Package: pkg, Out: to, Dir: filepath.Dir(f.Name), File: f}
		c.resolve()
		out = append(out, c)
	}
	for _, b := range s.SQL {
		if b.Gen.Go == nil {
			add(b.Engine, b.Schema, b.Queries, "", "")
			continue
		}
		add(b.Engine, b.Schema, b.Queries, b.Gen.Go.Package, b.Gen.Go.Out)
	}
	for _, p := range s.Packages {
		add(p.Engine, p.Schema, p.Queries, p.Name, p.Path)
	}
	if len(out) == 0 && !diags.HasErrors() {
		diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "config", Message: "no block for postgresql", File: f})
	}
	return out, diags
}
