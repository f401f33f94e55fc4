package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
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
		Go map[string]any `yaml:"go"`
	} `yaml:"gen"`
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
// Options of sqlc's generator that dbgen does not have are passed over, which
// is said.
func loadSqlc(f *source.File) ([]*Config, diag.List) {
	var diags diag.List
	var s sqlcFile
	// A key beside a merge key (<<) overrides what is merged, which the library
	// takes for a duplicate.
	if err := yaml.UnmarshalWithOptions([]byte(f.Text), &s, yaml.AllowDuplicateMapKey()); err != nil {
		d := syntaxError(f, err)
		var te *yaml.TypeError
		if errors.As(err, &te) {
			d.Message = fmt.Sprintf("not as sqlc has it: a %s is wanted", kindWord(te.DstType))
		}
		diags.Add(d)
		return nil, diags
	}
	var out []*Config
	passed := map[string]bool{}
	add := func(engine string, schema, queries []string, pkg, to string) {
		if engine != "" && engine != "postgresql" {
			diags.Add(diag.Diagnostic{
				Severity: diag.Warning, Code: "config", File: f,
				Message: fmt.Sprintf("not supported yet: a block of engine %s is passed over; dbgen reads postgresql", engine),
			})
			return
		}
		c := &Config{Version: 1, Schema: schema, Queries: queries, Package: pkg, Out: to, Dir: filepath.Dir(f.Name), File: f}
		if len(schema) == 0 || len(queries) == 0 {
			diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "config", File: f, Message: "a block lacks schema or queries"})
		}
		c.resolve()
		out = append(out, c)
	}
	for _, b := range s.SQL {
		text := func(key string) string {
			v, _ := b.Gen.Go[key].(string)
			return v
		}
		add(b.Engine, b.Schema, b.Queries, text("package"), text("out"))
		for key := range b.Gen.Go {
			if key != "package" && key != "out" && key != "sql_package" {
				passed[key] = true
			}
		}
	}
	for _, p := range s.Packages {
		add(p.Engine, p.Schema, p.Queries, p.Name, p.Path)
	}
	if len(out) == 0 && !diags.HasErrors() {
		diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "config", Message: "no block for postgresql", File: f})
	}
	if len(passed) > 0 {
		diags.Add(diag.Diagnostic{
			Severity: diag.Info, Code: "config", File: f,
			Message: "options of sqlc's generator are passed over: " + strings.Join(slices.Sorted(maps.Keys(passed)), ", "),
		})
	}
	return out, diags
}

// kindWord is a Go type in the words of YAML.
func kindWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "list"
	case reflect.Struct, reflect.Map:
		return "mapping"
	case reflect.String:
		return "text"
	}
	return t.Kind().String()
}
