package source_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser/source"
)

// TestMap rewrites random texts at random places and checks that every offset and
// range leads back: text that was kept to where it stood, replaced text to the
// whole of what was replaced.
func TestMap(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		base := r.IntN(20)
		original := strings.Repeat("abcdefghij", 8)[:40+r.IntN(40)]
		var m source.Map
		m.Replace(0, 0, source.Span{Start: base, End: base})
		var rewritten strings.Builder
		// For every byte of the rewritten text, the range it stands for.
		var want []source.Span
		keep := func(from, to int) {
			for i := from; i < to; i++ {
				want = append(want, source.Span{Start: base + i, End: base + i + 1})
			}
			rewritten.WriteString(original[from:to])
		}
		at := 0
		for at < len(original) {
			from := at + 1 + r.IntN(10)
			to := from + 1 + r.IntN(6)
			if to > len(original) {
				break
			}
			keep(at, from)
			text := strings.Repeat("$", 1+r.IntN(5))
			was := source.Span{Start: base + from, End: base + to}
			m.Replace(rewritten.Len(), len(text), was)
			rewritten.WriteString(text)
			for range text {
				want = append(want, was)
			}
			at = to
		}
		keep(at, len(original))
		for i := range want {
			if got := m.Original(i); got != want[i].Start {
				t.Fatalf("offset %d of %q leads to %d, not %d", i, rewritten.String(), got, want[i].Start)
			}
			for j := i + 1; j <= min(len(want), i+8); j++ {
				got := m.Span(source.Span{Start: i, End: j})
				if all := want[i].Union(want[j-1]); i > 0 && got != all {
					t.Fatalf("range %d-%d of %q leads to %v, not %v", i, j, rewritten.String(), got, all)
				}
			}
		}
		if got, end := m.Original(rewritten.Len()), base+len(original); got != end {
			t.Fatalf("the end leads to %d, not %d", got, end)
		}
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	f := source.NewFile("f", "\ufeffaé\r\n\tb\n")
	type place struct {
		Offset int
		Pos    source.Position
	}
	var got []place
	for _, offset := range []int{0, 3, 4, 6, 8, 9, 10, 11, 99} {
		got = append(got, place{offset, f.Position(offset)})
	}
	want := []place{
		{0, source.Position{Line: 1, Column: 1}},
		{3, source.Position{Line: 1, Column: 1}},
		{4, source.Position{Line: 1, Column: 2}},
		{6, source.Position{Line: 1, Column: 3}},
		{8, source.Position{Line: 2, Column: 1}},
		{9, source.Position{Line: 2, Column: 2}},
		{10, source.Position{Line: 2, Column: 3}},
		{11, source.Position{Line: 3, Column: 1}},
		{99, source.Position{Line: 3, Column: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	lines := []string{f.Line(0), f.Line(1), f.Line(2), f.Line(3), f.Line(4)}
	if diff := cmp.Diff([]string{"", "aé", "\tb", "", ""}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestByteOffset(t *testing.T) {
	t.Parallel()
	for n, want := range []int{0, 1, 3, 4, 4} {
		if got := source.ByteOffset("aéb", n); got != want {
			t.Errorf("character %d is at %d, not %d", n, got, want)
		}
	}
}

func TestLexer(t *testing.T) {
	t.Parallel()
	kinds := map[source.PieceKind]string{
		source.Word: "word", source.Symbol: "sym", source.QuotedIdent: "ident", source.StringConst: "str",
		source.DollarString: "dollar", source.LineComment: "line", source.BlockComment: "block",
	}
	for text, want := range map[string]string{
		`a$b$c 12x $1`:              `word:a$b$c word:12x sym:$ word:1`,
		`'a''b\' E'a\'b' e 'c\'`:    `str:'a''b\' word:E str:'a\'b' word:e str:'c\'`,
		"E'a' \n 'b\\'c' 'd\\'":     "word:E str:'a' str:'b\\'c' str:'d\\'",
		`E'a' 'b\' ;`:               `word:E str:'a' str:'b\' sym:;`,
		`"a""b" U&"c" --x`:          `ident:"a""b" word:U sym:& ident:"c" line:--x`,
		`$$a$b$$ $x$ $$ $x$`:        `dollar:$$a$b$$ dollar:$x$ $$ $x$`,
		`$1$ $a`:                    `sym:$ word:1 sym:$ sym:$ word:a`,
		"/* a /* b */ -- */ c--d\r": `block:/* a /* b */ -- */ word:c line:--d`,
		`'open`:                     `str!:'open`,
		`/* /* */`:                  `block!:/* /* */`,
		`x $t$ y`:                   `word:x dollar!:$t$ y`,
	} {
		var got []string
		at := 0
		lexer := source.NewLexer(text, 0)
		for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
			if p.Span.Start != at {
				t.Errorf("%q: a piece at %d, not %d", text, p.Span.Start, at)
			}
			at = p.Span.End
			if p.Kind == source.Space {
				continue
			}
			mark := ""
			if p.Unterminated {
				mark = "!"
			}
			got = append(got, kinds[p.Kind]+mark+":"+text[p.Span.Start:p.Span.End])
		}
		if at != len(text) {
			t.Errorf("%q: ends at %d", text, at)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
