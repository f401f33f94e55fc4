package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/cli"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

// tests runs the tests and stops the server that they shared.
type tests struct{ *testing.M }

func (t tests) Run() int { return pgtest.Main(t.M) }

// TestMain makes the test binary the dbgen command as well, under its name.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"dbgen": func() {
			os.Exit(cli.Main(os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

// TestScript runs the scripts of testdata/script. Beside testscript's own
// commands they have
//
//	status N COMMAND…   run a command that must end with this exit status
//	database FILE…      make a database of SQL files and set DATABASE_URL
//	age FILE…           set the time of change long ago
//	aged FILE…          check that it is still that
//
// and the condition root, for a user that no permission holds back.
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   status,
			"database": database,
			"age":      age,
			"aged":     aged,
		},
	})
}

func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ee *exec.ExitError
		if !errors.As(err, &ee) {
			ts.Fatalf("%v", err)
		}
		got = ee.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func database(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: database FILE…")
	}
	server, err := pgtest.Shared()
	ts.Check(err)
	var schema []pgtest.Source
	for _, name := range args {
		schema = append(schema, pgtest.SQL(ts.ReadFile(name)))
	}
	ctx := context.Background()
	db, err := server.Create(ctx, schema...)
	ts.Check(err)
	ts.Defer(func() { ts.Check(db.Drop(ctx)) })
	ts.Setenv("DATABASE_URL", db.URL)
}

// longAgo is before any test.
var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func age(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: age FILE…")
	}
	for _, name := range args {
		ts.Check(os.Chtimes(ts.MkAbs(name), longAgo, longAgo))
	}
}

func aged(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if info.ModTime().Equal(longAgo) == neg {
			ts.Fatalf("%s was changed %v", name, info.ModTime())
		}
	}
}
