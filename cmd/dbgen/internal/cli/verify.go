package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
)

func (a *app) verifyCommand() *cobra.Command {
	var url string
	var types, plans bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Hold types and plans against a live server and print the agreement",
		Long: `Hold types and plans against a live server and print the agreement.

Each query is prepared and explained in a read-only transaction; none is run.
Plans can agree only if the statistics file is this server's.`,
		Example: `  dbgen verify --database-url "$DATABASE_URL"
  dbgen verify --database-url "$DATABASE_URL" --types`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if url == "" {
				url = os.Getenv("DATABASE_URL")
			}
			if url == "" {
				return &usageError{commandPath(c), errors.New("no database: give --database-url or set DATABASE_URL")}
			}
			if !types && !plans {
				types, plans = true, true
			}
			return a.verify(c, url, pipeline.VerifyOptions{Types: types, Plans: plans})
		},
	}
	f := c.Flags()
	f.StringVar(&url, "database-url", "", "the server to compare with (default $DATABASE_URL)")
	f.BoolVar(&types, "types", false, "types only")
	f.BoolVar(&plans, "plans", false, "plans only")
	return c
}

func (a *app) verify(c *cobra.Command, url string, opts pipeline.VerifyOptions) error {
	ctx := c.Context()
	projects, ok, err := a.load(c, nil, true)
	if !ok || err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("connect: %w", redact(err))
	}
	defer func() { _ = conn.Close(ctx) }() // nothing was written
	for _, p := range projects {
		if p.Diags.HasErrors() {
			a.finish(p.Diags, "error", "error")
			if err := a.report(p.Diags); err != nil {
				return err
			}
			continue
		}
		p.Plan(ctx, nil)
		progress := a.progress()
		opts.Progress = func(done, total int) { progress.step("verify", done, total) }
		v, err := p.Verify(ctx, conn, opts)
		progress.done()
		if err != nil {
			return err
		}
		if len(v.Differences) > 0 {
			a.status = exitFindings
		}
		if a.flags.format == "json" {
			if err := writeJSON(a.std.Out, v); err != nil {
				return err
			}
			continue
		}
		for _, d := range v.Differences {
			fmt.Fprintf(a.std.Out, "%s: %s differ\n  dbgen   %s\n  server  %s\n", d.Query, d.What, d.Dbgen, d.Server)
		}
		fmt.Fprintln(a.std.Out, v.Summary(opts))
	}
	return nil
}
