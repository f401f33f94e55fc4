package parser

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	pgparser "github.com/pganalyze/pg_query_go/v5/parser"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// explain adds what is known of a syntax error beyond the server's words.
func explain(d *diag.Diagnostic, s *Statement, err error, c chunk) {
	var pgErr *pgparser.Error
	if errors.As(err, &pgErr) && strings.HasPrefix(pgErr.Message, "syntax error") {
		offset := len(s.Text)
		if pgErr.Cursorpos > 0 {
			offset = source.ByteOffset(s.Text, pgErr.Cursorpos-1)
		}
		if what, version := newer(s.Text, offset); what != "" {
			d.Hint = fmt.Sprintf("not supported yet: %s looks like the syntax of PostgreSQL %d; "+
				"statements are read by the grammar of PostgreSQL 16", what, version)
			return
		}
		if nextToList(s, offset) {
			d.Hint = "IN (@name) is read as = ANY (@name), which binds less: put brackets around it"
			return
		}
		if offset < len(s.Text) && s.Text[offset] == '\\' {
			d.Hint = "a command of psql is not SQL"
			return
		}
		if offset < len(s.Text) && s.Text[offset] == ':' {
			d.Hint = "a variable of psql is not SQL; a parameter is @name or $1"
			return
		}
		if offset < len(s.Text) && s.Text[offset] == '`' {
			d.Hint = `names are quoted with "`
			return
		}
		if before := strings.TrimSpace(s.Text[:offset]); strings.HasSuffix(before, "?") {
			// ? is an operator, which what follows cannot end.
			d.Hint = "a parameter is @name or $1, not ?"
			return
		}
	}
	if c.open && d.Hint == "" {
		d.Hint = "a bracket of the statement is not closed"
		return
	}
	if c.cut && d.Hint == "" {
		d.Hint = `is a ";" missing before the annotation that follows?`
	}
}

// nextToList reports whether the token at offset is the = of a rewritten IN
// (@name), or stands right behind one. IN may stand beside a comparison where a
// second comparison may not.
func nextToList(s *Statement, offset int) bool {
	if !slices.ContainsFunc(s.Params, func(p annotation.Param) bool { return p.List }) {
		return false
	}
	w, at := tokenWords(s.Text, offset)
	list := func(i int) bool {
		return i >= 0 && i+3 < len(w) && (w[i] == "any" || w[i] == "all") && w[i+1] == "(" &&
			strings.HasPrefix(w[i+2], "$") && w[i+3] == ")"
	}
	return at >= 0 && (list(at+1) || list(at-4))
}

// newer names the syntax of a version after 16 that the grammar stumbled over
// at offset, and that version; "" where it is not surely one.
func newer(text string, offset int) (what string, version int) {
	w, at := tokenWords(text, offset)
	if at < 0 {
		return "", 0
	}
	is := func(i int, words ...string) bool {
		for j, word := range words {
			if i+j < 0 || i+j >= len(w) || w[i+j] != word {
				return false
			}
		}
		return true
	}
	for _, rule := range []struct {
		matches bool
		what    string
		version int
	}{
		{is(at-1, "returning", "with", "("), "RETURNING WITH (OLD AS …, NEW AS …)", 18},
		{is(at, "virtual") && is(at-1, ")"), "a virtual generated column", 18},
		{is(at-1, "not", "enforced") || is(at, "enforced"), "[NOT] ENFORCED", 18},
		{is(at, "without", "overlaps"), "WITHOUT OVERLAPS", 18},
		{at > 0 && is(at-1, "period") && references(w[:at]), "PERIOD in a foreign key", 18},
		{is(at, "not", "null") && at >= 2 && w[at-2] == "constraint" && w[0] == "alter", "a named NOT NULL constraint", 18},
		{is(at, "returning") && merges(w[:at]), "MERGE … RETURNING", 17},
		{is(at-1, "matched", "by") && merges(w[:at]), "WHEN NOT MATCHED BY", 17},
		{is(at-1, "at", "local"), "AT LOCAL", 17},
		{is(at-1, "set", "expression"), "SET EXPRESSION", 17},
		{is(at-2, "access", "method", "default"), "SET ACCESS METHOD DEFAULT", 17},
	} {
		if rule.matches {
			return rule.what, rule.version
		}
	}
	if at < len(w) && slices.Contains(jsonClauses(), w[at]) {
		switch call := enclosingCall(w[:at]); call {
		case "json_table", "json_exists", "json_query", "json_value", "json_serialize", "json":
			return strings.ToUpper(call), 17
		}
	}
	if virtualColumn(w, at) {
		return "a virtual generated column", 18
	}
	return "", 0
}

// jsonClauses are the words that begin a clause inside the calls of SQL/JSON.
func jsonClauses() []string {
	return []string{
		"columns", "default", "empty", "error", "false", "format", "null", "passing", "returning", "true",
		"unknown", "with", "without",
	}
}

// tokenWords returns the tokens of text in lower case, and the index of the one
// at offset; the number of tokens for the end of the text.
func tokenWords(text string, offset int) (words []string, at int) {
	scan, err := pg_query.Scan(text)
	if err != nil {
		return nil, -1
	}
	at = -1
	for _, t := range scan.Tokens {
		switch t.Token {
		case pg_query.Token_SQL_COMMENT, pg_query.Token_C_COMMENT:
			continue
		}
		if at < 0 && int(t.Start) >= offset {
			at = len(words)
		}
		words = append(words, strings.ToLower(text[t.Start:t.End]))
	}
	if at < 0 {
		at = len(words)
	}
	return words, at
}

// merges reports whether MERGE INTO stands among the words.
func merges(words []string) bool {
	for i, w := range words {
		if w == "merge" && i+1 < len(words) && words[i+1] == "into" {
			return true
		}
	}
	return false
}

// references reports whether the words end inside the column list of a foreign
// key or of what it references.
func references(words []string) bool {
	for i := len(words) - 1; i > 0; i-- {
		if words[i] == "(" {
			return words[i-1] == "key" || i > 1 && words[i-2] == "references"
		}
	}
	return false
}

// enclosingCall is the word before the innermost bracket that is open at the end
// of words.
func enclosingCall(words []string) string {
	depth := 0
	for i := len(words) - 1; i > 0; i-- {
		switch words[i] {
		case ")":
			depth++
		case "(":
			if depth == 0 {
				return words[i-1]
			}
			depth--
		}
	}
	return ""
}

// virtualColumn reports whether the token at follows GENERATED ALWAYS AS (…),
// where the grammar of 16 demands STORED and 18 takes nothing for VIRTUAL.
func virtualColumn(w []string, at int) bool {
	if at == 0 || w[at-1] != ")" || at < len(w) && w[at] == "stored" {
		return false
	}
	depth := 0
	for i := at - 1; i > 2; i-- {
		switch w[i] {
		case ")":
			depth++
		case "(":
			if depth--; depth == 0 {
				return w[i-1] == "as" && w[i-2] == "always" && w[i-3] == "generated"
			}
		}
	}
	return false
}
