// Package source holds the bytes of input files and translates between the
// notations of a place in them.
//
// Everything inside dbgen speaks byte offsets ([Span]); lines and columns exist
// only where something is printed, and [File.Position] is the one function that
// makes them. A [Map] leads from rewritten text (named arguments replaced by
// $n) back to the file.
//
// The package imports nothing of dbgen.
package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// File is the text of one input file. It is immutable and safe for concurrent
// use.
type File struct {
	// Name is the path as the user wrote it, with forward slashes.
	Name string
	// Text is the whole content, UTF-8.
	Text string
	// Rank orders what is told of several files: that of a lower rank comes first,
	// whatever the names. 0 is a file that others build on.
	Rank int

	lines []int // byte offset of the start of each line
}

// NewFile returns a File over text. It takes any bytes; [File.Position] counts
// an invalid byte as one character.
func NewFile(name, text string) *File {
	lines := []int{0}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			lines = append(lines, i+1)
		}
	}
	return &File{Name: name, Text: text, lines: lines}
}

// Span is a half-open range of byte offsets. The zero Span means "no place".
type Span struct {
	Start, End int
}

// IsZero reports whether s names no place.
func (s Span) IsZero() bool { return s == Span{} }

// Shift returns s moved by n bytes.
func (s Span) Shift(n int) Span {
	if s.IsZero() {
		return s
	}
	return Span{s.Start + n, s.End + n}
}

// Union returns the smallest span that covers both; a zero span adds nothing.
func (s Span) Union(t Span) Span {
	if s.IsZero() {
		return t
	}
	if t.IsZero() {
		return s
	}
	return Span{min(s.Start, t.Start), max(s.End, t.End)}
}

// Position is a place as people read it: line and column from 1, the column
// counted in characters.
type Position struct {
	Line, Column int
}

// Position returns the place of a byte offset. An offset outside the text is
// clamped to it.
func (f *File) Position(offset int) Position {
	offset = max(0, min(offset, len(f.Text)))
	line := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset }) - 1
	start := f.lines[line]
	if line == 0 && strings.HasPrefix(f.Text, bom) {
		start = min(len(bom), offset)
	}
	return Position{line + 1, utf8.RuneCountInString(f.Text[start:offset]) + 1}
}

// bom is a byte order mark in UTF-8. Some editors put one in front of a file;
// it is no character of the first line.
const bom = "\ufeff"

// TextStart returns the byte offset of the first character: 0, or behind a byte
// order mark.
func (f *File) TextStart() int {
	if strings.HasPrefix(f.Text, bom) {
		return len(bom)
	}
	return 0
}

// Line returns the text of line n, counted from 1, without its line end. It
// returns "" for a line that is not there.
func (f *File) Line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	end := len(f.Text)
	if n < len(f.lines) {
		end = f.lines[n] - 1
	}
	start := f.lines[n-1]
	if n == 1 {
		start = min(f.TextStart(), end)
	}
	return strings.TrimSuffix(f.Text[start:end], "\r")
}

// LineStart returns the byte offset of the first character of the line that
// offset is in, a byte order mark counted as one.
func (f *File) LineStart(offset int) int {
	offset = max(0, min(offset, len(f.Text)))
	return f.lines[sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset })-1]
}

// ByteOffset returns the byte offset of character n of text, counted from 0: the
// length of text where it has no so many. The server counts characters.
func ByteOffset(text string, n int) int {
	for i := range text {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(text)
}

// Map leads from positions in a rewritten text back to the original. The zero
// Map is the identity.
type Map struct {
	pieces []piece
}

// piece is a replaced range: rewritten [at, at+size) stands for original
// [from, from+was).
type piece struct {
	at, size, from, was int
}

// Replace records that the original range was is now the size bytes that begin
// at offset at of the rewritten text. Ranges must be added in order.
func (m *Map) Replace(at, size int, was Span) {
	m.pieces = append(m.pieces, piece{at, size, was.Start, was.End - was.Start})
}

// Original returns the original offset of a rewritten one. Inside a replaced
// range that is the start of what was replaced.
func (m *Map) Original(offset int) int {
	return m.locate(offset, false)
}

// Span returns the original range of a rewritten one: a range that ends in
// replaced text covers the whole of what was replaced.
func (m *Map) Span(s Span) Span {
	if s.IsZero() {
		return s
	}
	return Span{m.locate(s.Start, false), m.locate(s.End, true)}
}

func (m *Map) locate(offset int, end bool) int {
	i := sort.Search(len(m.pieces), func(i int) bool {
		if end {
			return m.pieces[i].at >= offset
		}
		return m.pieces[i].at > offset
	}) - 1
	if i < 0 {
		return offset + m.base()
	}
	p := m.pieces[i]
	in := offset - p.at
	switch {
	case !end && in < p.size:
		return p.from
	case end && in <= p.size:
		return p.from + p.was
	}
	return p.from + p.was + in - p.size
}

// base is the distance from rewritten to original text before the first
// replaced range.
func (m *Map) base() int {
	if len(m.pieces) == 0 {
		return 0
	}
	return m.pieces[0].from - m.pieces[0].at
}

// From returns the map of the part of the rewritten text that begins at an
// offset, with lead bytes in front of it that stand nowhere in the original.
func (m *Map) From(offset, lead int) Map {
	var out Map
	start := m.Original(offset)
	out.Replace(0, lead, Span{start, start})
	for _, p := range m.pieces {
		if p.at >= offset && p.size+p.was > 0 {
			p.at += lead - offset
			out.pieces = append(out.pieces, p)
		}
	}
	return out
}
