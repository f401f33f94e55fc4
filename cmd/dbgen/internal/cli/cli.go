// Package cli is the command line, one file a command.
//
// Exit status: 0 fine, 1 findings at or over --fail-on, 2 wrong use or
// environment. Diagnostics go to stderr, results to stdout.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
)

// Exit statuses.
const (
	exitOK       = 0
	exitFindings = 1
	exitUsage    = 2
)

// IO is where a run reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs a command line and returns the exit status.
func Main(args []string, std IO) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the process at once.
	defer context.AfterFunc(ctx, stop)()
	a := &app{std: std}
	err := a.root(args).ExecuteContext(ctx)
	switch {
	case err == nil:
		return a.status
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(std.Err, "dbgen: interrupted")
		return exitUsage
	case errors.Is(err, syscall.EPIPE):
		return exitUsage // whoever read has gone: nobody to tell
	}
	fmt.Fprintf(std.Err, "dbgen: %v\n", err)
	var u *usageError
	if errors.As(err, &u) {
		fmt.Fprintf(std.Err, "Run '%s --help' for usage.\n", u.command)
	}
	return exitUsage
}

// usageError is a wrong use of the command line.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usage is the error of a wrong use of c.
func usage(c *cobra.Command, format string, args ...any) error {
	return &usageError{c.CommandPath(), fmt.Errorf(format, args...)}
}

// app is one run.
type app struct {
	std    IO
	flags  flags
	status int
	// queriesJSON is set where the JSON has the key queries.
	queriesJSON bool
}

// flags are those that all commands share.
type flags struct {
	file     string
	schema   []string
	queries  []string
	stats    string
	catalogs []string
	postgres int
	pkg      string
	out      string
	format   string
	failOn   string
	noCache  bool
}

// configs returns what the run is about: one configuration, or several from a
// sqlc file. Flags win over the file. extra are query files given as arguments.
func (a *app) configs(c *cobra.Command, extra []string) ([]*config.Config, diag.List, error) {
	f := &a.flags
	var list []*config.Config
	var diags diag.List
	if len(f.schema) > 0 && f.file == "" {
		list = []*config.Config{{Version: 1, Schema: f.schema}}
	} else {
		name := f.file
		if name == "" {
			name = config.FileName
		}
		list, diags = config.Load(name)
		if diags.HasErrors() {
			return nil, diags, nil
		}
	}
	for _, cfg := range list {
		if len(f.schema) > 0 {
			cfg.Schema = f.schema
		}
		if len(f.queries) > 0 || len(extra) > 0 {
			cfg.Queries = append(append([]string{}, f.queries...), extra...)
		}
		if len(f.catalogs) > 0 {
			cfg.Catalogs = f.catalogs
		}
		set(&cfg.Stats, f.stats)
		set(&cfg.Package, f.pkg)
		set(&cfg.Out, f.out)
		set(&cfg.FailOn, f.failOn)
		if f.postgres != 0 {
			cfg.Postgres = f.postgres
		}
		if len(cfg.Queries) == 0 {
			return nil, nil, usage(c, "no query files: name them with --queries%s", orArguments(c))
		}
	}
	return list, diags, nil
}

// orArguments says so where query files can be arguments too.
func orArguments(c *cobra.Command) string {
	if strings.Contains(c.Use, "FILE") {
		return ", or as arguments"
	}
	return ""
}

func set(to *string, v string) {
	if v != "" {
		*to = v
	}
}

// load loads the projects of a run. ok is false if there is nothing to go on
// with; the diagnostics have then been printed.
func (a *app) load(c *cobra.Command, extra []string, unnamed bool) ([]*pipeline.Project, bool, error) {
	list, diags, err := a.configs(c, extra)
	if err != nil {
		return nil, false, err
	}
	if diags.HasErrors() {
		a.status = exitUsage
		return nil, false, a.report(diags)
	}
	var out []*pipeline.Project
	unusable := false
	for _, cfg := range list {
		p := pipeline.Load(c.Context(), cfg, unnamed)
		if err := c.Context().Err(); err != nil {
			return nil, false, err
		}
		p.Diags = append(diags, p.Diags...)
		diags = nil
		unusable = unusable || p.Unusable
		out = append(out, p)
	}
	if unusable {
		for _, p := range out {
			diags.Append(p.Diags)
		}
		a.status = exitUsage
		return nil, false, a.report(diags)
	}
	return out, true, nil
}

// report prints diagnostics: text to stderr, the machine-readable forms, being
// the result, to stdout.
func (a *app) report(diags diag.List) error {
	diags.Sort()
	switch a.flags.format {
	case "json":
		if a.queriesJSON {
			return writeJSON(a.std.Out, result{Queries: []any{}, Diagnostics: diags.JSON()})
		}
		return diags.WriteJSON(a.std.Out)
	case "github":
		return diags.GitHub(a.std.Out)
	case "sarif":
		return diags.SARIF(a.std.Out)
	}
	return diags.Text(a.std.Err, a.color())
}

// result is the JSON of analyze and explain.
type result struct {
	Queries     any          `json:"queries"`
	Diagnostics []diag.Entry `json:"diagnostics"`
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// color reports whether stderr is a terminal that wants colour.
func (a *app) color() bool {
	return terminal(a.std.Err) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// terminal reports whether a person is likely to read w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// finish sets the exit status from diagnostics: 1 if one is at or over failOn,
// or else an error that is no finding about a plan, for never does not excuse
// a query that the server would refuse. What could not be read at all is 2.
func (a *app) finish(diags diag.List, failOn string) {
	for i := range diags {
		d := &diags[i]
		switch {
		case d.Severity == diag.Error && (d.Code == "config" || d.Code == "input" || d.Code == "internal"):
			a.status = exitUsage
		case failOn == "warning" && d.Severity >= diag.Warning,
			failOn == "error" && d.Severity >= diag.Error, isHard(d):
			a.status = max(a.status, exitFindings)
		}
	}
}

// isHard reports an error that is no finding about a plan.
func isHard(d *diag.Diagnostic) bool {
	return d.Severity == diag.Error && !strings.HasPrefix(d.Code, "PL")
}

// analysisStatus sets the status of analyze and explain, which findings do not
// change.
func (a *app) analysisStatus(diags diag.List) { a.finish(diags, "never") }
