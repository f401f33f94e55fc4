// Package migration reads a schema from files, directories and globs: the DDL in
// the order in which it is applied.
//
// [Load] gives texts for the parser. What does not build the schema up, such as
// the down part of a goose migration, is blanked out with spaces, so that every
// offset still is that of the file on disk. [Read] gives the same with versions
// and formats.
//
// Read are goose, golang-migrate, dbmate, and plain SQL; the formats of other
// tools are recognised and refused by name where they cannot be read as plain
// SQL.
//
// The package imports parser/source and parser/diag.
package migration

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// Codes of the diagnostics of this package.
const (
	Code      = "migration"
	InputCode = "input" // a path that names nothing, a file that cannot be read
)

// Format says whose migrations a directory holds.
type Format string

// The formats that are read.
const (
	Plain         Format = "plain"          // SQL files, by name, numbers in it by value
	Goose         Format = "goose"          // -- +goose Up
	GolangMigrate Format = "golang-migrate" // 1_init.up.sql
	Dbmate        Format = "dbmate"         // -- migrate:up
)

// Dir is a directory of migrations, or some files of one directory.
type Dir struct {
	// Path is the directory as the user wrote it, with forward slashes.
	Path   string
	Format Format
	// Steps are in the order in which they are applied.
	Steps []Step
}

// Step is one migration file.
type Step struct {
	// Version is the number at the start of the file's name; 0 where the format
	// knows none.
	Version int64
	// File is the whole file.
	File *source.File
	// Spans are the parts that build the schema up, in the file.
	Spans []source.Span
	// NoTransaction is set where the file asks to be run without one.
	NoTransaction bool
}

// DDL returns the file with everything outside Spans blanked out.
func (s Step) DDL() *source.File {
	text := s.File.Text
	if len(s.Spans) == 1 && s.Spans[0] == (source.Span{End: len(text)}) {
		return s.File
	}
	blank := []byte(text)
	at := 0
	for _, span := range append(s.Spans[:len(s.Spans):len(s.Spans)], source.Span{Start: len(text), End: len(text)}) {
		for ; at < span.Start; at++ {
			if blank[at] != '\n' && blank[at] != '\r' {
				blank[at] = ' '
			}
		}
		at = max(at, span.End)
	}
	return source.NewFile(s.File.Name, string(blank))
}

// Load returns the DDL of files, directories and globs in the order in which it
// is applied: paths as they are given, files of a directory by version or name.
// A path that is not there, a format that cannot be read and a broken migration
// are errors.
func Load(paths []string) ([]*source.File, diag.List) {
	dirs, diags := Read(paths)
	var files []*source.File
	for _, d := range dirs {
		for _, s := range d.Steps {
			files = append(files, s.DDL())
		}
	}
	return files, diags
}

// Read is [Load] with versions and formats.
func Read(paths []string) ([]Dir, diag.List) {
	var dirs []Dir
	var diags diag.List
	for _, path := range paths {
		groups, list := expand(path)
		diags.Append(list)
		for _, g := range groups {
			dir, list := readGroup(g)
			diags.Append(list)
			if dir != nil {
				dirs = append(dirs, *dir)
			}
		}
	}
	return dirs, diags
}

// readGroup reads the files of one directory.
func readGroup(g group) (*Dir, diag.List) {
	var diags diag.List
	dir := &Dir{Path: g.path}
	var files []*source.File
	for _, name := range g.files {
		f, err := readFile(name)
		if err != nil {
			diags.Add(missing(name, errText(err)))
			continue
		}
		files = append(files, f)
	}
	format, list := detect(g, files)
	diags.Append(list)
	if list.HasErrors() {
		return nil, diags
	}
	dir.Format = format
	for _, f := range files {
		step, ok, list := readStep(format, f)
		diags.Append(list)
		if ok {
			dir.Steps = append(dir.Steps, step)
		}
	}
	diags.Append(order(dir))
	return dir, diags
}

// readStep reads one file; ok is false for one that adds nothing to the schema.
func readStep(format Format, f *source.File) (step Step, ok bool, diags diag.List) {
	step = Step{File: f, Spans: []source.Span{{Start: 0, End: len(f.Text)}}}
	if format == Plain {
		return step, true, nil
	}
	base := baseName(f.Name)
	if format == GolangMigrate && strings.HasSuffix(base, ".down.sql") {
		return step, false, nil
	}
	version, err := versionOf(base)
	if err != nil || format == GolangMigrate && !strings.HasSuffix(base, ".up.sql") {
		d := problem(f, source.Span{}, "%s passes over this file: its name is not that of a migration", format)
		d.Severity = diag.Warning
		diags.Add(d)
		return step, false, diags
	}
	step.Version = version
	switch format {
	case Goose:
		diags = readGoose(&step)
	case Dbmate:
		diags = readDbmate(&step)
	}
	return step, !diags.HasErrors(), diags
}

func problem(f *source.File, span source.Span, format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: Code, File: f, Span: span, Message: fmt.Sprintf(format, args...),
	}
}
