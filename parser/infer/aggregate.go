package infer

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
)

// aggregate is an aggregate call.
func (s *scope) aggregate(n *query.Aggref) value {
	at := s.up(n.LevelsUp)
	f := s.cat.Func(n.Func)
	if f == nil || f.Aggregate == nil {
		return maybe("unknown aggregate")
	}
	if at == nil {
		return maybe("aggregate of an outer query that is not known")
	}
	defer at.enter()()
	at.inAgg = true
	var args []query.Expr
	for _, te := range n.Args {
		if !te.Junk {
			args = append(args, te.Expr)
		}
	}
	class := s.aggregateClass(f)
	if n.Kind != query.AggNormal {
		return s.orderedSet(f, n, args, at)
	}
	v := s.ofRows(f, class, args, n.Filter)
	if class == aggAlways || !v.notNull {
		return v
	}
	switch {
	case hasEmptySet(at.q) && at.bounding(nil).from().min == 0:
		v.notNull = false
		v = v.because(f.Name + " of no rows is NULL")
	case n.Filter != nil && s.outcome(n.Filter) != outTrue:
		v.notNull = false
		v = v.because(f.Name + " with FILTER may see no rows")
	}
	return v
}

// aggregateClass is the class of an aggregate: as captured, or by what it is made of.
// A strict transition function without an initial value takes the first value over,
// and is its result where there is no final function (advance_transition_function,
// nodeAgg.c).
func (s *scope) aggregateClass(f *catalog.Func) string {
	if class := s.class(f); class != "" {
		return class
	}
	a := f.Aggregate
	if s.builtin(f) && f.Name == "array_agg" {
		// Of arrays: a NULL among them is an error.
		return aggRow
	}
	t := s.cat.Func(a.TransFunc)
	if t == nil || a.Kind != 'n' || a.FinalFunc != 0 || !t.Strict || s.class(t) == "" {
		return ""
	}
	if a.InitValNull {
		return aggValue
	}
	return aggAlways
}

// ofRows is what an aggregate gives of rows that are there, all of which the filter
// has passed.
func (s *scope) ofRows(f *catalog.Func, class string, args []query.Expr, filter query.Expr) value {
	defer s.enter()()
	if filter != nil {
		s.rule(filter, outTrue)
	}
	var v value
	switch class {
	case aggAlways:
		return never(f.Name + orElse(f.Name == "count", " of no rows is 0", " gives a value for no rows, too"))
	case aggRow:
		v = never("there is at least one row to aggregate")
	case aggValue:
		if v = s.all("argument of "+f.Name, args); v.notNull {
			v = never("there is at least one row to aggregate, and the argument is not null")
		} else {
			v.null = false
		}
	default:
		return maybe("aggregate " + f.Name + " may give NULL")
	}
	if len(args) == 0 || !s.builtin(f) {
		return v
	}
	one := s.value(args[0])
	switch f.Name {
	case "array_agg":
		v.elements, v.elem = s.arrayOf(args[0].ResultType(), one)
	case "min", "max", "any_value":
		v.elements, v.elem, v.fields, v.json = one.elements, one.elem, one.fields, one.json
	}
	return v
}

// orderedSet is an aggregate with WITHIN GROUP. The hypothetical-set ones rank among
// no rows as well; the others need a value to choose.
func (s *scope) orderedSet(f *catalog.Func, n *query.Aggref, args []query.Expr, at *scope) value {
	if !s.builtin(f) {
		return maybe("aggregate " + f.Name + " may give NULL")
	}
	switch f.Name {
	case "rank", "dense_rank", "percent_rank", "cume_dist":
		return never(f.Name + " is a number among no rows, too")
	case "mode", "percentile_cont", "percentile_disc":
		v := s.ofRows(f, aggValue, args, n.Filter)
		switch direct := s.all("fraction", n.DirectArgs); {
		case !v.notNull:
		case len(n.DirectArgs) > 0 && !direct.notNull:
			return direct
		case hasEmptySet(at.q) && at.bounding(nil).from().min == 0:
			return maybe(f.Name + " of no rows is NULL")
		case n.Filter != nil && s.outcome(n.Filter) != outTrue:
			return maybe(f.Name + " with FILTER may see no rows")
		}
		return v.asNull(false)
	}
	return maybe("aggregate " + f.Name + " may give NULL")
}

