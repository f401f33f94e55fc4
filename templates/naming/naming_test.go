package naming_test

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/templates/naming"
)

// TestNames names each line of the input.
//
//	exported, unexported, lower, local, singular, plural, repository, file, package
//	unique  gives the words of each line names of their own
func TestNames(t *testing.T) {
	t.Parallel()
	functions := map[string]func(string) string{
		"exported":   naming.Exported,
		"unexported": naming.Unexported,
		"lower":      naming.Lower,
		"local":      func(s string) string { return naming.Local(s, "ctx", "runtime") },
		"singular":   naming.Singular,
		"plural":     naming.Plural,
		"repository": naming.Repository,
		"file":       naming.GoFile,
		"package":    func(s string) string { return fmt.Sprint(naming.Package(s)) },
		"unique":     func(s string) string { return strings.Join(naming.Unique(strings.Fields(s)), " ") },
	}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			fn := functions[d.Cmd]
			if fn == nil {
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			var b strings.Builder
			for line := range strings.Lines(d.Input + "\n") {
				line = strings.TrimSuffix(line, "\n")
				fmt.Fprintf(&b, "%s -> %s\n", line, fn(line))
			}
			return b.String()
		})
	})
}

// TestScope wants the first free name, then numbers.
func TestScope(t *testing.T) {
	t.Parallel()
	s := naming.NewScope("Order")
	got := []string{s.Name("Order", "SalesOrder"), s.Name("Order", "SalesOrder"), s.Name("Order", "SalesOrder"), s.Name("V2"), s.Name("V2")}
	want := []string{"SalesOrder", "SalesOrder2", "SalesOrder3", "V2", "V2_2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if s.Take("V2") || !s.Has("V2") || !s.Take("V3") {
		t.Error("a name was taken twice, or a free one not given")
	}
}

// FuzzIdentifier wants an identifier of any name.
func FuzzIdentifier(f *testing.F) {
	for _, s := range []string{"id", "", "2fa", "名前", "a b", "?column?", "_", "ÄÖ", "x\x00", "ǅ", "\u0301a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if e := naming.Exported(name); !token.IsIdentifier(e) || !token.IsExported(e) {
			t.Errorf("Exported(%q) is %q", name, e)
		}
		if l := naming.Local(name); !token.IsIdentifier(l) {
			t.Errorf("Local(%q) is %q", name, l)
		}
		if s := naming.Singular(name); s == "" && name != "" {
			t.Errorf("Singular(%q) is empty", name)
		}
		naming.Plural(name)
		naming.GoFile(name)
	})
}
