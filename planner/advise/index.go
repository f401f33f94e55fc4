package advise

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// Hypothetical makes the btree index on an expression over a relation of a
// query, as [Indexes] makes its candidates; ok is false where the type cannot be
// in a btree. Whether a server would accept the expression is not asked.
func Hypothetical(in Input, r *Read, e query.Expr) (index *catalog.Index, planned []*catalog.Index, ok bool) {
	x := TableExpr(e, r.Rel)
	if x == nil {
		return nil, nil, false
	}
	s := &search{Input: in}
	index, planned = s.build(r, []key{{expr: x}})
	return index, planned, index != nil
}

// build makes the index of some keys, and what to plan with: the index itself,
// or one for each partition.
func (s *search) build(r *Read, keys []key) (*catalog.Index, []*catalog.Index) {
	top := s.index(r.Table, r.Table, keys)
	if top == nil {
		return nil, nil
	}
	if r.Table.Kind != catalog.KindPartitioned {
		return top, []*catalog.Index{top}
	}
	var planned []*catalog.Index
	var walk func(t *catalog.Table)
	walk = func(t *catalog.Table) {
		if t.Kind != catalog.KindPartitioned {
			if x := s.index(t, r.Table, keys); x != nil {
				x.Parent = top.OID
				planned = append(planned, x)
			}
			return
		}
		for _, c := range t.Children {
			if child := s.Bound.Catalog.Table(c); child != nil {
				walk(child)
			}
		}
	}
	walk(r.Table)
	return top, planned
}

// index makes an index of a table from keys over the columns of another, which
// has the same columns by name.
func (s *search) index(t, over *catalog.Table, keys []key) *catalog.Index {
	cat := s.Bound.Catalog
	s.made++
	x := &catalog.Index{
		OID: firstOID + pgtype.OID(s.made), Schema: t.Schema, Table: t.OID, Method: catalog.BTreeMethod,
		NumKeys: len(keys), Immediate: true, Valid: true, Hypothetical: true,
	}
	names := []string{t.Name}
	for _, k := range keys {
		oc := cat.DefaultOpClass(k.expr.ResultType(), catalog.BTreeMethod)
		if oc == nil {
			return nil
		}
		ik := catalog.IndexKey{
			Name: "expr", Type: k.expr.ResultType(), Collation: k.expr.ResultCollation(), OpClass: oc.OID,
			Family: oc.Family, InType: oc.InType, Desc: k.desc, NullsFirst: k.nullsFirst,
		}
		good := true
		e := query.Transform(k.expr, func(e query.Expr) (query.Expr, bool) {
			v, ok := e.(*query.Var)
			if !ok || t == over {
				return e, ok
			}
			from := over.Attr(v.AttNo)
			if from == nil {
				good = false
				return e, true
			}
			to := t.Column(from.Name)
			if to == nil {
				good = false
				return e, true
			}
			moved := *v
			moved.AttNo, moved.SynAttNo = to.Number, to.Number
			return &moved, true
		})
		if !good {
			return nil
		}
		if v, ok := e.(*query.Var); ok {
			c := t.Attr(v.AttNo)
			if c == nil {
				return nil
			}
			ik.Name, ik.Column, ik.Collation = c.Name, c.Number, c.Collation
		} else {
			ik.Expr = e
		}
		names = append(names, ik.Name)
		x.Keys = append(x.Keys, ik)
	}
	x.Name = strings.Join(append(names, "idx"), "_")
	return x
}

// DDL is the CREATE INDEX of an index as a user would write it: the server
// chooses the name, and what is the default is left out.
func DDL(cat *catalog.Catalog, x *catalog.Index) string {
	t := cat.Table(x.Table)
	if t == nil {
		return ""
	}
	var cols []string
	for _, k := range x.Keys[:x.NumKeys] {
		var text string
		if k.Column != 0 {
			text = cat.QuoteIdent(t.ColumnName(k.Column))
		} else {
			text = deparse.Expr(k.Expr, deparse.TableContext(cat, t))
			if !deparse.LooksLikeFunction(k.Expr) && !enclosed(text) {
				text = "(" + text + ")"
			}
		}
		switch {
		case k.Desc && !k.NullsFirst:
			text += " DESC NULLS LAST"
		case k.Desc:
			text += " DESC"
		case k.NullsFirst:
			text += " NULLS FIRST"
		}
		cols = append(cols, text)
	}
	return fmt.Sprintf("CREATE INDEX ON %s (%s);", cat.RelationName(t.OID), strings.Join(cols, ", "))
}

// enclosed reports whether one pair of parentheses is around the whole of an
// expression.
func enclosed(text string) bool {
	if !strings.HasPrefix(text, "(") {
		return false
	}
	depth := 0
	quote := byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i == len(text)-1
			}
		}
	}
	return false
}
