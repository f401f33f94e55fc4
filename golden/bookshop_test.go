package golden_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDemo runs the program that sells two books through the bookshop's
// repositories, with the pool and in transactions.
func TestDemo(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "run", "./testdata/bookshop/demo")
	cmd.Dir = ".."
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	got := regexp.MustCompile(`^PostgreSQL \S+ started`).ReplaceAllString(string(out), "PostgreSQL started")
	const want = `PostgreSQL started, 11 migrations applied
stocked 2 editions
order B-1001 committed: pending, 2 lines
two tills wanted 3 of 5: 3 reserved, 1 transaction ran again
second account refused: customers_email_lower_key
nobody@example.com found: false
order B-1001: pending, 26.00 EUR
catalog: The Slow Tide (paperback, Harbour Press)
catalog: Maps of the Interior (paperback, Harbour Press)
pool: 0 of at most 4 connections in use
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
