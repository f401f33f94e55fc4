package cost_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const parserModule = "github.com/pganalyze/pg_query_go/v5"

// TestNoFusedProducts builds the packages that compute costs for a processor
// that has fused multiply-add, and looks for it in the machine code: a fused
// product would change the last digits of a cost. The SQL parser, which is C, is
// replaced by its declarations for this build; nothing is run.
func TestNoFusedProducts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	modfile := withoutC(t, dir)
	for _, pkg := range []string{"cost", "selectivity", "prep", "path", "join", "upper"} {
		cmd := exec.Command("go", "build", "-modfile="+modfile, "-gcflags=-S", "github.com/dbgen/dbgen/planner/"+pkg)
		cmd.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%.2000s", pkg, err, out)
		}
		if pkg == "cost" && !regexp.MustCompile(`\bFMULD\b`).Match(out) {
			t.Fatal("no multiplication in the assembly: it is not what was asked for")
		}
		for _, m := range regexp.MustCompile(`(?m)^.*\bFN?M(ADD|SUB)[DS]?\b.*$`).FindAll(out, -1) {
			t.Errorf("%s has a fused product: %s", pkg, m)
		}
	}
}

// withoutC writes a go.mod by which the parser is a module without C, and
// returns its path.
func withoutC(t *testing.T, dir string) string {
	t.Helper()
	output := func(args ...string) string {
		out, err := exec.Command("go", args...).Output()
		if err != nil {
			t.Fatalf("go %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	root := filepath.Dir(output("env", "GOMOD"))
	from := output("list", "-m", "-f", "{{.Dir}}", parserModule)
	to := filepath.Join(dir, "parser")
	if err := os.MkdirAll(filepath.Join(to, "parser"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "pg_query.pb.go", "makefuncs.go"} {
		copyFile(t, filepath.Join(from, name), filepath.Join(to, name))
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(to, "parser", "parser.go"), `package parser

type Error struct {
	Message, Funcname, Filename string
	Lineno, Cursorpos           int
	Context                     string
}

func (e *Error) Error() string { return e.Message }
`)
	write(filepath.Join(to, "pg_query.go"), `package pg_query

func Scan(string) (*ScanResult, error)     { return nil, nil }
func Parse(string) (*ParseResult, error)   { return nil, nil }
func Deparse(*ParseResult) (string, error) { return "", nil }
func ParsePlPgSqlToJSON(string) (string, error) { return "", nil }
func Normalize(string) (string, error)     { return "", nil }
func Fingerprint(string) (string, error)   { return "", nil }
`)
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	modfile := filepath.Join(dir, "go.mod")
	write(modfile, string(text)+"\nreplace "+parserModule+" => "+to+"\n")
	copyFile(t, filepath.Join(root, "go.sum"), filepath.Join(dir, "go.sum"))
	return modfile
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
