package ddl

import (
	"strings"

	"github.com/dbgen/dbgen/parser/source"
)

// plKind is the kind of a statement of PL/pgSQL, as far as it matters here.
type plKind int

const (
	plSQL     plKind = iota // a statement of SQL, perhaps with INTO
	plBlock                 // BEGIN … END
	plIf                    // IF and CASE: arms, the first whose condition holds
	plLoop                  // LOOP, WHILE, FOR, FOREACH
	plExecute               // EXECUTE of a text
	plPerform               // PERFORM
	plAssign                // target := expression
	plReturn                // RETURN, with what follows
	plRaise                 // RAISE EXCEPTION
	plOther                 // what changes nothing: NULL, RAISE NOTICE, EXIT, …
)

// plStmt is one statement. Spans are offsets into the text of the body.
type plStmt struct {
	kind plKind
	span source.Span // without the semicolon
	// expr is the text to execute, the expression or query behind PERFORM, :=,
	// RETURN and RETURN QUERY, what a loop runs over.
	expr source.Span
	// target is the variable of an assignment, of INTO and of FOREACH; "" for
	// none or several.
	target string
	// into is the INTO clause of a statement of SQL, zero for none.
	into source.Span
	// simple is set for a CASE with an operand, whose arms' conditions are values.
	simple bool
	// array is set for FOREACH, query for RETURN QUERY and a loop over rows,
	// dynamic where these run a text made at run time.
	array, query, dynamic bool

	decls    []plDecl
	body     []*plStmt // of a block and a loop
	arms     []plArm
	handlers []plHandler
}

// plDecl is a variable with the expression that it begins with, or a cursor with
// its query.
type plDecl struct {
	name  string
	expr  source.Span // zero for none
	query bool
}

// plArm is IF … THEN, ELSIF … THEN, ELSE (with a zero condition).
type plArm struct {
	cond source.Span
	body []*plStmt
}

// plHandler is WHEN … THEN of an EXCEPTION clause.
type plHandler struct {
	conditions []string // names in lower case, or SQLSTATEs
	body       []*plStmt
}

// plReader reads the text of a PL/pgSQL body (pl_gram.y) without regard to what
// its expressions mean.
type plReader struct {
	text   string
	pieces []source.Piece
	at     int
}

// plError is where the text is no PL/pgSQL.
type plError struct{ offset int }

// readBlock reads the body of a function or DO block; ok is false, with an offset
// into text, where it is not understood.
func readBlock(text string) (block *plStmt, offset int, ok bool) {
	r := &plReader{text: text}
	lexer := source.NewLexer(text, 0)
	for p, more := lexer.Next(); more; p, more = lexer.Next() {
		switch p.Kind {
		case source.Space, source.LineComment, source.BlockComment:
		default:
			r.pieces = append(r.pieces, p)
		}
	}
	defer func() {
		if x := recover(); x != nil {
			e, isError := x.(plError)
			if !isError {
				panic(x)
			}
			block, offset, ok = nil, e.offset, false
		}
	}()
	for r.symbol("#") { // #option, #variable_conflict
		line := strings.IndexByte(text[r.start():], '\n')
		if line < 0 {
			r.fail()
		}
		for end := r.start() + line; r.at < len(r.pieces) && r.start() < end; {
			r.at++
		}
	}
	block = r.block()
	r.accept(";")
	if r.at < len(r.pieces) {
		r.fail()
	}
	return block, 0, true
}

func (r *plReader) fail() { panic(plError{r.start()}) }

// start is the offset of the next piece.
func (r *plReader) start() int {
	if r.at < len(r.pieces) {
		return r.pieces[r.at].Span.Start
	}
	return len(r.text)
}

// end is the offset behind the piece before.
func (r *plReader) end() int {
	if r.at == 0 {
		return 0
	}
	return r.pieces[r.at-1].Span.End
}

// peek is the word or symbol n pieces ahead, in lower case; "" for a constant.
func (r *plReader) peek(n int) string {
	if r.at+n >= len(r.pieces) {
		return ""
	}
	p := r.pieces[r.at+n]
	if p.Kind != source.Word && p.Kind != source.Symbol {
		return ""
	}
	return strings.ToLower(r.text[p.Span.Start:p.Span.End])
}

func (r *plReader) symbol(s string) bool { return r.peek(0) == s }

func (r *plReader) accept(word string) bool {
	if r.at < len(r.pieces) && r.peek(0) == word {
		r.at++
		return true
	}
	return false
}

func (r *plReader) expect(word string) {
	if !r.accept(word) {
		r.fail()
	}
}

