package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/dbgen/dbgen"

// street lists the packages from the first to the last. A package imports what
// stands above it, never below.
var street = []string{
	"parser/source",
	"parser/diag",
	"parser/pgtype",
	"parser/annotation",
	"parser",
	"parser/migration",
	"parser/query",
	"parser/catalog",
	"parser/catalog/builtin",
	"parser/catalog/pull",
	"parser/analyze",
	"parser/deparse",
	"parser/ddl",
	"parser/infer",
	"planner/stats",
	"planner/stats/pull",
	"planner/rel",
	"planner/eval",
	"planner/rewrite",
	"planner/selectivity",
	"planner/cost",
	"planner/prep",
	"planner/path",
	"planner/join",
	"planner/upper",
	"planner/plan",
	"planner",
	"planner/advise",
	"planner/lint",
	"templates/naming",
	"templates/gotype",
	"templates/model",
	"templates/emit",
	"cmd/dbgen/internal/config",
	"cmd/dbgen/internal/pipeline",
	"cmd/dbgen/internal/cli",
	"cmd/dbgen",
}

// runtimes import nothing of dbgen but what is listed, for users link them.
var runtimes = map[string][]string{
	"runtime":                 nil,
	"runtime/internal/rows":   nil,
	"runtime/internal/notice": nil,
	"runtime/pool":            {"runtime", "runtime/internal/rows", "runtime/internal/notice"},
	"runtime/txn":             {"runtime", "runtime/internal/rows", "runtime/internal/notice"},
	"runtime/pgtest":          {"parser/migration"},
	"runtime/internal/proof":  nil,
}

// linked are the modules that runtime packages may bring along.
var linked = map[string][]string{
	"runtime":                 {"github.com/jackc/pgx/v5"},
	"runtime/internal/rows":   {"github.com/jackc/pgx/v5"},
	"runtime/internal/notice": {"github.com/jackc/pgx/v5"},
	"runtime/pool":            {"github.com/jackc/pgx/v5"},
	"runtime/txn":             {"github.com/jackc/pgx/v5"},
	"runtime/pgtest":          {"github.com/jackc/pgx/v5", "github.com/fergusstrange/embedded-postgres"},
}

type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// packages lists the module's packages, without the generated ones.
func packages(t *testing.T) []pkg {
	t.Helper()
	return slices.DeleteFunc(all(t), func(p pkg) bool {
		return p.ImportPath == module+"/golden" || strings.HasPrefix(p.ImportPath, module+"/golden/")
	})
}

// all lists the module's packages.
func all(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Doc,Dir,GoFiles,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// TestGeneratedImports keeps what generated code links to the runtime, its
// transactions and pgx's types, beside the standard library.
func TestGeneratedImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range all(t) {
		if !strings.HasPrefix(p.ImportPath, module+"/golden/") {
			continue
		}
		for _, imp := range p.Imports {
			seen[imp] = true
			switch imp {
			case module + "/runtime", module + "/runtime/txn", "github.com/jackc/pgx/v5/pgtype":
			default:
				if strings.Contains(strings.Split(imp, "/")[0], ".") {
					t.Errorf("%s imports %s, which its users would link", p.ImportPath, imp)
				}
			}
		}
	}
	if !seen[module+"/runtime/txn"] {
		t.Error("no generated package was seen")
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if strings.HasSuffix(name, "/capture") || name == "planner/internal/plantest" ||
			name == "parser/infer/internal/soundfuzz" {
			// Commands that write captured data, and help for tests: nobody
			// may import them, for they are not in the table.
			continue
		}
		at := slices.Index(street, name)
		allowed, isRuntime := runtimes[name]
		if at < 0 && !isRuntime {
			t.Errorf("%s is not in the table of packages", name)
			continue
		}
		for _, imp := range p.Imports {
			own, isOwn := strings.CutPrefix(imp, module+"/")
			switch {
			case isRuntime && isOwn && !slices.Contains(allowed, own):
				t.Errorf("%s imports %s; runtime packages stand alone", name, own)
			case isRuntime && !isOwn && strings.Contains(strings.Split(imp, "/")[0], "."):
				if !slices.ContainsFunc(linked[name], func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") }) {
					t.Errorf("%s imports %s, which its users would link", name, imp)
				}
			case !isRuntime && isOwn:
				i := slices.Index(street, own)
				if i < 0 || i >= at {
					t.Errorf("%s imports %s, which does not stand above it", name, own)
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s has no package comment beginning with %q", p.ImportPath, want)
		}
	}
}

func TestFileLength(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			data, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(data, []byte("\n")); n > 800 && !bytes.HasPrefix(data, []byte("// Code generated")) {
				t.Errorf("%s/%s has %d lines, more than 800", p.ImportPath, f, n)
			}
		}
	}
}

// TestNoReplace keeps `go install …@version` working, which refuses a module
// with replace directives.
func TestNoReplace(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)^\s*replace\b`).Match(data) {
		t.Error("go.mod has a replace directive")
	}
}

// TestNoInit keeps package initialisation free of hidden work.
func TestNoInit(t *testing.T) {
	t.Parallel()
	re := regexp.MustCompile(`(?m)^func init\(\)`)
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			data, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if re.Match(data) {
				t.Errorf("%s/%s has an init function", p.ImportPath, f)
			}
		}
	}
}

// root is the module's folder.
func root(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