// window is a window function call.
func (s *scope) window(n *query.WindowFunc) value {
	f := s.cat.Func(n.Func)
	if f == nil {
		return maybe("a window function may give NULL")
	}
	w := windowOf(s.q, n.WinRef)
	if f.Aggregate != nil {
		class := s.aggregateClass(f)
		v := s.ofRows(f, class, n.Args, n.Filter)
		switch {
		case !v.notNull || class == aggAlways:
		case w == nil || !frameHasCurrentRow(w):
			v.notNull = false
			v = v.because(f.Name + " over a frame that can be empty")
		case n.Filter != nil && s.outcome(n.Filter) != outTrue:
			v.notNull = false
			v = v.because(f.Name + " with FILTER may see no rows")
		default:
			v = v.because("the frame holds the current row" + orElse(class == aggValue, ", and the argument is not null", ""))
		}
		return v
	}
	if !s.builtin(f) {
		return maybe("a window function may give NULL")
	}
	switch f.Name {
	case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist":
		return never(f.Name + " never gives NULL")
	case "ntile":
		return s.all("argument", n.Args)
	case "lag", "lead":
		return s.neighbour(f, n)
	case "first_value", "last_value":
		v := s.value(n.Args[0])
		if v.notNull && (w == nil || !frameHasCurrentRow(w)) {
			v.notNull = false
			return v.because(f.Name + " over a frame that can be empty")
		}
		return v.because(orElse(v.notNull, "the frame holds the current row, and the argument is not null", v.reason()))
	case "nth_value":
		v := s.value(n.Args[0])
		k, ok := n.Args[1].(*query.Const)
		if v.notNull && ok && !k.Null && k.Value == "1" && w != nil && frameHasCurrentRow(w) {
			return v.because("the frame holds the current row, and the argument is not null")
		}
		v.notNull = false
		return v.because("the frame may have fewer rows")
	}
	return maybe("window function " + f.Name + " may give NULL")
}

// neighbour is lag or lead: the value of another row of the partition, or the default
// where there is none. An offset that is NULL makes it NULL.
func (s *scope) neighbour(f *catalog.Func, n *query.WindowFunc) value {
	v := s.value(n.Args[0])
	if len(n.Args) > 1 {
		if k, ok := n.Args[1].(*query.Const); ok && !k.Null && k.Value == "0" {
			return v
		}
		if o := s.value(n.Args[1]); v.notNull && !o.notNull {
			return maybe("the offset of " + f.Name + " can be NULL")
		}
	}
	if len(n.Args) < 3 {
		v.notNull = false
		return v.because(f.Name + " finds no row at the ends of a partition")
	}
	out := meet(v, s.value(n.Args[2]))
	if out.notNull {
		return out.because(f.Name + " with a default that is not null")
	}
	return out.because(orElse(v.notNull, "the default of "+f.Name+" can be NULL", v.reason()))
}

func windowOf(q *query.Query, ref int) *query.WindowClause {
	for _, w := range q.WindowClause {
		if w.Ref == ref {
			return w
		}
	}
	return nil
}

// frameHasCurrentRow reports whether a frame always has the current row in it.
func frameHasCurrentRow(w *query.WindowClause) bool {
	const excluded = query.FrameExcludeCurrentRow | query.FrameExcludeGroup
	starts := query.FrameStartUnboundedPreceding | query.FrameStartCurrentRow
	ends := query.FrameEndUnboundedFollowing | query.FrameEndCurrentRow
	if w.FrameOptions&excluded != 0 {
		return false
	}
	from, to := starts, ends
	if w.FrameOptions&(query.FrameRows|query.FrameGroups) != 0 {
		// An offset is never negative: so many rows before are not behind.
		from, to = from|query.FrameStartOffsetPreceding, to|query.FrameEndOffsetFollowing
	}
	return w.FrameOptions&from != 0 && w.FrameOptions&to != 0
}
