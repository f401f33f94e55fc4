package naming

import (
	"go/build"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode"
)

// Scope hands out names, none twice. The zero Scope is not ready for use; see
// [NewScope].
type Scope struct{ taken map[string]bool }

// NewScope returns a scope in which the given names are taken.
func NewScope(taken ...string) *Scope {
	s := &Scope{taken: map[string]bool{}}
	for _, n := range taken {
		s.taken[n] = true
	}
	return s
}

// Has reports whether a name is taken.
func (s *Scope) Has(name string) bool { return s.taken[name] }

// Take marks a name and reports whether it was free.
func (s *Scope) Take(name string) bool {
	if s.taken[name] {
		return false
	}
	s.taken[name] = true
	return true
}

// Name returns the first of the given names that is free and takes it. If none
// is, the last one gets a number, from 2 on.
func (s *Scope) Name(names ...string) string {
	for _, n := range names {
		if s.Take(n) {
			return n
		}
	}
	last := names[len(names)-1]
	if unicode.IsDigit(rune(last[len(last)-1])) {
		last += "_"
	}
	for i := 2; ; i++ {
		if n := last + strconv.Itoa(i); s.Take(n) {
			return n
		}
	}
}

// Unique gives each of names a name of its own, in order: the first that wants
// a name has it, and a number is never chosen that a later one brings along
// (id, id, id2 are ID, ID3, ID2).
func Unique(names []string) []string {
	s := NewScope()
	out := make([]string, len(names))
	for i, n := range names {
		if s.Take(n) {
			out[i] = n
		}
	}
	for i, n := range names {
		if out[i] == "" {
			out[i] = s.Name(n)
		}
	}
	return out
}

// Stem is the name of a query file without folder and ending.
func Stem(file string) string {
	return strings.TrimSuffix(path.Base(strings.ReplaceAll(file, `\`, "/")), ".sql")
}

// Repository is the name of the repository of a query file: orders.sql has an
// OrderRepository.
func Repository(file string) string {
	return Exported(Singular(Stem(file))) + "Repository"
}

// GoFile is the name of the Go file for a query file. It is never one that the
// go command takes for a test or for another system (stock_windows.sql), or
// passes over.
func GoFile(file string) string {
	stem := Stem(file)
	if stem == "" || strings.HasPrefix(stem, "_") || strings.HasPrefix(stem, ".") {
		stem = "queries" + stem
	}
	if constrained(stem) {
		stem += "_queries"
	}
	return stem + ".sql.go"
}

// constrained reports whether the go command would build a file only for some
// system, going by its name up to the first dot.
func constrained(stem string) bool {
	name, _, _ := strings.Cut(stem, ".")
	name = strings.TrimSuffix(name, "_test")
	i := strings.LastIndexByte(name, '_')
	return i >= 0 && isSystem(name[i+1:])
}

// isSystem asks the go command's own list: on a system that is none of them, a
// file whose name ends in one is not built.
func isSystem(word string) bool {
	ctx := build.Context{GOOS: "none", GOARCH: "none", Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}}
	ok, err := ctx.MatchFile("", "a_"+word+".go")
	return err == nil && !ok
}

// Package reports whether name can be that of a package that others import.
func Package(name string) bool {
	if name == "" || name == "main" || strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	}) {
		return false
	}
	return !unicode.IsDigit([]rune(name)[0]) && name != "_" && Local(name) == Unexported(name)
}
