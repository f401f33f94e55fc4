package annotation

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/source"
)

// FuzzPlain holds the reading of plain statements against the scanner's.
func FuzzPlain(f *testing.F) {
	for _, seed := range []string{
		"SELECT $1, 'it''s $2' -- $3\n, $4 /* $5 /* $6 */ */ FROM t WHERE a = $1",
		"SELECT $$ $1 $$, $a$ $2 $a$, E'\\' $3', $4", "SELECT a$1, $1a, $ 1, $", "SELECT $0, $99999, $99999999999999999999",
		"SELECT 'a'\n'$1' -- b", "SELECT x'1F', B'01', U&'d' + $1 --", "SELECT a+-- $1\n$2", "$1$2$a", "SELECT \"a$1\"", "SELECT 1$1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return // the parser refuses such a file before
		}
		file := source.NewFile("f.sql", text)
		fresh := func() *rewriter {
			return &rewriter{file: file, text: text, params: map[int]*Param{}, numbers: map[string]int{}, next: 1}
		}
		scan, err := pg_query.Scan(text)
		fast := fresh()
		if err != nil || !fast.plain() {
			return // for the scanner to judge
		}
		slow := fresh()
		slow.tokens(scan.Tokens)
		slow.walk()
		fast.finish()
		slow.finish()
		if diff := cmp.Diff(slow.result.Params, fast.result.Params); diff != "" {
			t.Errorf("parameters of %q (-scanner +plain):\n%s", text, diff)
		}
		if diff := cmp.Diff(slow.result.Comments, fast.result.Comments); diff != "" {
			t.Errorf("comments of %q (-scanner +plain):\n%s", text, diff)
		}
		if len(slow.diags) != len(fast.diags) {
			t.Errorf("%q: the scanner's way reports %v, the plain one %v", text, slow.diags, fast.diags)
		}
	})
}
