// Package config reads the configuration: a dbgen.yaml, or a sqlc.yaml or
// sqlc.json as it is.
//
// Reading is strict: an unknown key, a wrong type or a contradiction is an
// error with its place in the file. Paths in a configuration are relative to
// the file; the Config that comes out has them relative to the current folder.
//
// The package imports parser/diag, parser/source, parser/migration for the names
// of formats, planner/lint for the codes of findings and templates/naming for the names of packages.
package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner/lint"
	"github.com/dbgen/dbgen/templates/naming"
)

// FileName is the configuration of the current folder.
const FileName = "dbgen.yaml"

// Versions are the PostgreSQL major versions that can be asked for.
var Versions = []int{15, 16, 17, 18} //nolint:gochecknoglobals // a constant list

// FailOn are the severities from which a run can fail.
var FailOn = []string{"error", "warning", "never"} //nolint:gochecknoglobals // a constant list

// The words of [Config.Trust].
const (
	TrustForeignKeys = "foreign_keys"
	TrustDomains     = "domains"
)

// severities are those that a finding can be given.
var severities = []string{"error", "warning", "info", "off"} //nolint:gochecknoglobals // a constant list

// Config is what a project asks for.
type Config struct {
	// Version is the version of the file's format: 1.
	Version int
	// Postgres is the server's major version, 15 to 18. Defaults to that of
	// the statistics file, else 16.
	Postgres int
	// Schema lists files, directories (migrations too) and globs of DDL.
	Schema []string
	// Format says whose migrations Schema names (goose, flyway, …); "" finds it
	// out for each directory.
	Format string
	// Queries lists files, directories and globs of annotated SQL.
	Queries []string
	// Stats is the statistics file. Defaults to none: plans are then
	// approximate.
	Stats string
	// Catalogs lists files of captured extensions, which dbgen catalog capture
	// writes.
	Catalogs []string
	// Out is the folder that generated Go goes to.
	Out string
	// Package is the generated package's name. Defaults to the last part of
	// Out.
	Package string
	// Null says what a column that can be NULL becomes: pointer, sql
	// (sql.Null) or pgtype. Defaults to pointer.
	Null string
	// PlanComments writes the plan's shape into the doc comment of each
	// method. Defaults to true where there is a statistics file.
	PlanComments *bool
	// FailOn is the severity from which dbgen exits with 1: error, warning or
	// never. Defaults to error, for check to warning.
	FailOn string
	// Trust lists what nullability may rest on beyond what the server checks for
	// every row: foreign_keys, by which a LEFT JOIN along a valid key always finds
	// its row. Row-level security, deferred checks and session_replication_role
	// can break that. Defaults to nothing.
	Trust []string
	// Findings sets the severity of plan findings by code: error, warning,
	// info or off.
	Findings map[string]string
	// Tenant says which repositories run in a tenant's transaction alone. Defaults
	// to none.
	Tenant Tenant

	// Dir is the folder of the file, "" for the current one.
	Dir string
	// File is the file that was read, nil for a configuration from flags.
	File *source.File

	// spans are the places of values by key, for diagnostics.
	spans map[string]source.Span
}

// Tenant scopes repositories to a tenant, whom row-level security finds in a
// setting.
type Tenant struct {
	// Setting is the setting's name, of two words: app.tenant_id. "" scopes
	// nothing.
	Setting string
	// Queries lists files, directories and globs of the scoped query files, which
	// are among those of [Config].Queries. Defaults to all of them.
	Queries []string
}

// Scopes reports whether any repository is scoped.
func (t Tenant) Scopes() bool { return t.Setting != "" }

// Load reads a configuration. The result is usable only if the list has no
// error.
func Load(name string) ([]*Config, diag.List) {
	var diags diag.List
	data, err := os.ReadFile(name)
	if err != nil {
		hint := ""
		if errors.Is(err, os.ErrNotExist) {
			hint = "write one with \"dbgen init\", name one with -f, or give --schema and --queries"
			for _, other := range []string{"sqlc.yaml", "sqlc.yml", "sqlc.json"} {
				if _, err := os.Stat(filepath.Join(filepath.Dir(name), other)); err == nil && name == FileName {
					hint = "there is a " + other + ": read it as it is with -f " + other + ", or write a dbgen.yaml from it with \"dbgen init\""
					break
				}
			}
		}
		diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "config", Message: fmt.Sprintf("read %s: %v", name, cause(err)), Hint: hint})
		return nil, diags
	}
	f := source.NewFile(filepath.ToSlash(name), string(data))
	if isSqlc(name) {
		return loadSqlc(f)
	}
	c := &Config{File: f, Dir: filepath.Dir(name), spans: map[string]source.Span{}}
	r := &reader{file: f, diags: &diags, spans: c.spans}
	if root := r.parse(); root != nil {
		r.mapping(root, "", []field{
			{"version", r.number(&c.Version)},
			{"postgres", r.number(&c.Postgres)},
			{"schema", r.list(&c.Schema, "paths")},
			{"format", r.text(&c.Format)},
			{"queries", r.list(&c.Queries, "paths")},
			{"stats", r.text(&c.Stats)},
			{"catalogs", r.list(&c.Catalogs, "paths")},
			{"out", r.text(&c.Out)},
			{"package", r.text(&c.Package)},
			{"null", r.text(&c.Null)},
			{"plan_comments", r.boolean(&c.PlanComments)},
			{"fail_on", r.text(&c.FailOn)},
			{"trust", r.list(&c.Trust, "words")},
			{"findings", r.words("findings.", &c.Findings)},
			{"tenant", r.nested("tenant.", []field{
				{"setting", r.text(&c.Tenant.Setting)},
				{"queries", r.list(&c.Tenant.Queries, "paths")},
			})},
		})
	}
	if !diags.HasErrors() {
		c.check(&diags)
	}
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

