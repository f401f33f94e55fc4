package migration

import (
	"regexp"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

var (
	atlasDirective = regexp.MustCompile(`^-- atlas:(\S+)(?:[ \t]+(.*))?$`)
	archiveFile    = regexp.MustCompile(`(?m)^-- (\S+) --[ \t]*\r?$`)
)

// atlasDirectives are the directives at the head of a file: comments before
// anything else.
func atlasDirectives(f *source.File) map[string]string {
	out := map[string]string{}
	lexer := source.NewLexer(f.Text, f.TextStart())
	for p, ok := lexer.Next(); ok; p, ok = lexer.Next() {
		switch p.Kind {
		case source.Space:
		case source.LineComment:
			if m := atlasDirective.FindStringSubmatch(strings.TrimRight(f.Text[p.Span.Start:p.Span.End], " \t")); m != nil {
				out[m[1]] = m[2]
			}
		default:
			return out
		}
	}
	return out
}

// readAtlas reads the directives of a file: an archive's migration.sql, a
// delimiter of statements, a file that runs without a transaction.
func readAtlas(step *Step) diag.List {
	var diags diag.List
	f := step.File
	d := atlasDirectives(f)
	step.NoTransaction = d["txmode"] == "none"
	_, step.checkpoint = d["checkpoint"]
	if _, ok := d["txtar"]; ok {
		step.Spans = nil
		files := archiveFile.FindAllStringSubmatchIndex(f.Text, -1)
		for i, m := range files {
			end := len(f.Text)
			if i+1 < len(files) {
				end = files[i+1][0]
			}
			if f.Text[m[2]:m[3]] == "migration.sql" {
				step.Spans = append(step.Spans, source.Span{Start: m[1], End: end})
			}
		}
		if step.Spans == nil {
			diags.Add(problem(f, source.Span{}, "the archive has no migration.sql"))
		}
	}
	if delimiter, ok := d["delimiter"]; ok {
		step.delimiters(strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\t`, "\t").Replace(delimiter))
	}
	return diags
}

// delimiters finds what divides the statements of a file where that is no
// semicolon. White space is left alone: a statement there has its semicolon.
func (s *Step) delimiters(text string) {
	word := strings.TrimSpace(text)
	if word == "" || word == ";" {
		return
	}
	for _, span := range s.Spans {
		for at := span.Start; ; {
			i := strings.Index(s.File.Text[at:span.End], word)
			if i < 0 {
				break
			}
			at += i
			// The directive names it too.
			line := s.File.Text[s.File.LineStart(at):at]
			if !strings.HasPrefix(line, "-- atlas:delimiter") {
				s.Semicolons = append(s.Semicolons, source.Span{Start: at, End: at + len(word)})
			}
			at += len(word)
		}
	}
}

// fromCheckpoint drops what the newest checkpoint stands for.
func fromCheckpoint(dir *Dir) {
	for i := len(dir.Steps) - 1; i > 0; i-- {
		if dir.Steps[i].checkpoint {
			dir.Steps = dir.Steps[i:]
			return
		}
	}
}
