package pipeline

import (
	"fmt"

	"github.com/dbgen/dbgen/parser/annotation"
)

// annotated returns what the text says of a parameter, nil for a plain $n.
func (q *Query) annotated(number int) *annotation.Param {
	for i := range q.Statement.Params {
		if q.Statement.Params[i].Number == number {
			return &q.Statement.Params[i]
		}
	}
	return nil
}

// ParamName is the name of the i-th parameter: as written, else of the column
// or clause that it is nearest to, else arg and its number.
func (p *Project) ParamName(q *Query, i int) string {
	prm := q.Analyzed.Params[i]
	if a := q.annotated(prm.Number); a != nil && a.Name != "" {
		return a.Name
	}
	if prm.NameHint != "" {
		return prm.NameHint
	}
	return fmt.Sprintf("arg%d", prm.Number)
}

// ParamNullable reports whether NULL is a sensible value for the i-th
// parameter: it was asked for, or it is stored in a column that can be NULL.
func (p *Project) ParamNullable(q *Query, i int) bool {
	prm := q.Analyzed.Params[i]
	if a := q.annotated(prm.Number); a != nil && a.Nullable {
		return true
	}
	assigned := false
	for _, t := range prm.Targets {
		if !t.Assigned {
			continue
		}
		assigned = true
		table := p.Catalog.Table(t.Table)
		if table == nil {
			return false
		}
		if c := table.Attr(t.Column); c == nil || c.NotNull {
			return false
		}
	}
	return assigned
}
