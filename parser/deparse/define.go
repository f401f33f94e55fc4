package deparse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// IndexDef returns the CREATE INDEX of an index (pg_get_indexdef, ruleutils.c).
func IndexDef(cat *catalog.Catalog, x *catalog.Index) string {
	t := cat.Table(x.Table)
	am := cat.Method(x.Method)
	if t == nil || am == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("CREATE ")
	if x.Unique {
		b.WriteString("UNIQUE ")
	}
	only := ""
	if t.Kind == catalog.KindPartitioned {
		only = "ONLY "
	}
	fmt.Fprintf(&b, "INDEX %s ON %s%s USING %s (", cat.QuoteIdent(x.Name), only,
		cat.QuoteIdent(t.Schema)+"."+cat.QuoteIdent(t.Name), cat.QuoteIdent(am.Name))
	indexBody(&b, cat, x, nil)
	if len(x.Predicate) > 0 {
		b.WriteString(" WHERE " + And(x.Predicate, TableContext(cat, t)))
	}
	return b.String()
}

// exclusionDef returns what stands behind EXCLUDE.
func exclusionDef(cat *catalog.Catalog, x *catalog.Index, operators []pgtype.OID) string {
	am := cat.Method(x.Method)
	if am == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(" USING " + cat.QuoteIdent(am.Name) + " (")
	indexBody(&b, cat, x, operators)
	if len(x.Predicate) > 0 {
		b.WriteString(" WHERE (" + And(x.Predicate, TableContext(cat, cat.Table(x.Table))) + ")")
	}
	return b.String()
}

// indexBody writes the keys of an index, with the operators of an exclusion
// constraint, and what follows them up to the predicate.
func indexBody(b *strings.Builder, cat *catalog.Catalog, x *catalog.Index, operators []pgtype.OID) {
	t, am := cat.Table(x.Table), cat.Method(x.Method)
	for i := range x.NumKeys {
		if i > 0 {
			b.WriteString(", ")
		}
		indexKey(b, cat, t, am, &x.Keys[i])
		if i < len(operators) {
			if o := cat.Operator(operators[i]); o != nil {
				b.WriteString(" WITH " + o.Name)
			}
		}
	}
	b.WriteString(")")
	if len(x.Keys) > x.NumKeys {
		var names []string
		for _, k := range x.Keys[x.NumKeys:] {
			names = append(names, cat.QuoteIdent(t.ColumnName(k.Column)))
		}
		b.WriteString(" INCLUDE (" + strings.Join(names, ", ") + ")")
	}
	if x.NullsNotDistinct {
		b.WriteString(" NULLS NOT DISTINCT")
	}
	var options []string
	if x.FillFactor != 0 {
		options = append(options, fmt.Sprintf("fillfactor='%d'", x.FillFactor))
	}
	if x.PagesPerRange != 0 {
		options = append(options, fmt.Sprintf("pages_per_range='%d'", x.PagesPerRange))
	}
	if options != nil {
		b.WriteString(" WITH (" + strings.Join(options, ", ") + ")")
	}
}

// indexKey writes one key column with what is not the default of its type.
func indexKey(b *strings.Builder, cat *catalog.Catalog, t *catalog.Table, am *catalog.AccessMethod, k *catalog.IndexKey) {
	var typ, coll pgtype.OID
	switch {
	case k.Column != 0:
		b.WriteString(cat.QuoteIdent(t.ColumnName(k.Column)))
		if c := t.Attr(k.Column); c != nil {
			typ, coll = c.Type, c.Collation
		}
	case k.Expr != nil:
		typ, coll = k.Expr.ResultType(), k.Expr.ResultCollation()
		text := Expr(k.Expr, TableContext(cat, t))
		if !LooksLikeFunction(k.Expr) {
			text = "(" + text + ")"
		}
		b.WriteString(text)
	}
	if k.Collation != 0 && k.Collation != coll {
		b.WriteString(" COLLATE " + cat.CollationName(k.Collation))
	}
	if oc := cat.OpClass(k.OpClass); oc != nil && cat.DefaultOpClass(typ, am.OID) != oc {
		b.WriteString(" ")
		if cat.OpClassByName(am.OID, "", oc.Name) != oc {
			b.WriteString(cat.QuoteIdent(oc.Schema) + ".")
		}
		b.WriteString(cat.QuoteIdent(oc.Name))
	}
	if !am.CanOrder {
		return
	}
	switch {
	case k.Desc && !k.NullsFirst:
		b.WriteString(" DESC NULLS LAST")
	case k.Desc:
		b.WriteString(" DESC")
	case k.NullsFirst:
		b.WriteString(" NULLS FIRST")
	}
}

// LooksLikeFunction reports whether an expression is printed as a call, which
// needs no parentheses in an index or a FROM clause (looks_like_function,
// ruleutils.c).
func LooksLikeFunction(e query.Expr) bool {
	switch n := e.(type) {
	case *query.FuncExpr:
		return n.Form == query.CoerceExplicitCall || n.Form == query.CoerceSQLSyntax
	case *query.NullIfExpr, *query.CoalesceExpr, *query.MinMaxExpr, *query.SQLValueFunction, *query.XMLExpr:
		return true
	}
	return false
}