// until takes pieces up to one of the words outside brackets, and returns their
// span; the word is next.
func (r *plReader) until(words ...string) source.Span {
	from := r.start()
	depth := 0
	for ; r.at < len(r.pieces); r.at++ {
		w := r.peek(0)
		if depth == 0 {
			for _, x := range words {
				if w == x {
					return source.Span{Start: from, End: max(from, r.end())}
				}
			}
		}
		switch w {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		case ";":
			if depth <= 0 {
				r.fail()
			}
		}
	}
	r.fail()
	return source.Span{}
}

func (r *plReader) label() {
	if r.peek(0) == "<" && r.peek(1) == "<" {
		r.at += 2
		r.at++
		r.expect(">")
		r.expect(">")
	}
}

// block is [DECLARE …] BEGIN … [EXCEPTION …] END.
func (r *plReader) block() *plStmt {
	r.label()
	s := &plStmt{kind: plBlock, span: source.Span{Start: r.start()}}
	for r.accept("declare") {
		for r.peek(0) != "begin" && r.peek(0) != "declare" {
			s.decls = append(s.decls, r.decl())
		}
	}
	r.expect("begin")
	s.body = r.stmts("end", "exception")
	if r.accept("exception") {
		for r.accept("when") {
			s.handlers = append(s.handlers, r.handler())
		}
	}
	r.expect("end")
	if r.peek(0) != ";" && r.at < len(r.pieces) {
		r.at++ // the label
	}
	s.span.End = r.end()
	return s
}

// decl is one declaration.
func (r *plReader) decl() plDecl {
	d := plDecl{name: r.name()}
	from := r.at
	whole := r.until(";")
	end, cursor := r.at, false
	for r.at = from; r.at < end; r.at++ {
		switch w := r.peek(0); {
		case w == ":" && r.peek(1) == "=":
			r.at++
		case w == "=" || w == "default":
		case (w == "for" || w == "is") && cursor:
			d.query = true
		default:
			cursor = cursor || w == "cursor"
			continue
		}
		r.at++
		d.expr = source.Span{Start: r.start(), End: whole.End}
		break
	}
	r.at = end
	r.expect(";")
	return d
}

// name takes an identifier.
func (r *plReader) name() string {
	if r.at >= len(r.pieces) {
		r.fail()
	}
	p := r.pieces[r.at]
	text := r.text[p.Span.Start:p.Span.End]
	r.at++
	switch p.Kind {
	case source.QuotedIdent:
		return strings.ReplaceAll(strings.Trim(text, `"`), `""`, `"`)
	case source.Word:
		return strings.ToLower(text)
	}
	r.at--
	r.fail()
	return ""
}

// handler is what follows WHEN.
func (r *plReader) handler() plHandler {
	var h plHandler
	for {
		w := r.name()
		if w == "sqlstate" && r.at < len(r.pieces) && r.pieces[r.at].Kind == source.StringConst {
			p := r.pieces[r.at].Span
			w = strings.Trim(r.text[p.Start:p.End], "'")
			r.at++
		}
		h.conditions = append(h.conditions, w)
		if !r.accept("or") {
			break
		}
	}
	r.expect("then")
	h.body = r.stmts("when", "end")
	return h
}

// stmts are statements up to one of the words.
func (r *plReader) stmts(words ...string) []*plStmt {
	var out []*plStmt
	for {
		if r.at >= len(r.pieces) {
			r.fail()
		}
		w := r.peek(0)
		for _, x := range words {
			if w == x {
				return out
			}
		}
		out = append(out, r.stmt())
		r.expect(";")
	}
}

func (r *plReader) stmt() *plStmt {
	from := r.start()
	r.label()
	var s *plStmt
	switch w := r.peek(0); w {
	case "declare", "begin":
		s = r.block()
	case "if":
		s = r.ifStmt()
	case "case":
		s = r.caseStmt()
	case "loop", "while", "for", "foreach":
		s = r.loop(w)
	default:
		s = r.simple(w)
	}
	s.span = source.Span{Start: from, End: r.end()}
	return s
}

func (r *plReader) ifStmt() *plStmt {
	s := &plStmt{kind: plIf}
	r.expect("if")
	for {
		arm := plArm{cond: r.until("then")}
		r.expect("then")
		arm.body = r.stmts("elsif", "elseif", "else", "end")
		s.arms = append(s.arms, arm)
		if !r.accept("elsif") && !r.accept("elseif") {
			break
		}
	}
	if r.accept("else") {
		s.arms = append(s.arms, plArm{body: r.stmts("end")})
	}
	r.expect("end")
	r.expect("if")
	return s
}

func (r *plReader) caseStmt() *plStmt {
	s := &plStmt{kind: plIf}
	r.expect("case")
	if r.peek(0) != "when" {
		s.simple, s.expr = true, r.until("when")
	}
	for r.accept("when") {
		arm := plArm{cond: r.until("then")}
		r.expect("then")
		arm.body = r.stmts("when", "else", "end")
		s.arms = append(s.arms, arm)
	}
	if r.accept("else") {
		s.arms = append(s.arms, plArm{body: r.stmts("end")})
	}
	r.expect("end")
	r.expect("case")
	return s
}

