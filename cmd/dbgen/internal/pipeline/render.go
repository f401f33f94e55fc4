package pipeline

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/planner/plan"
	"github.com/dbgen/dbgen/templates/emit"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/model"
)

// Render renders the project's Go in memory. With an error among the
// diagnostics there are no files.
func (p *Project) Render() ([]Output, diag.List) {
	pkg, diags := p.model()
	if pkg == nil || diags.HasErrors() {
		return nil, diags
	}
	files, err := emit.Render(pkg)
	if err != nil {
		diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "internal", Message: err.Error()})
		return nil, diags
	}
	var out []Output
	for _, f := range files {
		out = append(out, Output(f))
	}
	return out, diags
}

// model decides names and types of the generated package. It is nil if a query
// has something for which there is no Go.
func (p *Project) model() (*model.Package, diag.List) {
	in := model.Input{
		Catalog: p.Catalog,
		Options: model.Options{Package: p.Config.PackageName(), Types: p.typeOptions(), TenantSetting: p.Config.Tenant.Setting},
	}
	comments := p.StatsFile != nil && (p.Config.PlanComments == nil || *p.Config.PlanComments)
	for _, f := range p.Files {
		mf := model.File{Name: p.nameOf(f), Scoped: f.Scoped}
		for _, q := range f.Queries {
			if q.Analyzed == nil {
				continue
			}
			mq := model.Query{Statement: q.Statement, Analyzed: q.Analyzed, Facts: q.Facts}
			if comments && q.Plan != nil {
				mq.Plan = p.scans(q.Plan.Root)
			}
			mf.Queries = append(mf.Queries, mq)
		}
		in.Files = append(in.Files, mf)
	}
	return model.Build(in)
}

func (p *Project) typeOptions() gotype.Options {
	return gotype.Options{Null: gotype.Null(p.Config.Null)}
}

// nameOf is a query file's name as seen from the configuration, so that what is
// generated does not depend on the folder that dbgen runs in.
func (p *Project) nameOf(f *File) string {
	name := filepath.FromSlash(f.Source.Name)
	dir, err := filepath.Abs(p.Config.Dir)
	if err != nil {
		return f.Source.Name // no current folder: nothing to be relative to
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return f.Source.Name
	}
	if name, err = filepath.Rel(dir, abs); err != nil {
		return f.Source.Name
	}
	return filepath.ToSlash(name)
}

// scans puts the way in which a plan reads its tables into one line, without
// numbers, so that it changes only when the plan does:
//
//	Index Scan using authors_pkey on authors, Seq Scan on books
//
// Scans of several partitions or children, each with an index of its own, are
// one entry for the table at the top.
func (p *Project) scans(root *plan.Node) string {
	var out []string
	root.Walk(func(n *plan.Node) bool {
		if n.ObjectKind != "Relation Name" || n.Kind == plan.ModifyTable {
			return true
		}
		var indexes []string
		n.Walk(func(below *plan.Node) bool {
			switch below.Kind {
			case plan.BitmapAnd, plan.BitmapOr, plan.BitmapIndexScan:
			default:
				if below != n {
					return false // a plan of its own, below an expression
				}
			}
			if below.IndexName != "" {
				indexes = append(indexes, below.IndexName)
			}
			return true
		})
		table, using := n.ObjectName, ""
		if top := p.ancestor(n); top != nil && top.Name != table {
			table, indexes = top.Name, nil
		}
		if len(indexes) > 0 {
			slices.Sort(indexes)
			using = " using " + strings.Join(slices.Compact(indexes), " and ")
		}
		if entry := n.Kind.String() + using + " on " + table; !slices.Contains(out, entry) {
			out = append(out, entry)
		}
		return true
	})
	return strings.Join(out, ", ")
}

// ancestor is the table named in the query of which a scan reads a partition or
// child; nil for a scan of the table itself.
func (p *Project) ancestor(n *plan.Node) *catalog.Table {
	if n.Rel == nil || n.Rel.TopParent == nil || n.RTE == nil {
		return nil
	}
	t := p.Bound.Catalog.Table(n.RTE.Relation)
	for t != nil && len(t.Parents) > 0 {
		t = p.Bound.Catalog.Table(t.Parents[0])
	}
	return t
}
