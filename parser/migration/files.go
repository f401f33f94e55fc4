package migration

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// group is some files of one directory.
type group struct {
	path  string
	files []string // with forward slashes, in natural order
	// others are the names of files beside them that are no SQL; only of a
	// directory that was named as such.
	others []string
	// folders is set where each migration is a folder of its own.
	folders bool
}

// Expand returns the SQL files that paths name, as files, directories or globs:
// in the order given, those of a directory or glob in natural order (2 before
// 10). A path that names nothing is an error.
func Expand(paths []string) ([]string, diag.List) {
	var files []string
	var diags diag.List
	for _, p := range paths {
		groups, list := expand(p)
		diags.Append(list)
		for _, g := range groups {
			files = append(files, g.files...)
		}
	}
	return files, diags
}

// Sources reads the SQL files that paths name, whole and whatever their format:
// query files. The order is that of [Expand]; a file that cannot be read is an
// error, and the others are returned.
func Sources(paths []string) ([]*source.File, diag.List) {
	names, diags := Expand(paths)
	var files []*source.File
	for _, name := range names {
		f, err := readFile(name)
		if err != nil {
			diags.Add(missing(name, errText(err)))
			continue
		}
		files = append(files, f)
	}
	return files, diags
}

// missing is the error for a path that cannot be read.
func missing(name, message string) diag.Diagnostic {
	d := problem(source.NewFile(name, ""), source.Span{}, "%s", message)
	d.Code = InputCode
	return d
}

func expand(name string) ([]group, diag.List) {
	slashed := filepath.ToSlash(name)
	fail := func(format string, args ...any) ([]group, diag.List) {
		return nil, diag.List{missing(slashed, fmt.Sprintf(format, args...))}
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		g, err := readDir(name)
		if err == nil && len(g.files) == 0 {
			g, err = readFolders(name)
		}
		if err != nil {
			return fail("%s", errText(err))
		}
		if len(g.files) == 0 {
			return fail("the directory has no .sql files")
		}
		return []group{g}, nil
	}
	if err == nil {
		return []group{{path: path.Dir(slashed), files: []string{slashed}}}, nil
	}
	if !strings.ContainsAny(name, "*?[") {
		return fail("%s", errText(err))
	}
	matches, err := glob(name)
	if err != nil {
		return fail("%s", err)
	}
	var groups []group
	for _, m := range matches {
		m = filepath.ToSlash(m)
		i := slices.IndexFunc(groups, func(g group) bool { return g.path == path.Dir(m) })
		if i < 0 {
			groups = append(groups, group{path: path.Dir(m)})
			i = len(groups) - 1
		}
		groups[i].files = append(groups[i].files, m)
	}
	if len(groups) == 0 {
		return fail("no file matches")
	}
	slices.SortFunc(groups, func(a, b group) int { return natural(a.path, b.path) })
	for _, g := range groups {
		slices.SortFunc(g.files, natural)
	}
	return groups, nil
}

