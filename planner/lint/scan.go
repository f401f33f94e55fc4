package lint

import (
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/advise"
	"github.com/dbgen/dbgen/planner/eval"
)

// Cause is why a scan reads more than it should.
type Cause int

// The causes, the better explanation before the worse.
const (
	// Fine scans are not reported.
	Fine Cause = iota
	// CastHides: an implicit cast of an indexed column.
	CastHides
	// ExpressionHides: a function, cast or arithmetic around a column.
	ExpressionHides
	// IndexMissing: an index that is not there would serve.
	IndexMissing
	// FewOfMany: nothing that is known would serve, and yet few rows are
	// wanted.
	FewOfMany
)

// Scan is a read of a table and what is wrong with it.
type Scan struct {
	*advise.Read
	Cause Cause
	// Cond is the condition to blame, nil where none is alone.
	Cond *advise.Cond
	// After is the cost of the query with the proposal; Index the index to
	// make, nil where a rewrite would do.
	After float64
	Index *catalog.Index
	// Indexed is an index that begins with the column in Cond.
	Indexed *catalog.Index
	// Column is the attribute number of the column in Cond, 0 for none.
	Column int
}

// Scans returns the reads of big tables, each with at most one cause.
func (p *Pass) Scans() []*Scan {
	if p.scanned {
		return p.scans
	}
	p.scanned = true
	if !p.planned() {
		return nil
	}
	in := advise.Input{Bound: p.Bound, Plan: p.Plan, Replan: p.Replan, MinSaved: MinSaved, ColumnsOnly: true}
	reads := advise.Reads(p.Bound, p.Plan)
	open := false
	for _, r := range reads {
		s := &Scan{Read: r}
		p.scans = append(p.scans, s)
		if !p.big(r) {
			continue
		}
		if p.now() >= MinSaved && !p.hidden(in, s) {
			open = true
		}
	}
	if open {
		p.missing(in)
	}
	for _, s := range p.scans {
		if s.Cause == Fine && p.big(s.Read) {
			p.fewOfMany(s)
		}
	}
	return p.scans
}

// now is the cost that the query has as things are.
func (p *Pass) now() float64 { return p.Plan.Root.Total }

// hidden looks for a condition that an index could serve if its column stood
// alone in it.
func (p *Pass) hidden(in advise.Input, s *Scan) bool {
	cat := p.Bound.Catalog
	for i := range s.Conds {
		c := &s.Conds[i]
		if c.Kind == advise.Other || len(c.Keys) != 1 {
			continue
		}
		if _, plain := c.Column(); plain {
			continue
		}
		e := c.Keys[0]
		column := onlyColumn(e)
		if column == 0 || hasIndexOn(s.Read, e) {
			continue
		}
		index, planned, ok := advise.Hypothetical(in, s.Read, e)
		if !ok {
			continue
		}
		res := p.Replan(planned)
		if res == nil || res.Root == nil {
			continue
		}
		after := res.Root.Total
		least := HiddenFactor
		if !s.Sequential() {
			least = advise.MinFactor
		}
		indexed := indexedBy(s.Read, column)
		cast := advise.ImplicitCast(e)
		switch {
		case cast && indexed == nil:
			continue
		case cast && s.Sequential() && c.Kind == advise.Equal && p.now() >= float64(s.Cost*0.5):
			// Undoing the cast brings back the statistics of the column, which
			// the hypothetical index does not have.
			after = min(after, p.now())
		case p.now() < float64(least*after) || p.now()-after < MinSaved:
			continue
		}
		if s.Cause != Fine && after >= s.After {
			continue
		}
		cause := ExpressionHides
		if cast {
			cause = CastHides
		}
		s.Cause, s.Cond, s.After, s.Column, s.Indexed, s.Index = cause, c, after, column, indexed, nil
		if cause == ExpressionHides && !eval.ContainMutable(cat, e) {
			s.Index = index
		}
	}
	return s.Cause != Fine
}

// onlyColumn is the attribute number of the only column in an expression.
func onlyColumn(e query.Expr) int {
	column, several := 0, false
	query.Walk(e, func(x query.Expr) bool {
		v, ok := x.(*query.Var)
		if !ok {
			return true
		}
		if column != 0 && column != v.AttNo || v.AttNo <= 0 {
			several = true
		}
		column = v.AttNo
		return true
	})
	if several {
		return 0
	}
	return column
}

// hasIndexOn reports whether the table has an index that begins with an
// expression.
func hasIndexOn(r *advise.Read, e query.Expr) bool {
	x := advise.TableExpr(e, r.Rel)
	for _, i := range r.Table.Indexes {
		if i.Valid && len(i.Keys) > 0 && i.Keys[0].Expr != nil && x != nil && query.Equal(i.Keys[0].Expr, x) {
			return true
		}
	}
	return false
}

// indexedBy is a btree index of the whole table that begins with a column.
func indexedBy(r *advise.Read, column int) *catalog.Index {
	for _, i := range r.Table.Indexes {
		if i.Valid && i.Method == catalog.BTreeMethod && len(i.Predicate) == 0 && i.Keys[0].Column == column {
			return i
		}
	}
	return nil
}

// missing looks for indexes that would help the scans without a better
// explanation.
func (p *Pass) missing(in advise.Input) {
	recs := advise.Indexes(in, func(r *advise.Read) bool {
		s := p.scanOf(r)
		return s != nil && s.Cause == Fine && p.big(r)
	})
	for i := range recs {
		rec := &recs[i]
		s := p.scanOf(rec.Read)
		s.Cause, s.Index, s.After = IndexMissing, rec.Index, rec.After
		s.Cond = leading(s.Read, rec.Index)
	}
}

// stake is what a scan costs more than it needs to.
func (p *Pass) stake(s *Scan) float64 {
	saved := p.now() - s.After
	if !s.Sequential() {
		saved = float64(saved * ServedShare)
	}
	return saved
}

func (p *Pass) scanOf(r *advise.Read) *Scan {
	for _, s := range p.scans {
		if s.Rel == r.Rel {
			return s
		}
	}
	return nil
}

// leading is the condition that the first column of an index serves, nil for
// none: then it serves the order.
func leading(r *advise.Read, x *catalog.Index) *advise.Cond {
	var joined *advise.Cond
	for i := range r.Conds {
		c := &r.Conds[i]
		if c.Kind == advise.Other || len(c.Keys) == 0 {
			continue
		}
		e := advise.TableExpr(c.Keys[0], r.Rel)
		if e == nil {
			continue
		}
		k := x.Keys[0]
		v, plain := e.(*query.Var)
		if !(plain && k.Column == v.AttNo || k.Expr != nil && query.Equal(k.Expr, e)) {
			continue
		}
		if !c.Join {
			return c
		}
		if joined == nil {
			joined = c
		}
	}
	return joined
}

// fewOfMany blames a sequential scan that gives few of its rows, if the query
// pays for the whole of it, and of its conditions the one that leaves fewest.
func (p *Pass) fewOfMany(s *Scan) {
	if !s.Sequential() || s.Cost < MinSaved || s.Rows > float64(s.Tuples*FewShare) || p.now() < float64(s.Cost*0.5) {
		return
	}
	for i := range s.Conds {
		c := &s.Conds[i]
		if c.Expr == nil || c.Join || s.Cond != nil && !(c.Selectivity >= 0 && c.Selectivity < s.Cond.Selectivity) {
			continue
		}
		s.Cause, s.Cond, s.After = FewOfMany, c, p.now()
	}
}
