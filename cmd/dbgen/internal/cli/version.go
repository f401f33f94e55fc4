package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of dbgen and of Go",
		Example: "  dbgen version",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.std.Out, version())
			return err
		},
	}
}

// version says what this build is.
func version() string {
	dbgen, goVersion := "(devel)", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		if info.Main.Version != "" {
			dbgen = info.Main.Version
		}
	}
	return fmt.Sprintf("dbgen %s (%s), PostgreSQL 15 to 18, grammar of 16", dbgen, goVersion)
}