func (r *plReader) loop(word string) *plStmt {
	s := &plStmt{kind: plLoop}
	if word != "loop" {
		r.at++
		switch word {
		case "while":
			s.expr = r.until("loop")
		case "for", "foreach":
			s.target = r.name()
			if r.peek(0) != "in" && r.peek(0) != "slice" {
				s.target = ""
			}
			r.until("in")
			r.expect("in")
			s.array = word == "foreach" && r.accept("array")
			s.dynamic = r.peek(0) == "execute"
			s.query = r.peek(0) == "select" || r.peek(0) == "with" || r.peek(0) == "(" ||
				r.peek(0) == "insert" || r.peek(0) == "update" || r.peek(0) == "delete" || r.peek(0) == "values"
			s.expr = r.until("loop")
		}
	}
	r.expect("loop")
	s.body = r.stmts("end")
	r.expect("end")
	r.expect("loop")
	if r.peek(0) != ";" {
		r.at++
	}
	return s
}

// simple is a statement that ends at its semicolon.
func (r *plReader) simple(word string) *plStmt {
	s := &plStmt{kind: plOther}
	if r.assignment(s) {
		return s
	}
	rest := func() source.Span { r.at++; return r.until(";") }
	switch word {
	case "perform":
		s.kind, s.expr = plPerform, rest()
	case "execute":
		s.kind, s.dynamic = plExecute, true
		r.at++
		s.expr = r.until(";", "into", "using")
		r.until(";")
	case "return":
		s.kind = plReturn
		switch r.peek(1) {
		case "query":
			r.at++
			s.query, s.dynamic = true, r.peek(1) == "execute"
		case "next":
			s.kind = plOther
			r.at++
		}
		s.expr = rest()
	case "raise":
		if w := r.peek(1); w == "exception" || w == "" || w == ";" || w == "sqlstate" {
			s.kind = plRaise
		}
		r.until(";")
	case "open":
		r.at++
		r.until(";", "for")
		if r.accept("for") {
			s.query, s.dynamic = true, r.peek(0) == "execute"
			s.expr = r.until(";")
		}
	case "null", "exit", "continue", "assert", "get", "fetch", "move", "close", "commit", "rollback":
		r.until(";")
	default:
		s.kind = plSQL
		r.sql(s)
	}
	return s
}

// assignment takes target := expression.
func (r *plReader) assignment(s *plStmt) bool {
	from := r.at
	if k := r.pieces[r.at].Kind; k != source.Word && k != source.QuotedIdent {
		return false
	}
	name := r.name()
	plain := true
	for {
		switch {
		case r.accept("."):
			plain = false
			r.at++
		case r.symbol("["):
			plain = false
			r.at++
			r.until("]")
			r.expect("]")
		case r.peek(0) == ":" && r.peek(1) == "=" || r.peek(0) == "=":
			if !r.accept("=") {
				r.at += 2
			}
			s.kind, s.expr = plAssign, r.until(";")
			if plain {
				s.target = name
			}
			return true
		default:
			r.at = from
			return false
		}
	}
}

// sql takes a statement of SQL and finds its INTO (make_execsql_stmt).
func (r *plReader) sql(s *plStmt) {
	begin, depth := 0, 0
	routine := r.peek(0) == "create" && (isRoutineWord(r.peek(1)) || r.peek(1) == "or" && isRoutineWord(r.peek(3)))
	before := ""
	for ; r.at < len(r.pieces); r.at++ {
		w := r.peek(0)
		switch w {
		case "(":
			depth++
		case ")":
			depth--
		case ";":
			if depth == 0 && begin == 0 {
				return
			}
		case "begin", "case":
			if routine && depth == 0 && (w == "begin" || begin > 0) {
				begin++
			}
		case "end":
			begin = max(0, begin-1)
		case "into":
			if depth == 0 && before != "insert" && before != "merge" && before != "schema" && s.into.IsZero() && !routine {
				r.intoClause(s)
				r.at--
			}
		}
		if before = w; w == "" {
			before = " "
		}
	}
	r.fail()
}

func isRoutineWord(w string) bool { return w == "function" || w == "procedure" }

// intoClause takes INTO [STRICT] target, ….
func (r *plReader) intoClause(s *plStmt) {
	from := r.start()
	r.expect("into")
	r.accept("strict")
	s.target = r.name()
	for {
		switch {
		case r.accept("."), r.accept(","):
			s.target = ""
			r.at++
		case r.symbol("["):
			s.target = ""
			r.at++
			r.until("]")
			r.expect("]")
		default:
			s.into = source.Span{Start: from, End: r.end()}
			return
		}
	}
}
