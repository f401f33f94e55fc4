package diag_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// TestPrinters runs the cases of testdata. The verb is the form: text, color
// (escapes printed as \e), json, github or sarif. The input is a file, with a
// line of dashes before its diagnostics, one a line: keys and values divided by
// "=", fields by " ; ". at is the text that the place covers, "none" for none.
func TestPrinters(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			list := parseList(t, d.Input)
			var out strings.Builder
			var err error
			switch d.Cmd {
			case "text":
				err = list.Text(&out, false)
			case "color":
				err = list.Text(&out, true)
			case "json":
				err = list.WriteJSON(&out)
			case "github":
				err = list.GitHub(&out)
			case "sarif":
				err = list.SARIF(&out)
				if !json.Valid([]byte(out.String())) {
					t.Fatal("not valid JSON")
				}
			case "didyoumean":
				words := strings.Fields(d.Input)
				word, ok := diag.DidYouMean(words[0], words[1:])
				return word + " " + strconv.FormatBool(ok) + "\n"
			default:
				d.Fatalf(t, "unknown verb %s", d.Cmd)
			}
			if err != nil {
				t.Fatal(err)
			}
			return strings.ReplaceAll(out.String(), "\x1b", `\e`)
		})
	})
}

func parseList(t *testing.T, input string) diag.List {
	t.Helper()
	text, rest, _ := strings.Cut(input, "\n-----")
	text = strings.NewReplacer(`\t`, "\t", `\e`, "\x1b", `\xff`, "\xff", `\u202e`, "\u202e").Replace(text)
	_, rest, _ = strings.Cut(rest, "\n")
	file := source.NewFile("queries/authors.sql", text)
	var list diag.List
	for line := range strings.Lines(rest) {
		d := diag.Diagnostic{Severity: diag.Error, File: file}
		for field := range strings.SplitSeq(strings.TrimSpace(line), " ; ") {
			key, value, _ := strings.Cut(field, "=")
			value = strings.ReplaceAll(value, `\n`, "\n")
			switch key {
			case "warning":
				d.Severity = diag.Warning
			case "info":
				d.Severity = diag.Info
			case "code":
				d.Code = value
			case "state":
				d.SQLState = value
			case "msg":
				d.Message = value
			case "label":
				d.Label = value
			case "hint":
				d.Hint = value
			case "detail":
				d.Detail = value
			case "nofile":
				d.File = nil
			case "at":
				d.Span = find(t, text, value)
			case "see":
				d.Related = append(d.Related, diag.Related{File: file, Span: find(t, text, value), Message: "here"})
			default:
				t.Fatalf("unknown key %q", key)
			}
		}
		list.Add(d)
	}
	return list
}

func find(t *testing.T, text, part string) source.Span {
	t.Helper()
	if part == "END" {
		return source.Span{Start: len(text), End: len(text) + 1}
	}
	i := strings.Index(text, part)
	if i < 0 {
		t.Fatalf("%q is not in the file", part)
	}
	return source.Span{Start: i, End: i + len(part)}
}
