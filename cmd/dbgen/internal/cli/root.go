package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/config"
	"github.com/dbgen/dbgen/parser/diag"
)

// formats are the outputs of --format.
var formats = []string{"text", "json", "github", "sarif"} //nolint:gochecknoglobals // a constant list

// planned are commands that are known and do not exist yet.
var planned = []string{ //nolint:gochecknoglobals // a constant list
	"dbgen advise", "dbgen report", "dbgen migrate", "dbgen lint", "dbgen lsp", "dbgen stats redact", "dbgen stats diff",
}

func (a *app) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "dbgen",
		Short: "Typed SQL for Go and PostgreSQL, with the query plan at build time",
		Long: `dbgen turns annotated .sql files into typed Go repositories, and plans every
query with no database, from a statistics file taken from production: it warns
when a query will scan a big table, and says what to do.

Exit status: 0 fine; 1 findings at or over --fail-on, or a query that PostgreSQL
would refuse; 2 wrong use or environment.`,
		Example: `  dbgen init                      # write a dbgen.yaml
  dbgen generate                  # write Go, print findings
  dbgen explain ListOrders        # the plan of one query
  dbgen stats pull --database-url "$DATABASE_URL" --out stats.json`,
		Version:           version(),
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              subcommand,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.checkFlags(c) },
	}
	root.SetArgs(args)
	root.SetIn(a.std.In)
	root.SetOut(a.std.Out)
	root.SetErr(a.std.Err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	a.addFlags(root)
	root.AddCommand(
		a.initCommand(), a.generateCommand(), a.checkCommand(), a.analyzeCommand(), a.explainCommand(),
		a.statsCommand(), a.catalogCommand(), a.verifyCommand(), a.versionCommand(),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	addExamples(root)
	return root
}

func (a *app) addFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.file, "file", "f", "", "configuration: dbgen.yaml, sqlc.yaml or sqlc.json (default dbgen.yaml of the current folder)")
	f.StringArrayVar(&a.flags.schema, "schema", nil, "DDL file, directory or glob; repeatable; stands alone, without a configuration")
	f.StringArrayVar(&a.flags.queries, "queries", nil, "query file, directory or glob; repeatable")
	f.StringVar(&a.flags.stats, "stats", "", "statistics file")
	f.StringArrayVar(&a.flags.catalogs, "catalog", nil, "file of captured extensions, as dbgen catalog capture writes it; repeatable")
	f.IntVar(&a.flags.postgres, "postgres", 0, "PostgreSQL major version, 15 to 18 (default that of the statistics file, else 16)")
	f.StringVar(&a.flags.pkg, "package", "", "name of the generated package")
	f.StringVar(&a.flags.format, "format", "text", "output: text, json, github or sarif")
	f.StringVar(&a.flags.failOn, "fail-on", "", "severity from which to exit with 1: error, warning or never (default error; check: warning)")
	f.BoolVar(&a.flags.noCache, "no-cache", false, "use no cached results; without effect, for nothing is cached yet")
	complete := func(name string, values ...string) {
		// The error is a flag that does not exist.
		_ = root.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	complete("format", formats...)
	complete("fail-on", config.FailOn...)
	complete("postgres", "15", "16", "17", "18")
}

// checkFlags holds the values of shared flags against what can be.
func (a *app) checkFlags(c *cobra.Command) error {
	oneOf := func(name, value string, allowed []string) error {
		if value == "" && name != "format" || slices.Contains(allowed, value) {
			return nil
		}
		return usage(c, "--%s must be %s or %s, not %q%s", name, strings.Join(allowed[:len(allowed)-1], ", "),
			allowed[len(allowed)-1], value, didYouMean(value, allowed))
	}
	if err := errors.Join(oneOf("format", a.flags.format, formats), oneOf("fail-on", a.flags.failOn, config.FailOn)); err != nil {
		return err
	}
	if c.Flags().Changed("postgres") && !slices.Contains(config.Versions, a.flags.postgres) {
		return usage(c, "--postgres must be 15, 16, 17 or 18, not %d", a.flags.postgres)
	}
	return nil
}

// onlyFormats refuses the formats that a command does not have.
func (a *app) onlyFormats(c *cobra.Command, allowed ...string) error {
	if slices.Contains(allowed, a.flags.format) {
		return nil
	}
	return usage(c, "%s has --format %s alone, not %s", strings.TrimPrefix(c.CommandPath(), "dbgen "),
		strings.Join(allowed, " and "), a.flags.format)
}

func didYouMean(word string, known []string) string {
	if near, ok := diag.DidYouMean(word, known); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// flagError makes a wrong flag a usage error.
func flagError(c *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return &usageError{c.CommandPath(), err}
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	return usage(c, "%w%s", err, strings.Replace(didYouMean(missing.GetSpecifiedName(), known), "\"", "\"--", 1))
}

// subcommand refuses a command word that there is not.
func subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if slices.Contains(planned, c.CommandPath()+" "+args[0]) {
		return usage(c, "not supported yet: %s %s", c.CommandPath(), args[0])
	}
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	return usage(c, "unknown command %q%s", args[0], didYouMean(args[0], known))
}

// noArgs refuses arguments.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if strings.HasSuffix(args[0], ".sql") {
		hint = "; name query files with --queries"
	}
	return usage(c, "%s takes no arguments, but %q is given%s", strings.TrimPrefix(c.CommandPath(), "dbgen "), args[0], hint)
}

// addExamples gives the commands that cobra brings an example too.
func addExamples(root *cobra.Command) {
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Example = "  dbgen help explain\n  dbgen help stats pull"
		case "completion":
			c.Example = "  source <(dbgen completion bash)"
			for _, shell := range c.Commands() {
				shell.Example = map[string]string{
					"bash":       "  source <(dbgen completion bash)",
					"zsh":        "  dbgen completion zsh > \"${fpath[1]}/_dbgen\"",
					"fish":       "  dbgen completion fish | source",
					"powershell": "  dbgen completion powershell | Out-String | Invoke-Expression",
				}[shell.Name()]
			}
		}
	}
}
