package ddl

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dbgen/dbgen/parser/catalog"
)

// maxName is the length of the longest name in bytes (NAMEDATALEN - 1,
// pg_config_manual.h).
const maxName = 63

// clip cuts s to at most n bytes without cutting a character
// (pg_mbcliplen, mbutils.c).
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// makeObjectName builds name1_name2_label; "" leaves out a part (for name1 only
// its text, not the underscore). The longer name is shortened first
// (makeObjectName, indexcmds.c).
func makeObjectName(name1, name2, label string, hasName2 bool) string {
	overhead := 0
	n1, n2 := len(name1), 0
	if hasName2 {
		n2 = len(name2)
		overhead++
	}
	if label != "" {
		overhead += len(label) + 1
	}
	for room := maxName - overhead; n1+n2 > room; {
		if n1 > n2 {
			n1--
		} else {
			n2--
		}
	}
	s := clip(name1, n1)
	if hasName2 {
		s += "_" + clip(name2, n2)
	}
	if label != "" {
		s += "_" + label
	}
	return s
}

// relationTaken reports whether a name is taken in pg_class.
func (a *applier) relationTaken(schema, name string) bool {
	return a.cat.TableByName(schema, name) != nil || a.cat.IndexByName(schema, name) != nil
}

// chooseRelationName is ChooseRelationName (indexcmds.c).
func (a *applier) chooseRelationName(name1, name2, label, schema string, constraint bool) string {
	modified := label
	for pass := 1; ; pass++ {
		name := makeObjectName(name1, name2, modified, name2 != "")
		if !a.relationTaken(schema, name) && (!constraint || !a.cat.ConstraintInSchema(schema, name)) {
			return name
		}
		modified = label + strconv.Itoa(pass)
	}
}

// chooseConstraintName is ChooseConstraintName (pg_constraint.c). Names that
// the statement has given out already count as taken.
func (a *applier) chooseConstraintName(name1, name2, label, schema string) string {
	modified := label
	for pass := 1; ; pass++ {
		name := makeObjectName(name1, name2, modified, name2 != "")
		taken := a.cat.ConstraintInSchema(schema, name)
		for _, n := range a.chosen {
			taken = taken || n == name
		}
		if !taken {
			return name
		}
		modified = label + strconv.Itoa(pass)
	}
}

// nameAddition joins column names for the name of an index or foreign key; once
// it is long enough the rest is left out (ChooseIndexNameAddition, indexcmds.c).
func nameAddition(columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(clip(c, maxName))
		if b.Len() > maxName {
			break
		}
	}
	return b.String()
}

// chooseIndexName is ChooseIndexName (indexcmds.c).
func (a *applier) chooseIndexName(t *catalog.Table, columns []string, kind byte) string {
	switch kind {
	case catalog.ConstraintPrimary:
		return a.chooseRelationName(t.Name, "", "pkey", t.Schema, true)
	case catalog.ConstraintExclusion:
		return a.chooseRelationName(t.Name, nameAddition(columns), "excl", t.Schema, true)
	case catalog.ConstraintUnique:
		return a.chooseRelationName(t.Name, nameAddition(columns), "key", t.Schema, true)
	}
	return a.chooseRelationName(t.Name, nameAddition(columns), "idx", t.Schema, false)
}

// uniqueColumn makes the name of an index column distinct from those before it
// (ChooseIndexColumnNames, indexcmds.c).
func uniqueColumn(name string, before []catalog.IndexKey) string {
	try := name
	for i := 1; ; i++ {
		taken := false
		for _, k := range before {
			taken = taken || k.Name == try
		}
		if !taken {
			return try
		}
		n := strconv.Itoa(i)
		try = clip(name, maxName-len(n)) + n
	}
}

// arrayTypeName is makeArrayTypeName (pg_type.c). Up to PostgreSQL 15 a name that
// is taken gets more underscores in front, since 16 a number behind.
func (a *applier) arrayTypeName(schema, name string) string {
	if a.cat.Major < 16 {
		for i := 1; i < maxName; i++ {
			try := clip(strings.Repeat("_", i)+name, maxName)
			if a.cat.TypeByName(schema, try) == nil {
				return try
			}
		}
	}
	for pass := 0; ; pass++ {
		label := ""
		if pass > 0 {
			label = strconv.Itoa(pass)
		}
		try := makeObjectName("", name, label, true)
		if a.cat.TypeByName(schema, try) == nil {
			return try
		}
	}
}