// at reports an error at the place of a key's value.
func (c *Config) at(diags *diag.List, key, hint, format string, args ...any) {
	diags.Add(diag.Diagnostic{
		Severity: diag.Error, Code: "config", Message: fmt.Sprintf(format, args...), Hint: hint,
		File: c.File, Span: c.spans[key],
	})
}

// Span is the place of a key's value in File ("tenant.setting"), or of an item
// of a list ("queries[0]"); none where there is no such value.
func (c *Config) Span(key string) source.Span { return c.spans[key] }

// check reports what a file lacks, and values that cannot be.
func (c *Config) check(diags *diag.List) {
	switch {
	case c.Version == 0:
		c.at(diags, "version", "", "version is missing: write version: 1")
	case c.Version != 1:
		c.at(diags, "version", "", "version must be 1, not %d", c.Version)
	}
	if len(c.Schema) == 0 {
		c.at(diags, "schema", "", "schema is missing: name the migrations or DDL files")
	}
	if len(c.Queries) == 0 {
		c.at(diags, "queries", "", "queries is missing: name the SQL files")
	}
	if c.Postgres != 0 && !slices.Contains(Versions, c.Postgres) {
		c.at(diags, "postgres", "", "postgres must be 15, 16, 17 or 18, not %d", c.Postgres)
	}
	var formats []string
	for _, f := range migration.Formats() {
		formats = append(formats, string(f))
	}
	oneOf := func(key, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			c.at(diags, key, didYouMean(value, allowed), "%s must be %s, not %q", key, oneOfWords(allowed), value)
		}
	}
	oneOf("format", c.Format, formats...)
	oneOf("null", c.Null, "pointer", "sql", "pgtype")
	oneOf("fail_on", c.FailOn, FailOn...)
	for _, t := range c.Trust {
		if t != TrustForeignKeys && t != TrustDomains {
			c.at(diags, "trust", didYouMean(t, []string{TrustForeignKeys, TrustDomains}), "trust can list foreign_keys and domains, not %q", t)
		}
	}
	var codes []string
	for _, r := range lint.Rules() {
		codes = append(codes, r.Code)
	}
	for _, code := range slices.Sorted(maps.Keys(c.Findings)) {
		if !slices.Contains(codes, code) {
			c.at(diags, "findings."+code+":", didYouMean(code, codes), "no finding has the code %q; there are %s to %s", code, codes[0], codes[len(codes)-1])
			continue
		}
		if v := c.Findings[code]; !slices.Contains(severities, v) {
			c.at(diags, "findings."+code, didYouMean(v, severities), "the severity of %s must be %s, not %q", code, oneOfWords(severities), v)
		}
	}
	c.checkTenant(diags)
	if c.Package != "" && !naming.Package(c.Package) {
		c.at(diags, "package", "", "%q cannot be the name of a Go package", c.Package)
	}
}

// settingName is a name that the server takes for a setting of one's own
// (valid_custom_variable_name, guc.c), of two words of ASCII.
var settingName = regexp.MustCompile(`^[A-Za-z_][\w$]*\.[A-Za-z_][\w$]*$`)

// checkTenant reports what is wrong with the scope of a tenant.
func (c *Config) checkTenant(diags *diag.List) {
	at, given := c.spans["tenant"]
	_, listed := c.spans["tenant.queries"]
	switch {
	case !given:
	case c.Tenant.Setting == "":
		if s, ok := c.spans["tenant.setting"]; ok {
			at = s
		}
		diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: "config", File: c.File, Span: at,
			Message: "tenant.setting is missing: name the setting in which the policies find the tenant, such as app.tenant_id",
		})
	case !settingName.MatchString(c.Tenant.Setting):
		c.at(diags, "tenant.setting", "the server takes names of one's own with a point alone, such as app.tenant_id",
			"tenant.setting must be two words with a point between them, not %q", c.Tenant.Setting)
	}
	if listed && len(c.Tenant.Queries) == 0 {
		c.at(diags, "tenant.queries", "leave it out to scope all query files", "tenant.queries names no file")
	}
}

func didYouMean(word string, known []string) string {
	if near, ok := diag.DidYouMean(word, known); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// oneOfWords is "a, b or c".
func oneOfWords(list []string) string {
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
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
	for i, p := range c.Catalogs {
		c.Catalogs[i] = rel(p)
	}
	for i, p := range c.Tenant.Queries {
		c.Tenant.Queries[i] = rel(p)
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
