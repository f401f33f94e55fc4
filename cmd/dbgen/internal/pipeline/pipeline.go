// Package pipeline runs the street from files to findings: it loads schema,
// queries and statistics, analyses and plans each query, and renders Go.
//
// Each stage collects its diagnostics and goes on as far as it can, so that one
// run reports all that is wrong. Nothing is written here but through [Write].
//
// The package imports everything but cmd/dbgen/internal/cli.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/migration"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
	"github.com/dbgen/dbgen/planner/stats"
	"github.com/dbgen/dbgen/templates/model"
)

// Project is a loaded project.
type Project struct {
	Config  *config.Config
	Catalog *catalog.Catalog
	// Bound lays the statistics over the catalog; with no file it knows
	// nothing.
	Bound *stats.Bound
	// StatsFile is nil without a statistics file.
	StatsFile *stats.File
	Files     []*File
	Diags     diag.List
	// Unusable says that something could not be read at all, a file of SQL or
	// the statistics: what is known of the queries would be misleading.
	Unusable bool
	// Progress is told how far long work is; nil for nobody.
	Progress func(stage string, done, total int)
}

// File is one query file.
type File struct {
	Source  *source.File
	Queries []*Query
	// Scoped says that its repository runs in a tenant's transaction alone.
	Scoped bool
}

// Query is one statement on its way.
type Query struct {
	// Name is that of the annotation, else the file's stem.
	Name      string
	Statement *parser.Statement
	// Analyzed and Facts are nil if analysis failed.
	Analyzed *analyze.Analyzed
	Facts    *infer.Facts
	// Plan is nil until [Project.Plan].
	Plan *planner.Result

	// params says of each parameter whether it takes NULL; as long as those of
	// Analyzed.
	params []infer.Param
	// values are those that Plan was made for.
	values map[int]*query.Const
}

// Named reports whether the statement has an annotation.
func (q *Query) Named() bool { return q.Statement.Annotation != nil }

// Load reads and analyses a project. Unnamed statements of query files are kept
// if unnamed is set, else passed over.
func Load(ctx context.Context, c *config.Config, unnamed bool) *Project {
	p := &Project{Config: c}
	p.load(ctx, unnamed)
	p.Unusable = p.Unusable || c.Stats != "" && p.StatsFile == nil
	for i := range p.Diags {
		p.Unusable = p.Unusable || p.Diags[i].Severity == diag.Error && p.Diags[i].Code == "input"
	}
	return p
}

func (p *Project) load(ctx context.Context, unnamed bool) {
	c := p.Config
	file := p.readStats()
	major := c.Postgres
	if major == 0 && file != nil && file.Server != nil {
		major = file.Server.VersionNum / 10000
	}
	if !slices.Contains(config.Versions, major) {
		if major != 0 {
			p.fail("stats", fmt.Sprintf("the statistics file is of PostgreSQL %d; dbgen knows 15 to 18", major))
		}
		major = 16
	}
	b, err := builtin.Load(major)
	if err != nil {
		p.fail("internal", err.Error())
		return
	}
	p.Catalog = catalog.New(b)
	if !p.catalogs() || !p.schema() || ctx.Err() != nil {
		return
	}
	p.bind(file)
	p.queries(ctx, unnamed)
}

func (p *Project) fail(code, message string) {
	p.Diags.Add(diag.Diagnostic{Severity: diag.Error, Code: code, Message: message})
}

func (p *Project) readStats() *stats.File {
	name := p.Config.Stats
	if name == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		d := diag.Diagnostic{Severity: diag.Error, Code: "stats", Message: fmt.Sprintf("read %s: %v", name, err)}
		if errors.Is(err, fs.ErrNotExist) {
			d.Hint = "pull one with \"dbgen stats pull --database-url …\", or write one by hand: {\"format\": \"dbgen-stats/1\", \"tables\": {\"orders\": {\"rows\": 6000000}}}"
		}
		p.Diags.Add(d)
		return nil
	}
	f, diags := stats.Read(filepath.ToSlash(name), data)
	p.Diags.Append(diags)
	if diags.HasErrors() {
		return nil
	}
	p.StatsFile = f
	return f
}

