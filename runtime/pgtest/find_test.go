package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func script755(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestTryBinaries(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, initdb, postgres, want string }{
		{"good", "echo initdb 16.4", "echo postgres 16.4", ""},
		{"no initdb", "", "echo postgres 16.4", "no such file"},
		{"old", "echo initdb 14.1", "echo postgres 14.1", "version 14, need 15"},
		{"does not run", "echo initdb 16.4", "echo lacks a library; exit 3", "exit status 3: lacks a library"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.initdb != "" {
				script755(t, dir, "initdb", test.initdb)
			}
			script755(t, dir, "postgres", test.postgres)
			err := tryBinaries(context.Background(), &identity{}, dir)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"postgres://u:p@h:5/a?sslmode=disable": "postgres://u:p@h:5/b?sslmode=disable",
		"postgresql://h":                       "postgresql://h/b",
		"postgres://h/?dbname=a":               "postgres://h/b",
		"host=h dbname=a":                      "host=h dbname=a dbname=b",
	} {
		if got := withDatabase(dsn, "b"); got != want {
			t.Errorf("withDatabase(%q) = %q, want %q", dsn, got, want)
		}
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	_, err := launch(context.Background(), Options{BinDir: filepath.Join(t.TempDir(), "nothing")})
	if err == nil || !strings.Contains(err.Error(), "no PostgreSQL server: set "+EnvURL) {
		t.Fatalf("got %v", err)
	}
}