// glob returns the files that a pattern names; as a part of its own ** stands
// for any number of directories. A pattern that does not say how a name ends
// (queries/*, queries/**) means SQL files, of the directories that it names too.
func glob(pattern string) ([]string, error) {
	parts := strings.Split(filepath.ToSlash(pattern), "/")
	matches := []string{""}
	if parts[0] == "" {
		matches, parts = []string{"/"}, parts[1:]
	}
	for len(parts) > 0 {
		deep := parts[0] == "**"
		n := 1
		for !deep && n < len(parts) && parts[n] != "**" {
			n++
		}
		var next []string
		for _, m := range matches {
			if deep {
				below, err := directories(m)
				if err != nil {
					return nil, err
				}
				next = append(next, below...)
				continue
			}
			found, err := filepath.Glob(filepath.Join(quoteMeta(m), filepath.FromSlash(strings.Join(parts[:n], "/"))))
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		matches, parts = next, parts[n:]
	}
	ending := path.Ext(path.Base(filepath.ToSlash(pattern)))
	sqlOnly := ending == "" || strings.ContainsAny(ending, "*?[")
	var files []string
	for _, m := range matches {
		info, err := os.Stat(m)
		switch {
		case err != nil:
		case !info.IsDir():
			if !sqlOnly || isSQL(filepath.Base(m)) {
				files = append(files, m)
			}
		case sqlOnly && !strings.HasPrefix(filepath.Base(m), "."):
			if g, err := readDir(m); err == nil {
				files = append(files, g.files...)
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// directories returns dir and all directories below it but hidden ones.
func directories(dir string) ([]string, error) {
	var all []string
	root := dir
	if root == "" {
		root = "."
	}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == root && errors.Is(err, fs.ErrNotExist):
			return fs.SkipDir
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case name != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		all = append(all, name)
		return nil
	})
	return all, err
}

// quoteMeta returns a pattern that names only the file name.
func quoteMeta(name string) string {
	var b strings.Builder
	for _, c := range name {
		if strings.ContainsRune("*?[", c) {
			b.WriteString("[" + string(c) + "]")
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// isSQL reports whether a file of a directory is read, by its name.
func isSQL(base string) bool { return strings.HasSuffix(base, ".sql") && !strings.HasPrefix(base, ".") }

func readDir(name string) (group, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return group{}, err
	}
	g := group{path: filepath.ToSlash(name)}
	for _, e := range entries {
		full := path.Join(g.path, e.Name())
		if info, err := os.Stat(full); err != nil || info.IsDir() {
			continue
		}
		if isSQL(e.Name()) {
			g.files = append(g.files, full)
		} else {
			g.others = append(g.others, e.Name())
		}
	}
	slices.SortFunc(g.files, natural)
	return g, nil
}

// readFolders lists a directory in which each migration is a folder with a
// migration.sql, or an up.sql, in the order of their names.
func readFolders(name string) (group, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return group{}, err
	}
	g := group{path: filepath.ToSlash(name), folders: true}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		for _, base := range []string{"migration.sql", "up.sql"} {
			full := path.Join(g.path, e.Name(), base)
			if info, err := os.Stat(full); err == nil && !info.IsDir() {
				g.files = append(g.files, full)
				break
			}
		}
	}
	slices.SortFunc(g.files, natural)
	return g, nil
}

func readFile(name string) (*source.File, error) {
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	return source.NewFile(name, string(text)), nil
}

// errText is what the system says, without the call and the path, which the
// diagnostic names already.
func errText(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

func baseName(name string) string { return path.Base(name) }

var leadingNumber = regexp.MustCompile(`^[0-9]+`)

// versionOf is the number at the start of a file's name.
func versionOf(base string) (int64, error) {
	digits := leadingNumber.FindString(base)
	if digits == "" {
		return 0, fmt.Errorf("%s has no version", base)
	}
	return strconv.ParseInt(digits, 10, 64)
}

// order sorts the steps as the tool applies them and reports versions used twice
// and those that are missing.
func order(dir *Dir) diag.List {
	switch dir.Format {
	case Flyway:
		return orderFlyway(dir)
	case Atlas:
		fromCheckpoint(dir)
	}
	if !numbered(dir.Format) {
		return nil
	}
	slices.SortStableFunc(dir.Steps, func(a, b Step) int { return cmp.Compare(a.Version, b.Version) })
	var diags diag.List
	for i := 1; i < len(dir.Steps); i++ {
		a, b := dir.Steps[i-1], dir.Steps[i]
		if a.Version == b.Version {
			// Tools differ in this: goose and golang-migrate refuse it, others go
			// by the whole name, as is done here.
			d := problem(b.File, source.Span{}, "version %d is also that of %s", b.Version, a.File.Name)
			if dir.Format != Goose && dir.Format != Tern {
				d.Severity = diag.Warning
			}
			diags.Add(d)
		}
	}
	if dir.Format == Tern {
		diags.Append(checkTern(dir))
	}
	return diags
}

// natural compares two names with the numbers in them by value, so that
// 2_b.sql comes before 10_a.sql.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		nx, ny := digits(x), digits(y)
		if nx > 0 && ny > 0 {
			u, v := strings.TrimLeft(x[:nx], "0"), strings.TrimLeft(y[:ny], "0")
			if c := cmp.Or(cmp.Compare(len(u), len(v)), cmp.Compare(u, v)); c != 0 {
				return c
			}
			x, y = x[nx:], y[ny:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
