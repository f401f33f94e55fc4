package plan

import (
	"strconv"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// flatRTE is an entry of the statement's flattened range table.
type flatRTE struct {
	rte  *query.RangeTblEntry
	root *rel.PlannerInfo // nil for one of a subquery never planned
	// name is unique among those shown; "" for one not shown. columns are
	// unique within the entry, "" for a dropped one.
	name    string
	columns []string
}

// appendParent is where a child of an Append comes from, in the flattened
// numbering.
type appendParent struct {
	parent int
	info   *rel.AppendRelInfo
}

func (c *creator) addEntry(rte *query.RangeTblEntry, root *rel.PlannerInfo, _ int) {
	c.rtable = append(c.rtable, flatRTE{rte: rte, root: root})
}

// entry returns the entry of a flattened index, counted from 1.
func (c *creator) entry(i int) *flatRTE {
	if i < 1 || i > len(c.rtable) {
		return nil
	}
	return &c.rtable[i-1]
}

// maxName is NAMEDATALEN.
const maxName = 64

// nameEntries gives the entries that the plan shows their names, each other than
// those before it (select_rtable_names_for_explain, ruleutils.c).
func (c *creator) nameEntries(top *Node) {
	used := map[int]bool{}
	top.Walk(func(n *Node) bool {
		switch n.Kind {
		case ModifyTable:
			used[n.scanRel] = true
			if n.exclRel > 0 {
				used[n.exclRel] = true
			}
		case Append, MergeAppend:
			for r := range n.appendRels.All() {
				used[r] = true
			}
		case BitmapIndexScan, Result:
		default:
			if n.scanRel > 0 {
				used[n.scanRel] = true
			}
		}
		return true
	})
	counts := map[string]int{}
	for i := range c.rtable {
		e := &c.rtable[i]
		// A plan that shows no entry names all of them.
		if len(used) > 0 && !used[i+1] {
			continue
		}
		name := c.entryName(e.rte)
		if name == "" {
			continue
		}
		if _, taken := counts[name]; taken {
			base := name
			for {
				counts[base]++
				suffix := "_" + strconv.Itoa(counts[base])
				name = truncate(base, maxName-1-len(suffix)) + suffix
				if _, again := counts[name]; !again {
					break
				}
			}
		}
		counts[name] = 0
		e.name = name
	}
}

// truncate cuts a name to so many bytes, not within a character
// (pg_mbcliplen).
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit]
}

func (c *creator) entryName(rte *query.RangeTblEntry) string {
	switch {
	case rte.Alias != nil && rte.Alias.Name != "":
		return rte.Alias.Name
	case rte.Kind == query.RTERelation:
		if t := c.g.Catalog.Table(rte.Relation); t != nil {
			return t.Name
		}
	case rte.Kind == query.RTEJoin:
		return ""
	}
	if rte.ERef != nil {
		return rte.ERef.Name
	}
	return ""
}

// columnName names a column of an entry (set_relation_column_names,
// ruleutils.c); "" for a whole row.
func (c *creator) columnName(e *flatRTE, att int) string {
	if att < 0 {
		for _, s := range catalog.SystemColumns() {
			if s.Number == att {
				return s.Name
			}
		}
		return ""
	}
	if att == 0 {
		return ""
	}
	if e.columns == nil {
		c.nameColumns(e)
	}
	if att > len(e.columns) {
		return ""
	}
	return e.columns[att-1]
}

func (c *creator) nameColumns(e *flatRTE) {
	var real []string
	if t := c.g.Catalog.Table(e.rte.Relation); e.rte.Kind == query.RTERelation && t != nil {
		for _, col := range t.Columns {
			name := t.ColumnName(col.Number)
			if col.Dropped {
				name = ""
			}
			real = append(real, name)
		}
	} else if e.rte.ERef != nil {
		real = e.rte.ERef.Columns
	}
	taken := map[string]bool{}
	e.columns = make([]string, len(real))
	for i, name := range real {
		if name == "" {
			continue
		}
		if a := e.rte.Alias; a != nil && i < len(a.Columns) && a.Columns[i] != "" {
			name = a.Columns[i]
		}
		base := name
		for n := 1; taken[name]; n++ {
			suffix := "_" + strconv.Itoa(n)
			name = truncate(base, maxName-1-len(suffix)) + suffix
		}
		taken[name] = true
		e.columns[i] = name
	}
}