// ConstraintDef returns the definition of a constraint
// (pg_get_constraintdef, ruleutils.c).
func ConstraintDef(cat *catalog.Catalog, k *catalog.Constraint) string {
	t := cat.Table(k.Table)
	var b strings.Builder
	columns := func(t *catalog.Table, numbers []int) string {
		names := make([]string, len(numbers))
		for i, n := range numbers {
			names[i] = cat.QuoteIdent(t.ColumnName(n))
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	switch k.Kind {
	case catalog.ConstraintCheck:
		ctx := &Context{Catalog: cat}
		if t != nil {
			ctx = TableContext(cat, t)
		}
		b.WriteString("CHECK (" + Expr(k.Expr, ctx) + ")")
		if k.NoInherit {
			b.WriteString(" NO INHERIT")
		}
	case catalog.ConstraintNotNull:
		b.WriteString("NOT NULL " + strings.Trim(columns(t, k.Columns), "()"))
	case catalog.ConstraintForeign:
		ref := cat.Table(k.RefTable)
		b.WriteString("FOREIGN KEY " + columns(t, k.Columns) + " REFERENCES " + cat.RelationName(k.RefTable))
		if ref != nil {
			b.WriteString(columns(ref, k.RefColumns))
		}
		if k.MatchFull {
			b.WriteString(" MATCH FULL")
		}
		b.WriteString(actionWords(" ON UPDATE ", k.OnUpdate) + actionWords(" ON DELETE ", k.OnDelete))
		if len(k.DeleteColumns) > 0 {
			b.WriteString(" " + columns(t, k.DeleteColumns))
		}
	default:
		keyDef(&b, cat, k, columns)
	}
	if k.Deferrable {
		b.WriteString(" DEFERRABLE")
	}
	if k.Deferred {
		b.WriteString(" INITIALLY DEFERRED")
	}
	if !k.Validated {
		b.WriteString(" NOT VALID")
	}
	return b.String()
}

func keyDef(b *strings.Builder, cat *catalog.Catalog, k *catalog.Constraint, columns func(*catalog.Table, []int) string) {
	t, x := cat.Table(k.Table), cat.Index(k.Index)
	if k.Kind == catalog.ConstraintExclusion {
		b.WriteString("EXCLUDE")
		if x != nil {
			b.WriteString(exclusionDef(cat, x, k.ExclOps))
		}
		return
	}
	b.WriteString("UNIQUE ")
	if k.Kind == catalog.ConstraintPrimary {
		b.Reset()
		b.WriteString("PRIMARY KEY ")
	}
	if x != nil && x.NullsNotDistinct {
		b.WriteString("NULLS NOT DISTINCT ")
	}
	b.WriteString(columns(t, k.Columns))
	if x != nil && len(x.Keys) > x.NumKeys {
		var numbers []int
		for _, c := range x.Keys[x.NumKeys:] {
			numbers = append(numbers, c.Column)
		}
		b.WriteString(" INCLUDE " + columns(t, numbers))
	}
}

func actionWords(lead string, action byte) string {
	switch action {
	case 'c':
		return lead + "CASCADE"
	case 'r':
		return lead + "RESTRICT"
	case 'n':
		return lead + "SET NULL"
	case 'd':
		return lead + "SET DEFAULT"
	}
	return ""
}

// PartitionBound returns FOR VALUES … or DEFAULT (the text of pg_get_expr for
// pg_class.relpartbound).
func PartitionBound(cat *catalog.Catalog, p *catalog.PartitionBound) string {
	values := func(list []catalog.RangeDatum) string {
		out := make([]string, len(list))
		for i, d := range list {
			switch {
			case d.Kind < 0:
				out[i] = "MINVALUE"
			case d.Kind > 0:
				out[i] = "MAXVALUE"
			case d.Value != nil:
				out[i] = ConstLiteral(d.Value, cat)
			}
		}
		return "(" + strings.Join(out, ", ") + ")"
	}
	switch {
	case p.Default:
		return "DEFAULT"
	case p.Strategy == 'h':
		return fmt.Sprintf("FOR VALUES WITH (modulus %d, remainder %d)", p.Modulus, p.Remainder)
	case p.Strategy == 'l':
		out := make([]string, 0, len(p.List))
		for _, c := range p.List {
			out = append(out, ConstLiteral(c, cat))
		}
		return "FOR VALUES IN (" + strings.Join(out, ", ") + ")"
	}
	return "FOR VALUES FROM " + values(p.From) + " TO " + values(p.To)
}

// PartitionKey returns a partitioned table's PARTITION BY without the words
// (pg_get_partkeydef, ruleutils.c).
func PartitionKey(cat *catalog.Catalog, t *catalog.Table) string {
	k := t.PartitionKey
	word := map[byte]string{'r': "RANGE", 'l': "LIST", 'h': "HASH"}[k.Strategy]
	method := "btree"
	if k.Strategy == 'h' {
		method = "hash"
	}
	am := cat.MethodByName(method)
	parts := make([]string, 0, len(k.Keys))
	for _, c := range k.Keys {
		var b strings.Builder
		key := catalog.IndexKey{Column: c.Column, Expr: c.Expr, Collation: c.Collation, OpClass: c.OpClass}
		indexKey(&b, cat, t, am, &key)
		parts = append(parts, b.String())
	}
	return word + " (" + strings.Join(slices.Clip(parts), ", ") + ")"
}
