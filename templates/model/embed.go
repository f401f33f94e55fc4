package model

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/templates/gotype"
	"github.com/dbgen/dbgen/templates/naming"
)

// embed makes the field of an embedded row: the table's struct, or for a
// subquery, CTE or function a struct of the query's own.
func (b *builder) embed(row string, e *analyze.Embed, cols []*query.TargetEntry) *Field {
	first, last := e.First-1, e.Last-1
	part := cols[first : last+1]
	outer := b.nullExtended(e.RTE)
	f := &Field{Column: first, Embed: &Embed{Column: first}}
	if t := b.wholeTable(part); t != nil {
		f.Embed.Struct = b.model(t, part[0].Loc)
		if f.Embed.Struct.ScanAt == "" {
			f.Embed.Struct.ScanAt = b.scope.Name("scan" + f.Embed.Struct.Name + "At")
		}
		f.Name = embedName(e.Name, t, f.Embed.Struct.Name)
		f.Embed.Present = present(b.nullability(t))
		// With a column that is never NULL in the table, inference says
		// whether the row can be missing; it also sees a WHERE that rejects
		// such rows.
		f.Embed.Pointer = outer
		if !b.nullability(t)[f.Embed.Present[0]] {
			f.Embed.Pointer = b.fact(first + f.Embed.Present[0]).Nullable
		}
	} else {
		f.Name = naming.Exported(e.Name)
		f.Embed.Local = true
		f.Embed.Pointer = outer
		f.Embed.Struct = b.localEmbed(row, f.Name, part, first)
		facts := make([]bool, len(part))
		for i := range facts {
			facts[i] = true
		}
		f.Embed.Present = present(facts)
	}
	for i := range f.Embed.Present {
		f.Embed.Present[i] += first
	}
	return f
}

// embedName is the field's name: the alias if somebody meant something by it,
// else the model's name. o for orders says nothing, manager for users does.
func embedName(alias string, t *catalog.Table, model string) string {
	if alias == "" || alias == t.Name || len(alias) < 3 {
		return model
	}
	return naming.Exported(alias)
}

// wholeTable is the table or view whose columns part is; nil if it is none.
func (b *builder) wholeTable(part []*query.TargetEntry) *catalog.Table {
	t := b.in.Catalog.Table(part[0].OrigTable)
	if t == nil || !isTable(t) {
		return nil
	}
	live := liveColumns(t)
	if len(live) != len(part) {
		return nil
	}
	for i, te := range part {
		if te.OrigTable != t.OID || te.OrigColumn != live[i].Number || te.Name != live[i].Name {
			return nil
		}
	}
	return t
}

// localEmbed makes the struct of a relation that is no table.
func (b *builder) localEmbed(row, name string, part []*query.TargetEntry, first int) *Struct {
	s := &Struct{Name: b.scope.Name(row + name)}
	s.Doc = []string{fmt.Sprintf("%s is the part %s of a [%s].", s.Name, name, row)}
	s.ScanAt = b.scope.Name("scan" + s.Name + "At")
	var names []string
	for i, te := range part {
		fact := infer.Column(b.fact(first + i))
		f := &Field{Column: i, PGType: te.Expr.ResultType(), Nullable: fact.Nullable}
		f.Value = b.value(gotype.Request{
			Type: f.PGType, Nullable: fact.Nullable, ElementNullable: fact.ElementNullable,
		}, te.Loc, te.Name)
		s.Fields = append(s.Fields, f)
		names = append(names, naming.Exported(te.Name))
	}
	for i, n := range naming.Unique(names) {
		s.Fields[i].Name = n
	}
	return s
}

// nullExtended reports whether an outer join can leave out the rows of a range
// table entry.
func (b *builder) nullExtended(rte int) bool {
	q := b.query.Analyzed.Query
	if q.JoinTree == nil {
		return false
	}
	found, outer := false, false
	var walk func(n query.JoinNode, under bool)
	walk = func(n query.JoinNode, under bool) {
		switch n := n.(type) {
		case *query.RangeTblRef:
			if n.Index == rte {
				found, outer = true, under
			}
		case *query.FromExpr:
			for _, c := range n.List {
				walk(c, under)
			}
		case *query.JoinExpr:
			walk(n.Left, under || n.Type == query.JoinRight || n.Type == query.JoinFull)
			walk(n.Right, under || n.Type == query.JoinLeft || n.Type == query.JoinFull)
			if n.Index == rte {
				found, outer = true, under
			}
		}
	}
	walk(q.JoinTree, false)
	return found && outer
}
