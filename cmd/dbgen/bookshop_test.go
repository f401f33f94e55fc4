package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/cli"
)

// TestBookshop holds what dbgen generate writes and says of the sample project
// against golden/bookshop and testdata/bookshop.txt.
func TestBookshop(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("..", "..", "golden", "bookshop")
	out := t.TempDir()
	if *update {
		out = golden
	}
	var stdout, stderr bytes.Buffer
	args := []string{"generate", "-f", filepath.Join("..", "..", "testdata", "bookshop", "dbgen.yaml"), "--out", out}
	if code := cli.Main(args, cli.IO{In: strings.NewReader(""), Out: &stdout, Err: &stderr}); code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr.String())
	}
	// The last line counts the files that changed, and names the folder.
	said, _, _ := strings.Cut(stderr.String(), "\ndbgen: ")
	findings := filepath.Join("testdata", "bookshop.txt")
	if *update {
		if err := os.WriteFile(findings, []byte(said+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(findings)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), said+"\n"); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for _, dir := range []string{golden, out} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			want, err := os.ReadFile(filepath.Join(golden, f.Name()))
			if err != nil {
				t.Error(err)
				continue
			}
			got, err := os.ReadFile(filepath.Join(out, f.Name()))
			if err != nil {
				t.Error(err)
				continue
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.Name(), diff)
			}
		}
	}
}
