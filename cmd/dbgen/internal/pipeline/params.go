package pipeline

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
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

// ParamName is the name of the i-th parameter: as written, else of the column,
// argument or clause that it is nearest to, else arg and its number. Where two
// parameters come by one name the later ones are numbered: created_at,
// created_at_2.
func (p *Project) ParamName(q *Query, i int) string {
	taken := map[string]bool{}
	for _, prm := range q.Analyzed.Params {
		if a := q.annotated(prm.Number); a != nil {
			taken[a.Name] = true
		}
	}
	name := ""
	for _, prm := range q.Analyzed.Params[:i+1] {
		if a := q.annotated(prm.Number); a != nil && a.Name != "" {
			name = a.Name
			continue
		}
		base := prm.NameHint
		if base == "" {
			base = fmt.Sprintf("arg%d", prm.Number)
		}
		name = base
		for n := 2; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", base, n)
		}
		taken[name] = true
	}
	return name
}

// ParamNullable reports whether NULL is a sensible value for the i-th parameter,
// and why: what the text says of it goes before what is inferred.
func (p *Project) ParamNullable(q *Query, i int) (bool, string) {
	return q.params[i].Nullable, q.params[i].Why
}

// behind and before find a parameter, as written, next to a place.
var (
	behind = regexp.MustCompile(`^\s*(@\w+|\$\d+)`)
	before = regexp.MustCompile(`(@\w+|\$\d+)\s*$`)
)

// oneType explains an operator that does not exist for a parameter that is used
// before: the server gives a parameter the type of its first use.
func oneType(s *parser.Statement, d *diag.Diagnostic) {
	if d.SQLState != "42883" || d.Detail != "" || d.File == nil || d.Span.IsZero() {
		return
	}
	text := d.File.Text
	m := behind.FindStringSubmatch(text[d.Span.End:])
	if m == nil {
		m = before.FindStringSubmatch(text[s.Span.Start:d.Span.Start])
	}
	if m == nil {
		return
	}
	first := regexp.MustCompile(regexp.QuoteMeta(m[1]) + `\b`).FindStringIndex(text[s.Span.Start:d.Span.Start])
	if first == nil || strings.TrimSpace(text[s.Span.Start+first[1]:d.Span.Start]) == "" {
		return
	}
	at := d.File.Position(s.Span.Start + first[0])
	d.Detail = fmt.Sprintf("%s is used with two types: it has the one of its first use, at %d:%d", m[1], at.Line, at.Column)
}
