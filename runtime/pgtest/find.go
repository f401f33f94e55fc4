package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the oldest major version dbgen supports.
const oldest = 15

// folders are the places where packages of PostgreSQL put the server.
var folders = [...]string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // PGDG on Red Hat, SUSE
	"/usr/libexec/postgresql*",  // Alpine
	"/usr/local/pgsql/bin",      // from source
	"/usr/local/pgsql-*/bin",    //
	"/opt/postgresql*/bin",      //
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries returns the folder with a postgres and an initdb that run as
// who, in the order of the package comment. tried says why each candidate on
// the way was passed over.
func findBinaries(ctx context.Context, who *identity, named string) (dir string, tried []string) {
	if named == "" {
		named = os.Getenv(EnvBinDir)
	}
	if named != "" {
		if err := tryBinaries(ctx, who, named); err != nil {
			return "", []string{err.Error()}
		}
		return named, nil
	}
	seen := map[string]bool{}
	for _, candidate := range candidates(ctx) {
		if seen[candidate] {
			continue
		}
		seen[candidate] = true
		err := tryBinaries(ctx, who, candidate)
		if err == nil {
			return candidate, tried
		}
		tried = append(tried, err.Error())
	}
	if len(seen) == 0 {
		tried = append(tried, "PATH, pg_config and the usual folders: no postgres")
	}
	return "", tried
}

func candidates(ctx context.Context) []string {
	var dirs []string
	// A postgres on the PATH is often a link; initdb lies beside its target.
	add := func(dir string) {
		if path, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			add(dir)
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		add(strings.TrimSpace(string(out)))
	}
	var usual []string
	for _, pattern := range folders {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		usual = append(usual, found...)
	}
	slices.SortStableFunc(usual, func(a, b string) int { return majorIn(b) - majorIn(a) })
	for _, dir := range usual {
		add(dir)
	}
	return dirs
}

var number = regexp.MustCompile(`\d+`)

// majorIn is the version in a folder's name, 0 if there is none.
func majorIn(dir string) int {
	n, _ := strconv.Atoi(number.FindString(dir))
	return n
}

// tryBinaries returns why the binaries in dir cannot serve.
func tryBinaries(ctx context.Context, who *identity, dir string) error {
	for _, name := range [...]string{"initdb", "postgres"} {
		path := filepath.Join(dir, name)
		cmd := exec.CommandContext(ctx, path, "--version")
		cmd.Dir = "/"
		who.apply(cmd)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", path, err, strings.TrimSpace(string(out)))
		}
		if major := majorIn(string(out)); major < oldest {
			return fmt.Errorf("%s: version %d, need %d or newer", path, major, oldest)
		}
	}
	return nil
}
