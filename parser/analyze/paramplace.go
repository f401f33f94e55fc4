package analyze

import (
	"fmt"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// refuseParams refuses a parameter where the server's grammar wants a constant.
// pg_query takes one there, too, for the sake of normalised statements: behind the
// name of a type (interval $1), as the field of EXTRACT, and as the value of SET
// and of PASSWORD.
func (s *state) refuseParams(n *pg.Node) {
	if n == nil || !s.paramBehindWord(n) {
		return
	}
	var first *Error
	refuse := func(p *pg.ParamRef, hint string) {
		if p == nil || first != nil && first.Span.Start <= int(p.Location) {
			return
		}
		name := fmt.Sprintf("$%d", p.Number)
		first = s.errorAt(errSyntax, int(p.Location), "syntax error at or near \"%s\"", name)
		first.Hint = strings.ReplaceAll(hint, "$", name)
	}
	walkRaw(rawMessage(n), func(m any) bool {
		switch x := m.(type) {
		case *pg.TypeCast:
			if p := x.Arg.GetParamRef(); p != nil && x.TypeName.GetLocation() >= 0 && p.Location > x.TypeName.GetLocation() {
				refuse(p, "Behind the name of a type only a constant can stand: write CAST($ AS "+lastName(x.TypeName.Names)+").")
			}
		case *pg.FuncCall:
			if x.Funcformat == pg.CoercionForm_COERCE_SQL_SYNTAX && len(x.Args) > 0 && lastName(x.Funcname) == "extract" {
				refuse(x.Args[0].GetParamRef(), "The field of EXTRACT is a constant: write date_part($, …).")
			}
		case *pg.VariableSetStmt:
			for _, a := range x.Args {
				refuse(a.GetParamRef(), "SET takes constants alone: write SELECT set_config(name, $, false).")
			}
		case *pg.DefElem:
			refuse(x.Arg.GetParamRef(), "A constant must stand here.")
		}
		return true
	})
	if first != nil {
		panic(first)
	}
}

// expressionWords are words behind which an expression stands.
const expressionWords = " limit offset like ilike to and or not between select when then else by where on having from in using returning case " +
	"symmetric distinct all any is as first next over do placing for escape set values with both leading trailing "

// paramBehindWord reports whether a parameter follows a word or a bracket that no
// expression follows, or one stands in a utility statement: few texts have that, so
// that most trees need not be searched.
func (s *state) paramBehindWord(n *pg.Node) bool {
	text := s.text
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '$' || text[i+1] < '0' || text[i+1] > '9' {
			continue
		}
		before := strings.TrimRight(text[:i], " \t\r\n")
		if before == "" {
			continue
		}
		c := before[len(before)-1]
		word := before[strings.LastIndexFunc(before, func(r rune) bool { return !isWord(r) })+1:]
		switch {
		case c == ')' || c == '"' || c == '/':
			return true
		case word != "" && !strings.Contains(expressionWords, " "+strings.ToLower(word)+" "):
			return true
		case c == '(' && endsIn(before[:len(before)-1], "extract"):
			return true
		}
	}
	switch n.Node.(type) {
	case *pg.Node_SelectStmt, *pg.Node_InsertStmt, *pg.Node_UpdateStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt:
		return false
	}
	return strings.ContainsRune(text, '$')
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}

func endsIn(text, word string) bool {
	text = strings.TrimRight(text, " \t\r\n")
	return len(text) >= len(word) && strings.EqualFold(text[len(text)-len(word):], word)
}
