package lint

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/diag"
)

// unusedAllow is the rule about the directives that silence the others. A
// finding that somebody has looked at and accepted should say why, and should
// not outlive its reason.
func unusedAllow() *Rule {
	return &Rule{
		Code: "PL000", Name: "unused-allow", Default: diag.Warning,
		Title: "a directive @allow that allows nothing, or does not say why",
		Explanation: "A line `-- @allow CODE reason` in front of a query silences one kind of finding about it. The " +
			"reason is for the next reader. Once the query no longer has the finding, the line should go, or it will " +
			"hide the next one. Where there is no plan, or no statistics for a table, it is not judged whether an " +
			"allow is used.",
		Before: "-- @allow PL001\nSELECT id FROM authors WHERE id = @id;",
		After:  "-- @allow PL001 forty rows an hour, by a report\nSELECT id FROM authors WHERE bio LIKE @pattern;",
	}
}

// allow takes out the findings that directives allow and adds what is wrong with
// the directives.
func (p *Pass) allow() diag.List {
	list := p.findings
	if p.Statement.Annotation == nil {
		return list
	}
	seen := map[string]bool{}
	for _, d := range p.Statement.Annotation.Directives {
		if d.Key != "allow" {
			continue
		}
		word, reason, _ := strings.Cut(d.Value, " ")
		code := strings.ToUpper(word)
		rule, known := Explain(code)
		complain := func(message, hint string) {
			if p.config.Severities["PL000"] == "off" {
				return
			}
			list.Add(p.configured(diag.Diagnostic{
				Severity: diag.Warning, Code: "PL000", Query: p.Name, File: p.Statement.File, Span: d.Span,
				Message: message, Hint: hint,
			}))
		}
		switch {
		case word == "":
			complain("@allow names no finding", "write the code and the reason: -- @allow PL001 why it is fine here")
			continue
		case !known:
			complain(fmt.Sprintf("@allow names no known finding: %q", word), nearCode(word))
			continue
		case code == "PL000":
			complain("PL000 cannot be allowed", "remove the line")
			continue
		case seen[code]:
			complain(fmt.Sprintf("%s is allowed twice", code), "remove one of the lines")
			continue
		}
		seen[code] = true
		kept := list[:0:0]
		for _, f := range list {
			if f.Code != code {
				kept = append(kept, f)
			}
		}
		used := len(kept) < len(list)
		list = kept
		switch {
		case !used && p.judged(code):
			complain(fmt.Sprintf("the query has no finding %s (%s) to allow", code, rule.Name), "remove the line")
		case strings.TrimSpace(reason) == "":
			complain(fmt.Sprintf("@allow %s gives no reason", code), "say behind the code why it is fine here")
		}
	}
	return list
}

// judged reports whether a rule could have said something: what it needs is
// known, and it is not switched off.
func (p *Pass) judged(code string) bool {
	if p.config.Severities[code] == "off" {
		return false
	}
	if code == "PL007" {
		return p.command() != "" && p.command() != annotation.CopyFrom && p.Facts != nil
	}
	if code == "PL009" {
		return true // the schema says it all
	}
	if !p.planned() {
		return false
	}
	for _, s := range p.Scans() {
		if !s.Known {
			return false
		}
	}
	return true
}

func nearCode(word string) string {
	var codes, names []string
	for _, r := range Rules() {
		if r.Check != nil {
			codes = append(codes, r.Code)
			names = append(names, r.Name)
			if r.Name == strings.ToLower(word) {
				return "write its code: " + r.Code
			}
		}
	}
	if near, ok := diag.DidYouMean(word, codes); ok {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if near, ok := diag.DidYouMean(word, names); ok {
		for i, n := range names {
			if n == near {
				return "did you mean " + codes[i] + "?"
			}
		}
	}
	return "the codes are " + codes[0] + " to " + codes[len(codes)-1]
}
