package deparse_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser/deparse"
)

// TestViews holds the text of each query in testdata/views.txt against what
// pg_get_viewdef prints of a view of it, line breaks aside.
func TestViews(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/views.txt")
	if err != nil {
		t.Fatal(err)
	}
	conn, major := server(t)
	ctx := context.Background()
	if _, err := conn.Exec(ctx, schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	sql := schema
	var queries, want []string
	for line := range strings.Lines(string(file)) {
		if _, err := conn.Exec(ctx, fmt.Sprintf("create view w%d as %s", len(queries), line)); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		var def string
		if err := conn.QueryRow(ctx, fmt.Sprintf("select pg_get_viewdef('w%d'::regclass)", len(queries))).Scan(&def); err != nil {
			t.Fatal(err)
		}
		want = append(want, plain(strings.TrimSuffix(def, ";")))
		sql += fmt.Sprintf(";create view w%d as %s", len(queries), line)
		queries = append(queries, line)
	}
	cat := load(t, major, sql)
	for i, line := range queries {
		v := cat.TableByName("", fmt.Sprintf("w%d", i))
		if v == nil || v.View == nil {
			t.Errorf("%s: no view", line)
			continue
		}
		got := plain(deparse.Select(cat, v.View))
		if major < 16 {
			// There, views have range table entries for OLD and NEW, so that all
			// columns have a qualifier.
			got, want[i] = qualifier.ReplaceAllString(got, "$1"), qualifier.ReplaceAllString(want[i], "$1")
		}
		if got != want[i] {
			t.Errorf("%s got: %s\nwant: %s", line, got, want[i])
		}
	}
}

var qualifier = regexp.MustCompile(`(?:"T x"|\b[a-z]\w*)\.([\w"*])`)

// plain takes line breaks and the blanks around parentheses out.
func plain(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.ReplaceAll(strings.ReplaceAll(s, "( ", "("), " )", ")")
}
