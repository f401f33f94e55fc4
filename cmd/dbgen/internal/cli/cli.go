// Package cli is the command line, one file a command.
//
// Exit status: 0 fine, 1 findings at or over --fail-on, 2 wrong use or
// environment. Diagnostics go to stderr, results to stdout.
package cli

import (
	"context"
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
	a := &app{std: std}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(std.In)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil && a.status == exitOK && ctx.Err() != nil:
		return exitUsage
	case err == nil:
		return a.status
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(std.Err, "dbgen: interrupted")
		return exitUsage
	case errors.Is(err, syscall.EPIPE):
		return exitUsage // whoever read has gone: nobody to tell
	}
	var u *usageError
	if errors.As(err, &u) {
		fmt.Fprintf(std.Err, "dbgen: %v\nRun 'dbgen %s--help' for usage.\n", err, u.command)
		return exitUsage
	}
	fmt.Fprintf(std.Err, "dbgen: %v\n", err)
	return exitUsage
}

// usageError is a wrong use of the command line.
type usageError struct {
	command string
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// app is one run.
type app struct {
	std    IO
	flags  flags
	status int
}

// flags are those that all commands share.
type flags struct {
	file     string
	schema   []string
	queries  []string
	stats    string
	postgres int
	pkg      string
	out      string
	format   string
	failOn   string
	noCache  bool
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "dbgen",
		Short: "Typed SQL for Go and PostgreSQL, with the query plan at build time",
		Long: `dbgen turns annotated .sql files into typed Go repositories, and plans every
query with no database, from a statistics file taken from production: it warns
when a query will scan a big table, and says what to do.`,
		Example: `  dbgen init                      # write a dbgen.yaml
  dbgen generate                  # write Go, print findings
  dbgen explain ListOrders        # the plan of one query
  dbgen stats pull --database-url "$DATABASE_URL" --out stats.json`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{commandPath(c), err}
	})
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.file, "file", "f", "", "configuration: dbgen.yaml, sqlc.yaml or sqlc.json (default dbgen.yaml of the current folder)")
	f.StringArrayVar(&a.flags.schema, "schema", nil, "DDL file, directory or glob; repeatable; stands alone, without a configuration")
	f.StringArrayVar(&a.flags.queries, "queries", nil, "query file, directory or glob; repeatable")
	f.StringVar(&a.flags.stats, "stats", "", "statistics file")
	f.IntVar(&a.flags.postgres, "postgres", 0, "PostgreSQL major version, 15 to 18 (default that of the statistics file, else 16)")
	f.StringVar(&a.flags.pkg, "package", "", "name of the generated package")
	f.StringVar(&a.flags.format, "format", "text", "output: text, json, github or sarif")
	f.StringVar(&a.flags.failOn, "fail-on", "", "severity from which to exit with 1: error, warning or never (default error; check: warning)")
	f.BoolVar(&a.flags.noCache, "no-cache", false, "do not use cached results")
	root.AddCommand(
		a.initCommand(), a.generateCommand(), a.checkCommand(), a.analyzeCommand(), a.explainCommand(),
		a.statsCommand(), a.verifyCommand(), a.versionCommand(),
	)
	for _, c := range root.Commands() {
		wrapArgs(c)
	}
	return root
}

// wrapArgs makes wrong arguments a usage error.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &usageError{commandPath(c), err}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}

func commandPath(c *cobra.Command) string {
	p := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "dbgen"), " ")
	if p != "" {
		p += " "
	}
	return p
}

// configs returns what the run is about: one configuration, or several from a
// sqlc file. Flags win over the file. extra are query files given as arguments.
func (a *app) configs(c *cobra.Command, extra []string) ([]*config.Config, diag.List, error) {
	f := &a.flags
	switch f.format {
	case "text", "json", "github", "sarif":
	default:
		return nil, nil, &usageError{commandPath(c), fmt.Errorf("--format must be text, json, github or sarif, not %q", f.format)}
	}
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
		set(&cfg.Stats, f.stats)
		set(&cfg.Package, f.pkg)
		set(&cfg.Out, f.out)
		set(&cfg.FailOn, f.failOn)
		if f.postgres != 0 {
			cfg.Postgres = f.postgres
		}
		cfg.Check(&diags)
		if len(cfg.Queries) == 0 {
			return nil, nil, &usageError{commandPath(c), errors.New("no query files: give --queries, or name them as arguments")}
		}
	}
	return list, diags, nil
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
	for _, cfg := range list {
		p := pipeline.Load(c.Context(), cfg, unnamed)
		if err := c.Context().Err(); err != nil {
			return nil, false, err
		}
		p.Diags = append(diags, p.Diags...)
		diags = nil
		out = append(out, p)
	}
	return out, true, nil
}

// report prints diagnostics: text to stderr, the machine-readable forms, being
// the result, to stdout.
func (a *app) report(diags diag.List) error {
	diags.Sort()
	switch a.flags.format {
	case "json":
		return diags.WriteJSON(a.std.Out)
	case "github":
		return diags.GitHub(a.std.Out)
	case "sarif":
		return diags.SARIF(a.std.Out)
	}
	return diags.Text(a.std.Err, a.color())
}

// color reports whether stderr is a terminal that wants colour.
func (a *app) color() bool {
	f, ok := a.std.Err.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// finish sets the exit status from the worst diagnostic. Errors of the
// environment (a file that cannot be read, a wrong configuration) are 2.
func (a *app) finish(diags diag.List, failOn, otherwise string) {
	if failOn == "" {
		failOn = otherwise
	}
	for i := range diags {
		d := &diags[i]
		if d.Severity == diag.Error && (d.Code == "config" || d.Code == "input" || d.Code == "stats" && d.File == nil) {
			a.status = exitUsage
			return
		}
	}
	worst := diags.Max()
	switch {
	case worst >= diag.Error, failOn == "warning" && worst >= diag.Warning:
		if failOn != "never" || hasHardErrors(diags) {
			a.status = max(a.status, exitFindings)
		}
	}
}

// hasHardErrors reports errors other than findings about plans: --fail-on never
// does not excuse a query that the server would refuse.
func hasHardErrors(diags diag.List) bool {
	for i := range diags {
		if diags[i].Severity == diag.Error && !strings.HasPrefix(diags[i].Code, "PL") {
			return true
		}
	}
	return false
}
