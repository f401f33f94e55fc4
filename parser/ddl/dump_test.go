package ddl_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/deparse"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

// dump describes the user's objects in a form that serverDump gives for a real
// database too: a line per object and, indented, what belongs to it.
func dump(cat *catalog.Catalog) []string {
	var blocks []string
	for _, t := range cat.Tables() {
		if t.Temp {
			continue
		}
		blocks = append(blocks, strings.Join(dumpTable(cat, t), "\n"))
	}
	for _, t := range cat.Types() {
		if b := dumpType(cat, t); b != nil {
			blocks = append(blocks, strings.Join(b, "\n"))
		}
	}
	for _, f := range cat.Funcs() {
		if f.Language != "internal" {
			blocks = append(blocks, dumpFunc(cat, f))
		}
	}
	slices.Sort(blocks)
	return blocks
}

func text(cat *catalog.Catalog, t *catalog.Table, e query.Expr) string {
	ctx := &deparse.Context{Catalog: cat}
	if t != nil {
		ctx = deparse.TableContext(cat, t)
	}
	return squeeze(deparse.Expr(e, ctx))
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func dumpTable(cat *catalog.Catalog, t *catalog.Table) []string {
	head := fmt.Sprintf("relation %s.%s %c", t.Schema, t.Name, t.Kind)
	if t.Unlogged {
		head += " unlogged"
	}
	if t.RowSecurity {
		head += " rls"
	}
	if t.ForceRowSec {
		head += " force"
	}
	if t.FillFactor != 0 {
		head += fmt.Sprintf(" fillfactor=%d", t.FillFactor)
	}
	if t.ParallelWorkers >= 0 {
		head += fmt.Sprintf(" parallel_workers=%d", t.ParallelWorkers)
	}
	if t.Comment != "" {
		head += " comment=" + t.Comment
	}
	if t.OwnerTable != 0 {
		o := cat.Table(t.OwnerTable)
		head += fmt.Sprintf(" owned by %s.%s", o.Name, o.ColumnName(t.OwnerColumn))
	}
	out := []string{head}
	for _, c := range t.Columns {
		if t.Kind == catalog.KindSequence {
			break
		}
		if c.Dropped {
			out = append(out, fmt.Sprintf("  column %d dropped", c.Number))
			continue
		}
		line := fmt.Sprintf("  column %d %s %s", c.Number, c.Name, cat.TypeName(c.Type, c.Typmod))
		if x := cat.Type(c.Type); x != nil && c.Collation != x.Collation {
			line += " collate " + cat.CollationName(c.Collation)
		}
		if c.NotNull {
			line += " not null"
		}
		if c.Identity != 0 {
			line += " identity " + string(c.Identity)
		}
		if c.Generated != 0 {
			line += " generated " + string(c.Generated)
		}
		if c.HasDefault {
			line += " default " + text(cat, t, c.Default)
		}
		if c.Comment != "" {
			line += " comment=" + c.Comment
		}
		out = append(out, line)
	}
	for _, p := range t.Parents {
		out = append(out, "  inherits "+cat.Table(p).Name)
	}
	if t.Bound != nil {
		out = append(out, "  bound "+deparse.PartitionBound(cat, t.Bound))
	}
	if t.PartitionKey != nil {
		out = append(out, "  partitioned by "+deparse.PartitionKey(cat, t))
	}
	var tail []string
	for _, k := range t.Constraints {
		def := squeeze(deparse.ConstraintDef(cat, k))
		tail = append(tail, fmt.Sprintf("  constraint %s %c %s", k.Name, k.Kind, def))
	}
	for _, x := range t.Indexes {
		line := fmt.Sprintf("  index %s %s", x.Name, squeeze(deparse.IndexDef(cat, x)))
		if p := cat.Index(x.Parent); p != nil {
			line += " of " + p.Name
		}
		if x.Primary {
			line += " primary"
		}
		tail = append(tail, line)
	}
	for _, g := range t.Triggers {
		tail = append(tail, "  trigger "+g.Name)
	}
	for _, p := range t.Policies {
		tail = append(tail, strings.TrimRight(fmt.Sprintf("  policy %s %s", p.Name, text(cat, t, p.Using)), " "))
	}
	slices.Sort(tail)
	return append(out, tail...)
}

func dumpType(cat *catalog.Catalog, t *catalog.Type) []string {
	if t.Relation != 0 || t.IsArray() || t.Shell || t.Unknown {
		return nil
	}
	head := fmt.Sprintf("type %s.%s %c array %s", t.Schema, t.Name, t.Kind, cat.Type(t.Array).Name)
	switch t.Kind {
	case 'b':
		head += fmt.Sprintf(" len %d %t %c %t %c %c %c collation %d", t.Len, t.ByVal, t.Category, t.Preferred, t.Delim, t.Align, t.Storage, t.Collation)
	case 'e':
		head += " " + strings.Join(t.Labels, ",")
	case 'r':
		head += " of " + cat.BaseTypeName(t.RangeSubtype) + " multirange " + cat.Type(t.RangeMulti).Name
	case 'd':
		head += " of " + cat.TypeName(t.Base, t.BaseTypmod)
		if t.NotNull {
			head += " not null"
		}
		if t.Default != nil {
			head += " default " + text(cat, nil, t.Default)
		}
	}
	if t.Comment != "" {
		head += " comment=" + t.Comment
	}
	out := []string{head}
	var checks []string
	for _, k := range t.Checks {
		checks = append(checks, fmt.Sprintf("  constraint %s %s", k.Name, squeeze(deparse.ConstraintDef(cat, k))))
	}
	slices.Sort(checks)
	return append(out, checks...)
}

func dumpFunc(cat *catalog.Catalog, f *catalog.Func) string {
	types := func(list []pgtype.OID) string {
		out := make([]string, len(list))
		for i, t := range list {
			out[i] = cat.BaseTypeName(t)
		}
		return strings.Join(out, ",")
	}
	line := fmt.Sprintf("function %s.%s(%s) %c returns %s %c%c lang %s cost %g rows %g defaults %d", f.Schema, f.Name,
		types(f.Args), f.Kind, cat.BaseTypeName(f.Result), f.Volatile, f.Parallel, f.Language, f.Cost, f.Rows, f.Defaults)
	if f.RetSet {
		line += " set"
	}
	if f.Strict {
		line += " strict"
	}
	if f.Variadic != 0 {
		line += " variadic " + cat.BaseTypeName(f.Variadic)
	}
	if f.Modes != nil {
		line += " all " + types(f.AllArgs) + " modes " + string(f.Modes)
	}
	if f.Names != nil {
		line += " names " + strings.Join(f.Names, ",")
	}
	return line
}

// serverDump is [dump] of a real database.
const serverDump = `
select string_agg(line, E'\n' order by part, ord, line collate "C") from (
  select c.oid as object, 0 as part, 0 as ord, format('relation %s.%s %s', n.nspname, c.relname, c.relkind)
      || case when c.relpersistence = 'u' then ' unlogged' else '' end
      || case when c.relrowsecurity then ' rls' else '' end
      || case when c.relforcerowsecurity then ' force' else '' end
      || coalesce((select ' ' || o from unnest(c.reloptions) o where o like 'fillfactor=%'), '')
      || coalesce((select ' ' || o from unnest(c.reloptions) o where o like 'parallel_workers=%'), '')
      || coalesce(' comment=' || obj_description(c.oid, 'pg_class'), '')
      || coalesce((select format(' owned by %s.%s', r.relname, a.attname) from pg_depend d
           join pg_class r on r.oid = d.refobjid join pg_attribute a on a.attrelid = r.oid and a.attnum = d.refobjsubid
           where c.relkind = 'S' and d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
             and d.refclassid = 'pg_class'::regclass), '') as line
    from rel c join pg_namespace n on n.oid = c.relnamespace
  union all
  select c.oid, 1, a.attnum, case when a.attisdropped then format('  column %s dropped', a.attnum) else
      format('  column %s %s %s', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod))
      || case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else '' end
      || case when a.attnotnull then ' not null' else '' end
      || case when a.attidentity <> '' then ' identity ' || a.attidentity::text else '' end
      || case when a.attgenerated <> '' then ' generated ' || a.attgenerated::text else '' end
      || coalesce((select ' default ' || regexp_replace(pg_get_expr(adbin, adrelid), '\s+', ' ', 'g') from pg_attrdef
           where adrelid = c.oid and adnum = a.attnum), '')
      || coalesce(' comment=' || col_description(c.oid, a.attnum), '') end
    from rel c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 left join pg_type t on t.oid = a.atttypid
    where c.relkind <> 'S'
  union all
  select c.oid, 2, i.inhseqno, '  inherits ' || p.relname
    from rel c join pg_inherits i on i.inhrelid = c.oid join pg_class p on p.oid = i.inhparent
  union all
  select c.oid, 3, 0, '  bound ' || pg_get_expr(c.relpartbound, c.oid) from rel c where c.relpartbound is not null
  union all
  select c.oid, 4, 0, '  partitioned by ' || pg_get_partkeydef(c.oid) from rel c where c.relkind = 'p'
  union all
  select c.oid, 5, 0, format('  constraint %s %s %s', k.conname, k.contype,
        regexp_replace(pg_get_constraintdef(k.oid), '\s+', ' ', 'g'))
    from rel c join pg_constraint k on k.conrelid = c.oid
    where k.contype <> 't'
      and not exists (select from pg_constraint p where p.oid = k.conparentid and p.conrelid = k.conrelid)
  union all
  select c.oid, 5, 0, format('  index %s %s', x.relname, regexp_replace(pg_get_indexdef(x.oid), '\s+', ' ', 'g'))
      || coalesce((select ' of ' || p.relname from pg_inherits i join pg_class p on p.oid = i.inhparent where i.inhrelid = x.oid), '')
      || case when i.indisprimary then ' primary' else '' end
    from rel c join pg_index i on i.indrelid = c.oid join pg_class x on x.oid = i.indexrelid
  union all
  select c.oid, 5, 0, '  trigger ' || g.tgname from rel c join pg_trigger g on g.tgrelid = c.oid where not g.tgisinternal or g.tgparentid <> 0 and g.tgconstraint = 0
  union all
  select c.oid, 5, 0, rtrim(format('  policy %s %s', p.polname, regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\s+', ' ', 'g')))
    from rel c join pg_policy p on p.polrelid = c.oid
  union all
  select t.oid, 0, 0, format('type %s.%s %s array %s', n.nspname, t.typname, t.typtype, (select typname from pg_type where oid = t.typarray))
      || case t.typtype
           when 'b' then format(' len %s %s %s %s %s %s %s collation %s', t.typlen, case when t.typbyval then 'true' else 'false' end, t.typcategory,
             case when t.typispreferred then 'true' else 'false' end, t.typdelim, t.typalign, t.typstorage, t.typcollation)
           when 'e' then ' ' || coalesce((select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum where enumtypid = t.oid), '')
           when 'r' then (select format(' of %s multirange %s', format_type(rngsubtype, null), (select typname from pg_type where oid = rngmultitypid)) from pg_range where rngtypid = t.oid)
           when 'd' then ' of ' || format_type(t.typbasetype, t.typtypmod) || case when t.typnotnull then ' not null' else '' end
              || coalesce(' default ' || pg_get_expr(t.typdefaultbin, 0), '')
           else '' end
      || coalesce(' comment=' || case when t.typtype <> 'b' then obj_description(t.oid, 'pg_type') end, '')
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.oid >= 16384 and (t.typtype in ('e', 'r', 'd', 'm') or t.typtype = 'b' and t.typarray <> 0) and n.nspname !~ '^pg_|^information_schema'
  union all
  select t.oid, 5, 0, format('  constraint %s %s', k.conname, regexp_replace(pg_get_constraintdef(k.oid), '\s+', ' ', 'g'))
    from pg_type t join pg_constraint k on k.contypid = t.oid where t.oid >= 16384 and k.contype = 'c'
  union all
  select p.oid, 0, 0, format('function %s.%s(%s) %s returns %s %s%s lang %s cost %s rows %s defaults %s', n.nspname, p.proname,
      coalesce((select string_agg(format_type(o, null), ',' order by i) from unnest(p.proargtypes) with ordinality u(o, i)), ''), p.prokind,
      format_type(p.prorettype, null), p.provolatile, p.proparallel, l.lanname, p.procost, p.prorows, p.pronargdefaults)
      || case when p.proretset then ' set' else '' end
      || case when p.proisstrict then ' strict' else '' end
      || case when p.provariadic <> 0 then ' variadic ' || format_type(p.provariadic, null) else '' end
      || case when p.proargmodes is not null then format(' all %s modes %s',
           (select string_agg(format_type(o, null), ',' order by i) from unnest(p.proallargtypes) with ordinality u(o, i)), array_to_string(p.proargmodes, '')) else '' end
      || case when p.proargnames is not null then ' names ' || array_to_string(p.proargnames, ',', '') else '' end
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where p.oid >= 16384 and l.lanname <> 'internal' and n.nspname !~ '^pg_|^information_schema'
) x group by object`
