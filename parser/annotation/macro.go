package annotation

import (
	"fmt"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// The schemas that macros are written with.
const (
	macroSchema = "dbgen"
	sqlcSchema  = "sqlc"
)

// use is one place where a named argument stands.
type use struct {
	start, end int // what is replaced
	name       string
	nameSpan   source.Span // in the file
	nullable   bool
	slice      bool
}

// argument recognises a named argument at i: @name, sqlc.arg and its like.
func (r *rewriter) argument(i int) (use, int, bool) {
	t := r.toks[i]
	if t.kind == pg_query.Token_Op && r.text[t.end-1] == '@' && i+1 < len(r.toks) {
		return r.at(i)
	}
	name, arg, next, ok := r.call(i)
	if !ok || name != "arg" && name != "narg" && name != "slice" {
		return use{}, 0, false
	}
	if len(arg) != 1 {
		return use{}, 0, false
	}
	word, ok := r.word(arg[0])
	if !ok {
		return use{}, 0, false
	}
	return use{
		start: t.start, end: r.toks[next-1].end, name: word,
		nameSpan: r.span(arg[0].start, arg[0].end),
		nullable: name == "narg", slice: name == "slice",
	}, next, true
}

// at recognises @name in an operator token that ends in @.
func (r *rewriter) at(i int) (use, int, bool) {
	op, word := r.toks[i], r.toks[i+1]
	if word.start != op.end || !isWord(word) {
		return use{}, 0, false
	}
	whole := r.text[op.start:op.end]
	span := r.span(op.end-1, r.tokenEnd(word))
	if whole != "@" && isOperator(whole) {
		r.diags.Add(diag.Diagnostic{
			Severity: diag.Info, Code: Code, File: r.file, Span: r.span(op.start, word.end),
			Message: fmt.Sprintf("%s is read as the operator %s and a column", whole+r.text[word.start:word.end], whole),
			Hint:    fmt.Sprintf("for a named argument put a space in front of its @: %s @%s", whole, r.text[word.start:word.end]),
		})
		return use{}, 0, false
	}
	if word.kind == pg_query.Token_UIDENT {
		r.fail(span, "not supported yet: a named argument with Unicode escapes", "write the characters themselves")
		return use{}, 0, false
	}
	name, ok := r.word(word)
	if !ok {
		return use{}, 0, false
	}
	return use{
		start: op.end - 1, end: word.end, name: name, nameSpan: r.span(word.start, word.end),
	}, i + 2, true
}

// isOperator reports whether op is a catalogued operator.
func isOperator(op string) bool {
	for line := range strings.Lines(operators) {
		if strings.TrimSpace(line) == op {
			return true
		}
	}
	return false
}

// in rewrites IN (@ids) and NOT IN (@ids), where the named argument stands
// alone.
func (r *rewriter) in(i int) (next int, ok bool) {
	if i+3 >= len(r.toks) || r.toks[i+1].kind != pg_query.Token_ASCII_40 {
		return 0, false
	}
	if o := r.toks[i].opener; o > 0 && r.toks[o-1].kind == pg_query.Token_POSITION {
		return 0, false // position('a' IN (@text)) is another IN
	}
	said := len(r.diags)
	u, after, ok := r.argument(i + 2)
	if !ok || after >= len(r.toks) || r.toks[after].kind != pg_query.Token_ASCII_41 {
		r.diags = r.diags[:said]
		return 0, false
	}
	e := edit{start: r.toks[i].start, end: r.toks[i].end, text: "= ANY"}
	if i > 0 && r.toks[i-1].kind == pg_query.Token_NOT {
		e.start, e.text = r.toks[i-1].start, "<> ALL"
	}
	if e.start > 0 && isOperatorByte(r.text[e.start-1]) {
		e.text = " " + e.text
	}
	r.edits = append(r.edits, e)
	r.replace(u, true)
	return after + 1, true
}

// macro handles the calls of sqlc. and dbgen. that are no arguments: embed, and
// what is wrong.
func (r *rewriter) macro(i int) (next int, ok bool) {
	name, arg, next, ok := r.call(i)
	if !ok {
		return 0, false
	}
	call := r.text[r.toks[i].start:r.toks[i+2].end]
	span := r.span(r.toks[i].start, r.toks[next-1].end)
	switch {
	case name == "embed":
		return r.embed(i, arg, next), true
	case slices.Contains(macros(), name):
		place := span
		if len(arg) > 0 {
			place = r.span(arg[0].start, arg[len(arg)-1].end)
		}
		r.fail(place, call+" takes one name, an identifier or a string", "")
		return next, true
	case strings.HasPrefix(strings.ToLower(call), "dbgen.") && slices.Contains(later(), name):
		r.fail(span, "not supported yet: "+call, "")
		return i + 4, true
	}
	label := ""
	if near, ok := diag.DidYouMean(name, macros()); ok {
		label = fmt.Sprintf("did you mean %s.%s?", r.text[r.toks[i].start:r.toks[i].end], near)
	}
	r.diags.Add(diag.Diagnostic{
		Severity: diag.Error, Code: Code, File: r.file,
		Span:    r.span(r.toks[i].start, r.toks[i+2].end),
		Message: "unknown macro " + call, Label: label,
	})
	return i + 4, true
}

// macros are the words that may stand behind sqlc. and dbgen.
func macros() []string { return []string{"arg", "embed", "narg", "slice"} }

// later are the words behind dbgen. that have a meaning but no code yet.
func later() []string { return []string{"fragment", "keyset", "nest", "optional", "order"} }

// embed rewrites sqlc.embed(t) to t.*; a qualified name is taken too.
func (r *rewriter) embed(i int, arg []token, next int) int {
	span := r.span(r.toks[i].start, r.toks[next-1].end)
	var b strings.Builder
	table, good := "", len(arg)%2 == 1
	for j, t := range arg {
		if j%2 == 1 {
			good = good && t.kind == '.'
			b.WriteByte('.')
			continue
		}
		name, ok := r.word(t)
		good, table = good && ok, name
		text := r.text[t.start:t.end]
		if t.kind == pg_query.Token_SCONST ||
			t.keyword == pg_query.KeywordKind_RESERVED_KEYWORD || t.keyword == pg_query.KeywordKind_TYPE_FUNC_NAME_KEYWORD {
			text = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
		b.WriteString(text)
	}
	if !good {
		r.fail(span, "embed takes the name or alias of a table", "")
		return next
	}
	r.edits = append(r.edits, edit{
		start: r.toks[i].start, end: r.toks[next-1].end, text: b.String() + ".*",
		embed: &Embed{Table: table, Span: span},
	})
	return next
}

// call recognises `sqlc.word(…)` or `dbgen.word(…)` at i: the word in lower
// case, the tokens between the brackets, the index behind the closing one.
func (r *rewriter) call(i int) (name string, arg []token, next int, ok bool) {
	if i+4 >= len(r.toks) || !isWord(r.toks[i]) || !isWord(r.toks[i+2]) ||
		r.toks[i+1].kind != '.' || r.toks[i+3].kind != pg_query.Token_ASCII_40 ||
		i > 0 && r.toks[i-1].kind == '.' {
		return "", nil, 0, false
	}
	space := strings.ToLower(r.text[r.toks[i].start:r.toks[i].end])
	if space != sqlcSchema && space != macroSchema {
		return "", nil, 0, false
	}
	j := r.toks[i+3].closer
	if j < 0 {
		return "", nil, 0, false
	}
	return strings.ToLower(r.text[r.toks[i+2].start:r.toks[i+2].end]), r.toks[i+4 : j], j + 1, true
}

// word is the name that an identifier, a keyword or a string stands for.
func (r *rewriter) word(t token) (string, bool) {
	text := r.text[t.start:t.end]
	switch {
	case t.kind == pg_query.Token_SCONST && len(text) > 2 && text[0] == '\'':
		return strings.ReplaceAll(text[1:len(text)-1], "''", "'"), true
	case t.kind == pg_query.Token_IDENT && len(text) > 2 && text[0] == '"':
		return strings.ReplaceAll(text[1:len(text)-1], `""`, `"`), true
	case t.kind == pg_query.Token_UIDENT || !isWord(t):
		return "", false
	}
	return foldCase(text), true
}
