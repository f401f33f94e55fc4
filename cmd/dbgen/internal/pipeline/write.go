package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dbgen/dbgen/templates/emit"
)

// header begins every generated file; a file without it is never removed.
const header = emit.Header

// Output is a rendered file.
type Output struct {
	Name    string // within the output folder
	Content []byte
}

// Change is what [Write] does, or would do, to one file.
type Change struct {
	Path string
	// Kind is "create", "update" or "remove".
	Kind string
}

// Diff compares rendered files with what is in a folder.
func Diff(dir string, files []Output) ([]Change, error) {
	var out []Change
	want := map[string]bool{}
	for _, f := range files {
		want[f.Name] = true
		path := filepath.Join(dir, f.Name)
		have, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out = append(out, Change{path, "create"})
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", path, err)
		case bytes.Equal(have, f.Content):
		case !bytes.HasPrefix(have, []byte(header)):
			return nil, &ForeignError{Path: path}
		default:
			out = append(out, Change{path, "update"})
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	for _, e := range entries {
		if e.IsDir() || want[e.Name()] || !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if ours(path) {
			out = append(out, Change{path, "remove"})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// ForeignError says that a file which is not ours stands where one of ours
// should go.
type ForeignError struct{ Path string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s is not dbgen's: it lacks the line %q; move it away, or choose another folder", e.Path, header)
}

// ours reports whether a file has our header.
func ours(path string) bool {
	data, err := os.ReadFile(path)
	return err == nil && bytes.HasPrefix(data, []byte(header))
}

// Write brings a folder in line with the rendered files: each that differs is
// written beside itself and renamed, stale ones go last. Until the first rename
// a cancelled context, or any error, leaves everything as it was.
func Write(ctx context.Context, dir string, files []Output) ([]Change, error) {
	changes, err := Diff(dir, files)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	created, err := makeDir(dir)
	if err != nil {
		return nil, err
	}
	content := map[string][]byte{}
	for _, f := range files {
		content[filepath.Join(dir, f.Name)] = f.Content
	}
	temps := map[string]string{}
	cleanup := func() {
		for _, t := range temps {
			_ = os.Remove(t) // best effort: the error that matters is reported
		}
		for _, d := range slices.Backward(created) {
			_ = os.Remove(d) // likewise; one that is not empty stays
		}
	}
	for _, c := range changes {
		if c.Kind == "remove" {
			continue
		}
		t, err := writeTemp(dir, content[c.Path])
		if err != nil {
			cleanup()
			return nil, err
		}
		temps[c.Path] = t
	}
	if err := ctx.Err(); err != nil {
		cleanup()
		return nil, err
	}
	for _, c := range changes {
		if c.Kind == "remove" {
			continue
		}
		if err := os.Rename(temps[c.Path], c.Path); err != nil {
			cleanup()
			return nil, err
		}
		delete(temps, c.Path)
	}
	for _, c := range changes {
		if c.Kind == "remove" {
			if err := os.Remove(c.Path); err != nil {
				return changes, err
			}
		}
	}
	return changes, nil
}

// makeDir makes a folder and those above it, and returns the ones that it made,
// from the top.
func makeDir(dir string) ([]string, error) {
	var missing []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break // there, or for MkdirAll to complain about
		}
		missing = append(missing, d)
	}
	slices.Reverse(missing)
	return missing, os.MkdirAll(dir, 0o755)
}

// WriteFile writes one file beside itself and renames it.
func WriteFile(path string, content []byte) error {
	t, err := writeTemp(filepath.Dir(path), content)
	if err != nil {
		return err
	}
	if err := os.Rename(t, path); err != nil {
		_ = os.Remove(t)
		return err
	}
	return nil
}

func writeTemp(dir string, content []byte) (string, error) {
	f, err := os.CreateTemp(dir, ".dbgen-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
