package pgtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/parser/migration"
)

// Source is a part of a schema: SQL texts that are run in order. [SQL], [Files],
// [FS] and [Migrations] make one.
type Source struct {
	load func() ([]script, error)
}

// script is one SQL text and where it came from.
type script struct{ name, text string }

// SQL is a schema given as texts, each of any number of statements.
func SQL(texts ...string) Source {
	return Source{func() ([]script, error) {
		scripts := make([]script, len(texts))
		for i, text := range texts {
			scripts[i] = script{fmt.Sprintf("schema text %d", i+1), text}
		}
		return scripts, nil
	}}
}

// Files is a schema given as files or glob patterns of package filepath; the
// matches of a pattern are run in name order. A pattern that matches nothing is
// an error.
func Files(patterns ...string) Source {
	return Source{func() ([]script, error) { return readAll(patterns, filepath.Glob, os.ReadFile) }}
}

// FS is [Files] within fsys, an embedded folder for example.
func FS(fsys fs.FS, patterns ...string) Source {
	return Source{func() ([]script, error) {
		return readAll(patterns,
			func(p string) ([]string, error) { return fs.Glob(fsys, p) },
			func(p string) ([]byte, error) { return fs.ReadFile(fsys, p) })
	}}
}

// Migrations is a schema given as directories of migrations, in the order and
// with the parts that build it up, as dbgen itself reads them: goose,
// golang-migrate, dbmate, tern, sql-migrate, Atlas, Flyway, node-pg-migrate,
// folders with a migration.sql or up.sql, or plain SQL files. Which it is, is
// seen from the files.
func Migrations(dirs ...string) Source {
	return Source{func() ([]script, error) {
		files, problems := migration.Load(dirs)
		if problems.HasErrors() {
			var text strings.Builder
			_ = problems.Text(&text, false) // a Builder takes all
			return nil, fmt.Errorf("schema: %s", strings.TrimSpace(text.String()))
		}
		scripts := make([]script, len(files))
		for i, file := range files {
			scripts[i] = script{file.Name, file.Text}
		}
		return scripts, nil
	}}
}

// A migration file with a way back in it would be undone by its own end.
var hasDown = regexp.MustCompile(`(?m)^--\s*(\+goose\s+Down|migrate:down)`)

func readAll(patterns []string, glob func(string) ([]string, error), read func(string) ([]byte, error)) ([]script, error) {
	var scripts []script
	for _, pattern := range patterns {
		names, err := glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("schema %q: %w", pattern, err)
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("schema %q: %w", pattern, fs.ErrNotExist)
		}
		slices.Sort(names)
		for _, name := range names {
			text, err := read(name)
			if err != nil {
				return nil, fmt.Errorf("schema: %w", err)
			}
			if hasDown.Match(text) {
				return nil, fmt.Errorf("schema %q holds a down migration as well: give its folder to Migrations", name)
			}
			scripts = append(scripts, script{name, string(text)})
		}
	}
	return scripts, nil
}

func loadAll(sources []Source) ([]script, error) {
	var all []script
	for _, source := range sources {
		if source.load == nil {
			continue // the zero Source is an empty schema
		}
		scripts, err := source.load()
		if err != nil {
			return nil, err
		}
		all = append(all, scripts...)
	}
	return all, nil
}