// schema reports whether all files of the schema could be read.
func (p *Project) schema() bool {
	files, diags := migration.LoadAs(p.Config.Schema, migration.Format(p.Config.Format))
	p.Diags.Append(diags)
	if slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == migration.InputCode }) {
		return false
	}
	stmts, diags := parser.ParseFiles(files, parser.Schema)
	p.Diags.Append(diags)
	p.Diags.Append(ddl.Apply(p.Catalog, stmts))
	return true
}

func (p *Project) bind(f *stats.File) {
	opts := stats.BindOptions{}
	if f != nil {
		if data, err := os.ReadFile(p.Config.Stats); err == nil {
			opts.Source = source.NewFile(filepath.ToSlash(p.Config.Stats), string(data))
		}
	}
	b, diags := stats.Bind(f, p.Catalog, opts)
	p.Bound = b
	p.Diags.Append(diags)
}

func (p *Project) queries(ctx context.Context, unnamed bool) {
	names, diags := migration.Expand(p.Config.Queries)
	p.Diags.Append(diags)
	// A file in a folder and named by itself as well is one file.
	seen := map[string]bool{}
	names = slices.DeleteFunc(names, func(n string) bool {
		n = path.Clean(n)
		again := seen[n]
		seen[n] = true
		return again
	})
	files, diags := migration.Sources(names)
	p.Diags.Append(diags)
	for _, f := range files {
		f.Rank = 1 // what is wrong with the schema is told first
	}
	stmts, diags := parser.ParseFiles(files, parser.Queries)
	p.Diags.Append(diags)
	byFile := map[*source.File]*File{}
	for _, f := range files {
		qf := &File{Source: f}
		byFile[f] = qf
		p.Files = append(p.Files, qf)
	}
	p.scope()
	found := 0
	for _, s := range stmts {
		if ctx.Err() != nil {
			return
		}
		if s.Annotation == nil && !unnamed {
			continue
		}
		found++
		f := byFile[s.File]
		q := &Query{Statement: s, Name: queryName(f, s)}
		f.Queries = append(f.Queries, q)
		a, diags := analyze.Statement(p.Catalog, s)
		for i := range diags {
			diags[i].Query = q.Name
			oneType(s, &diags[i])
		}
		p.Diags.Append(diags)
		if a != nil && !diags.HasErrors() {
			q.Analyzed, q.params = a, model.ParamsNullable(p.Catalog, s, a)
			q.Facts = infer.With(p.Catalog, a.Query, infer.Options{
				TrustForeignKeys: slices.Contains(p.Config.Trust, config.TrustForeignKeys),
				TrustDomains:     slices.Contains(p.Config.Trust, config.TrustDomains),
				Params:           model.ParamsNeverNull(p.Catalog, a, q.params, p.typeOptions()),
			})
		}
	}
	if found == 0 && !p.Diags.HasErrors() {
		p.Diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: "input", Message: "no query in " + strings.Join(p.Config.Queries, ", "),
			Hint: "a query begins with a line such as \"-- name: GetAuthor :one\"",
		})
	}
}

func queryName(f *File, s *parser.Statement) string {
	if s.Annotation != nil {
		return s.Annotation.Name
	}
	stem := strings.TrimSuffix(path.Base(f.Source.Name), path.Ext(f.Source.Name))
	if n := len(f.Queries); n > 0 {
		return fmt.Sprintf("%s_%d", stem, n+1)
	}
	return stem
}

// All yields every query in order.
func (p *Project) All() []*Query {
	var out []*Query
	for _, f := range p.Files {
		out = append(out, f.Queries...)
	}
	return out
}

// Plan plans every analysed query that has no plan yet, with the given values
// for parameters by query.
func (p *Project) Plan(ctx context.Context, values func(*Query) map[int]*query.Const) {
	all := p.All()
	for i, q := range all {
		if ctx.Err() != nil {
			return
		}
		p.progress("plan", i, len(all))
		if q.Analyzed == nil || q.Plan != nil {
			continue
		}
		if values != nil {
			q.values = values(q)
		}
		q.Plan = planner.Plan(p.Bound, q.Analyzed.Query, planner.Options{Params: q.values})
	}
}

func (p *Project) progress(stage string, done, total int) {
	if p.Progress != nil {
		p.Progress(stage, done, total)
	}
}
