// Package annotation reads the comments that name and steer a query, and turns
// named arguments and macros into the $n that PostgreSQL knows.
//
// [Read] takes the comments in front of a statement: `-- name: GetAuthor :one`,
// doc comments above or below it, and directives (`-- @allow PL001 reason`).
// [Rewrite] takes the statement itself, before it is parsed, and works on the
// tokens of PostgreSQL's own scanner: `@id`, `sqlc.arg(id)`, `sqlc.narg(id)`,
// `sqlc.slice(ids)`, `sqlc.embed(t)`, the same under `dbgen.`, and `IN (@ids)`.
// Its [source.Map] leads from any place of the rewritten text back to the file.
//
// The package imports parser/source, parser/diag and pg_query's scanner.
package annotation

import (
	"slices"

	"github.com/dbgen/dbgen/parser/source"
)

// Command says what the method of a query returns: the word behind the colon.
type Command string

// The commands of sqlc for PostgreSQL, and :opt and :iter.
const (
	One        Command = "one"        // (T, error), ErrNoRows without a row
	Opt        Command = "opt"        // (T, bool, error)
	Many       Command = "many"       // ([]T, error)
	Iter       Command = "iter"       // a stream of rows
	Exec       Command = "exec"       // error
	ExecRows   Command = "execrows"   // (int64, error)
	ExecResult Command = "execresult" // (pgconn.CommandTag, error)
	BatchOne   Command = "batchone"
	BatchMany  Command = "batchmany"
	BatchExec  Command = "batchexec"
	CopyFrom   Command = "copyfrom"
)

// Commands returns every command that an annotation may name.
func Commands() []Command {
	return []Command{
		One, Opt, Many, Iter, Exec, ExecRows, ExecResult, BatchOne, BatchMany, BatchExec, CopyFrom,
	}
}

// Supported reports whether code can be generated for c. The others are
// annotations all the same.
func (c Command) Supported() bool {
	return slices.Contains([]Command{One, Opt, Many, Iter, Exec, ExecRows}, c)
}

// ReturnsRows reports whether the method of c gives rows to its caller.
func (c Command) ReturnsRows() bool {
	return slices.Contains([]Command{One, Opt, Many, Iter, BatchOne, BatchMany}, c)
}

// Annotation is what the comments in front of a query say about it. Spans lie in
// the file.
type Annotation struct {
	// Name is the query's name, an identifier of Go.
	Name string
	// Command is the word behind the colon, without it.
	Command Command
	// NameSpan is the name, CommandSpan the command with its colon.
	NameSpan, CommandSpan source.Span
	// Doc holds the lines of the doc comment without comment marks; none is
	// at its start or end, or beside another, empty.
	Doc []string
	// Directives are in the order of the file.
	Directives []Directive
}

// Directive is a comment line `@key value`.
type Directive struct {
	// Key is the word behind @, in lower case; Value the rest of the line
	// without white space around it.
	Key, Value string
	// Span is the whole directive, ValueSpan its value (zero for none).
	Span, ValueSpan source.Span
}

// Macro is what stands in the text of a query in place of plain SQL.
type Macro struct {
	// Params are the parameters of the statement, ordered by number: every $n,
	// written as such or put in place of a name.
	Params []Param
	// Embeds are in the order of the text.
	Embeds []Embed
}

// Param is one $n.
type Param struct {
	Number int
	// Name is the argument's name, "" for a plain $n. An unquoted name is
	// folded to lower case as the server folds identifiers.
	Name string
	// Nullable is set if any use is narg: where one name is used as arg and as
	// narg, narg wins, as in sqlc.
	Nullable bool
	// List is set if a use is IN (@ids), NOT IN (@ids) or slice: the argument
	// is an array.
	List bool
	// Spans are the uses in the file, macro call and all; NameSpans the names
	// within them (for a plain $n the same).
	Spans, NameSpans []source.Span
}

// Embed is a sqlc.embed(t), which stands for t.* and becomes a struct of its own
// in the result.
type Embed struct {
	// Table is the name or alias of the range table entry, unquoted and folded;
	// of a qualified name its last part.
	Table string
	// Span is the macro in the file.
	Span source.Span
	// Offset is the byte offset of the t.* in the rewritten text.
	Offset int
}
