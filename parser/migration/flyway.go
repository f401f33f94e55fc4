package migration

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

var (
	flywayParts       = regexp.MustCompile(`^([VUB])([0-9]+(?:[._][0-9]+)*)__(.*)\.sql$|^(R)__(.*)\.sql$`)
	flywayPlaceholder = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_.:]*\}`)
)

// flywayKind is what the name of a migration of Flyway says: V versioned, U undo,
// B baseline, R repeatable; the parts of the version; the description.
func flywayKind(base string) (kind byte, version []string, description string) {
	m := flywayParts.FindStringSubmatch(base)
	switch {
	case m == nil:
		return 0, nil, ""
	case m[4] != "":
		return 'R', nil, m[5]
	}
	parts := strings.FieldsFunc(m[2], func(r rune) bool { return r == '.' || r == '_' })
	for i, p := range parts {
		parts[i] = strings.TrimLeft(p, "0")
	}
	return m[1][0], parts, m[3]
}

// compareVersions compares versions part by part, by value.
func compareVersions(a, b []string) int {
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
	}
	return 0
}

// readFlyway refuses a placeholder, whose value stands in Flyway's configuration.
func readFlyway(step *Step) diag.List {
	var diags diag.List
	f := step.File
	lexer := source.NewLexer(f.Text, f.TextStart())
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		if p.Kind == source.LineComment || p.Kind == source.BlockComment || p.Kind == source.Symbol && f.Text[p.Span.Start] != '$' {
			continue
		}
		end := p.Span.End
		if p.Kind == source.Symbol {
			end = len(f.Text)
		}
		m := flywayPlaceholder.FindStringIndex(f.Text[p.Span.Start:end])
		if m == nil || p.Kind == source.Symbol && m[0] != 0 {
			continue
		}
		span := source.Span{Start: p.Span.Start + m[0], End: p.Span.Start + m[1]}
		d := problem(f, span, "not supported yet: the placeholder %s of Flyway", f.Text[span.Start:span.End])
		d.Hint = "its value stands in Flyway's configuration; write it into the file"
		diags.Add(d)
		return diags
	}
	return diags
}

// orderFlyway puts the steps in the order in which Flyway applies them to an
// empty database: the newest baseline, the versions above it, then what is
// repeatable by its description.
func orderFlyway(dir *Dir) diag.List {
	var diags diag.List
	type key struct {
		kind        byte
		version     []string
		description string
	}
	of := func(s Step) key {
		var k key
		k.kind, k.version, k.description = flywayKind(baseName(s.File.Name))
		return k
	}
	var base []string
	for _, s := range dir.Steps {
		if k := of(s); k.kind == 'B' && (base == nil || compareVersions(k.version, base) > 0) {
			base = k.version
		}
	}
	dir.Steps = slices.DeleteFunc(dir.Steps, func(s Step) bool {
		k := of(s)
		if base == nil || k.kind == 'R' {
			return false
		}
		c := compareVersions(k.version, base)
		return c < 0 || c == 0 && k.kind != 'B'
	})
	slices.SortStableFunc(dir.Steps, func(a, b Step) int {
		x, y := of(a), of(b)
		switch {
		case x.kind == 'R' && y.kind == 'R':
			return cmp.Compare(x.description, y.description)
		case x.kind == 'R':
			return 1
		case y.kind == 'R':
			return -1
		}
		return compareVersions(x.version, y.version)
	})
	for i := 1; i < len(dir.Steps); i++ {
		a, b := dir.Steps[i-1], dir.Steps[i]
		x, y := of(a), of(b)
		if x.kind != 'R' && y.kind != 'R' && compareVersions(x.version, y.version) == 0 {
			diags.Add(problem(b.File, source.Span{}, "version %s is also that of %s", strings.Join(y.version, "."), a.File.Name))
		}
	}
	return diags
}
