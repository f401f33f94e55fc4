// Package migration reads a schema from files, directories and globs: the DDL in
// the order in which it is applied.
//
// [Load] gives texts for the parser. What does not build the schema up, such as
// the down part of a goose migration, is blanked out with spaces, so that every
// offset still is that of the file on disk. [Read] gives the same with versions
// and formats.
//
// Read are the formats listed as [Format]; what a file leaves to be decided when
// it is run (a template, a placeholder, a program) is refused by name.
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
	Plain         Format = "plain"           // SQL files, by name, numbers in it by value
	Goose         Format = "goose"           // -- +goose Up
	GolangMigrate Format = "golang-migrate"  // 1_init.up.sql
	Dbmate        Format = "dbmate"          // -- migrate:up
	Tern          Format = "tern"            // ---- create above / drop below ----
	SQLMigrate    Format = "sql-migrate"     // -- +migrate Up
	Atlas         Format = "atlas"           // atlas.sum, -- atlas:checkpoint
	Flyway        Format = "flyway"          // V1__init.sql
	NodePgMigrate Format = "node-pg-migrate" // -- Up Migration
	Folders       Format = "folders"         // 1_init/migration.sql, 1_init/up.sql
)

// Formats lists the formats that are read.
func Formats() []Format {
	return []Format{Plain, Goose, GolangMigrate, Dbmate, Tern, SQLMigrate, Atlas, Flyway, NodePgMigrate, Folders}
}

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
	// Semicolons are what stands for one in the file; [Step.DDL] has one there.
	Semicolons []source.Span
	// NoTransaction is set where the file asks to be run without one.
	NoTransaction bool

	checkpoint bool // the file stands for all before it
}

// DDL returns the file with everything outside Spans blanked out.
func (s Step) DDL() *source.File {
	text := s.File.Text
	if len(s.Spans) == 1 && s.Spans[0] == (source.Span{End: len(text)}) && s.Semicolons == nil {
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
	for _, span := range s.Semicolons {
		for i := span.Start; i < span.End; i++ {
			blank[i] = ' '
		}
		blank[span.Start] = ';'
	}
	return source.NewFile(s.File.Name, string(blank))
}

// Load returns the DDL of files, directories and globs in the order in which it
// is applied: paths as they are given, files of a directory by version or name.
// A path that is not there, a format that cannot be read and a broken migration
// are errors.
func Load(paths []string) ([]*source.File, diag.List) { return LoadAs(paths, "") }

// LoadAs is [Load] of files in a given format; "" finds it out for each
// directory.
func LoadAs(paths []string, format Format) ([]*source.File, diag.List) {
	dirs, diags := ReadAs(paths, format)
	var files []*source.File
	for _, d := range dirs {
		for _, s := range d.Steps {
			files = append(files, s.DDL())
		}
	}
	return files, diags
}

// Read is [Load] with versions and formats.
func Read(paths []string) ([]Dir, diag.List) { return ReadAs(paths, "") }

// ReadAs is [Read] of files in a given format; "" finds it out for each
// directory.
func ReadAs(paths []string, format Format) ([]Dir, diag.List) {
	var dirs []Dir
	var diags diag.List
	for _, path := range paths {
		groups, list := expand(path)
		diags.Append(list)
		for _, g := range groups {
			dir, list := readGroup(g, format)
			diags.Append(list)
			if dir != nil {
				dirs = append(dirs, *dir)
			}
		}
	}
	return dirs, diags
}

// readGroup reads the files of one directory.
func readGroup(g group, format Format) (*Dir, diag.List) {
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
	if format == "" {
		var list diag.List
		format, list = detect(g, files)
		diags.Append(list)
		if list.HasErrors() {
			return nil, diags
		}
	}
	dir.Format = format
	diags.Append(programs(format, g))
	if diags.HasErrors() {
		return nil, diags
	}
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
	switch format {
	case GolangMigrate:
		if strings.HasSuffix(base, ".down.sql") {
			return step, false, nil
		}
		ok = strings.HasSuffix(base, ".up.sql")
	case Flyway:
		kind, _, _ := flywayKind(base)
		if kind == 'U' {
			return step, false, nil
		}
		ok = kind != 0
	case Tern:
		ok = ternName.MatchString(base)
	default:
		ok = true
	}
	if ok && numbered(format) {
		version, err := versionOf(base)
		ok, step.Version = err == nil, version
	}
	if !ok {
		d := problem(f, source.Span{}, "%s passes over this file: its name is not that of a migration", format)
		d.Severity = diag.Warning
		diags.Add(d)
		return step, false, diags
	}
	switch format {
	case Goose:
		diags = readGoose(&step)
	case Dbmate:
		diags = readDbmate(&step)
	case Tern:
		diags = readTern(&step)
	case SQLMigrate:
		diags = readSQLMigrate(&step)
	case NodePgMigrate:
		diags = readNodePgMigrate(&step)
	case Flyway:
		diags = readFlyway(&step)
	case Atlas:
		diags = readAtlas(&step)
	}
	return step, !diags.HasErrors(), diags
}

// numbered reports whether a format's files are known and ordered by a number in
// front of their names.
func numbered(format Format) bool {
	switch format {
	case Goose, GolangMigrate, Dbmate, Tern:
		return true
	}
	return false
}

func problem(f *source.File, span source.Span, format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: Code, File: f, Span: span, Message: fmt.Sprintf(format, args...),
	}
}
