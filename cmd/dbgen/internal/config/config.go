// Package config reads the configuration: a dbgen.yaml, or a sqlc.yaml or
// sqlc.json as it is.
//
// Reading is strict: an unknown key, a wrong type or a contradiction is an
// error with its place in the file. Paths in a configuration are relative to
// the file; the Config that comes out has them relative to the current folder.
//
// The package imports parser/diag and parser/source.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// FileName is the configuration of the current folder.
const FileName = "dbgen.yaml"

// Versions are the PostgreSQL major versions that can be asked for.
var Versions = []int{15, 16, 17, 18} //nolint:gochecknoglobals // a constant list

// Config is what a project asks for.
type Config struct {
	// Version is the version of the file's format: 1.
	Version int `yaml:"version"`
	// Postgres is the server's major version, 15 to 18. Defaults to that of
	// the statistics file, else 16.
	Postgres int `yaml:"postgres"`
	// Schema lists files, directories (migrations too) and globs of DDL.
	Schema []string `yaml:"schema"`
	// Queries lists files, directories and globs of annotated SQL.
	Queries []string `yaml:"queries"`
	// Stats is the statistics file. Defaults to none: plans are then
	// approximate.
	Stats string `yaml:"stats"`
	// Out is the folder that generated Go goes to.
	Out string `yaml:"out"`
	// Package is the generated package's name. Defaults to the last part of
	// Out.
	Package string `yaml:"package"`
	// Null says what a column that can be NULL becomes: pointer, sql
	// (sql.Null) or pgtype. Defaults to pointer.
	Null string `yaml:"null"`
	// PlanComments writes the plan's shape into the doc comment of each
	// method. Defaults to true where there is a statistics file.
	PlanComments *bool `yaml:"plan_comments"`
	// FailOn is the severity from which dbgen exits with 1: error, warning or
	// never. Defaults to error, for check to warning.
	FailOn string `yaml:"fail_on"`
	// Findings sets the severity of plan findings by code: error, warning,
	// info or off.
	Findings map[string]string `yaml:"findings"`

	// Dir is the folder of the file, "" for the current one.
	Dir string `yaml:"-"`
	// File is the file that was read, nil for a configuration from flags.
	File *source.File `yaml:"-"`
}

// Load reads a configuration. The result is usable only if the list has no
// error.
func Load(name string) ([]*Config, diag.List) {
	var diags diag.List
	data, err := os.ReadFile(name)
	if err != nil {
		hint := ""
		if errors.Is(err, os.ErrNotExist) {
			hint = "write one with \"dbgen init\", name one with -f, or give --schema and --queries"
		}
		diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "config", Message: fmt.Sprintf("read %s: %v", name, cause(err)), Hint: hint})
		return nil, diags
	}
	f := source.NewFile(filepath.ToSlash(name), string(data))
	if isSqlc(name) {
		return loadSqlc(f)
	}
	c := &Config{}
	if !decode(f, c, &diags) {
		return nil, diags
	}
	c.File, c.Dir = f, filepath.Dir(name)
	c.check(&diags)
	c.resolve()
	return []*Config{c}, diags
}

// cause drops the path that an *os.PathError repeats.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// decode reads YAML or JSON strictly into v and reports what is wrong at its
// place.
func decode(f *source.File, v any, diags *diag.List) bool {
	err := yaml.UnmarshalWithOptions([]byte(f.Text), v, yaml.Strict())
	if err == nil {
		return true
	}
	d := diag.Diagnostic{Severity: diag.Error, Code: "config", Message: err.Error(), File: f}
	var ye yaml.Error
	if errors.As(err, &ye) {
		d.Message = strings.ToLower(ye.GetMessage()[:1]) + ye.GetMessage()[1:]
		if t := ye.GetToken(); t != nil {
			start := offsetOf(f, t.Position.Line, t.Position.Column)
			d.Span = source.Span{Start: start, End: start + max(len(t.Value), 1)}
			if strings.Contains(d.Message, "unknown field") {
				if near, ok := diag.DidYouMean(t.Value, keys(v)); ok {
					d.Hint = fmt.Sprintf("did you mean %q?", near)
				}
			}
		}
	}
	diags.Add(d)
	return false
}

func offsetOf(f *source.File, line, column int) int {
	at := 0
	for n := 1; n < line; n++ {
		next := strings.IndexByte(f.Text[at:], '\n')
		if next < 0 {
			return len(f.Text)
		}
		at += next + 1
	}
	return min(at+column-1, len(f.Text))
}

// keys lists the YAML keys of a struct.
func keys(v any) []string {
	t := reflect.TypeOf(v).Elem()
	var out []string
	for i := range t.NumField() {
		if k := t.Field(i).Tag.Get("yaml"); k != "-" && k != "" {
			out = append(out, k)
		}
	}
	return out
}

// at reports an error at the first place where a key's value stands.
func (c *Config) at(diags *diag.List, key, value, format string, args ...any) {
	d := diag.Diagnostic{Severity: diag.Error, Code: "config", Message: fmt.Sprintf(format, args...), File: c.File}
	if c.File != nil {
		line := strings.Index(c.File.Text, key+":")
		if line >= 0 {
			d.Span = source.Span{Start: line, End: line + len(key)}
			if i := strings.Index(c.File.Text[line:], value); value != "" && i >= 0 {
				d.Span = source.Span{Start: line + i, End: line + i + len(value)}
			}
		}
	}
	diags.Add(d)
}

func (c *Config) check(diags *diag.List) {
	if c.Version != 1 {
		c.at(diags, "version", fmt.Sprint(c.Version), "version must be 1")
	}
	c.Check(diags)
	if len(c.Schema) == 0 {
		c.at(diags, "schema", "", "schema is missing: name the migrations or DDL files")
	}
	if len(c.Queries) == 0 {
		c.at(diags, "queries", "", "queries is missing: name the SQL files")
	}
}

// Check reports values that cannot be, of a configuration from flags as well.
func (c *Config) Check(diags *diag.List) {
	if c.Postgres != 0 && !slices.Contains(Versions, c.Postgres) {
		c.at(diags, "postgres", fmt.Sprint(c.Postgres), "postgres must be one of 15, 16, 17 and 18, not %d", c.Postgres)
	}
	oneOf := func(key, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			c.at(diags, key, value, "%s must be %s, not %q", key, strings.Join(allowed, ", "), value)
		}
	}
	oneOf("null", c.Null, "pointer", "sql", "pgtype")
	oneOf("fail_on", c.FailOn, "error", "warning", "never")
	for _, code := range sortedKeys(c.Findings) {
		if v := c.Findings[code]; !slices.Contains([]string{"error", "warning", "info", "off"}, v) {
			c.at(diags, code, v, "the severity of %s must be error, warning, info or off, not %q", code, v)
		}
	}
}

func sortedKeys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// resolve makes paths relative to the current folder.
func (c *Config) resolve() {
	rel := func(p string) string {
		if p == "" || filepath.IsAbs(p) {
			return p
		}
		return filepath.ToSlash(filepath.Join(c.Dir, p))
	}
	for i, p := range c.Schema {
		c.Schema[i] = rel(p)
	}
	for i, p := range c.Queries {
		c.Queries[i] = rel(p)
	}
	c.Stats, c.Out = rel(c.Stats), rel(c.Out)
}

// PackageName is the package to generate: Package, else the last part of Out.
func (c *Config) PackageName() string {
	if c.Package != "" {
		return c.Package
	}
	if c.Out == "" || c.Out == "." {
		return "db"
	}
	name := strings.ToLower(filepath.Base(c.Out))
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return -1
	}, name)
}
