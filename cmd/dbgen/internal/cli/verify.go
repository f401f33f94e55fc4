package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
)

func (a *app) verifyCommand() *cobra.Command {
	var url string
	var types, plans bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Hold types and plans against a live server and print the agreement",
		Long: `Hold types and plans against a live server and print the agreement.

Each query is prepared and explained in a read-only transaction; none is run. A
query that dbgen refuses is held against the server as well: both must refuse it
with one SQLSTATE. Plans can agree only if the statistics file is this server's.`,
		Example: `  dbgen verify --database-url "$DATABASE_URL"
  dbgen verify --database-url "$DATABASE_URL" --types`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if url == "" {
				url = os.Getenv("DATABASE_URL")
			}
			if url == "" {
				return usage(c, "no database: give --database-url or set DATABASE_URL")
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
	if err := a.onlyFormats(c, "text", "json"); err != nil {
		return err
	}
	projects, ok, err := a.load(c, nil, true)
	if !ok || err != nil {
		return err
	}
	var diags diag.List
	for _, p := range projects {
		diags.Append(p.Diags)
	}
	// What is refused here is held against the server, too.
	a.analysisStatus(diags)
	diags.Sort()
	if err := diags.Text(a.std.Err, a.color()); err != nil {
		return err
	}
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing was written
	total := &pipeline.Verification{Differences: []pipeline.Difference{}}
	for _, p := range projects {
		progress := a.progress()
		p.Progress = progress.step
		if opts.Plans {
			p.Plan(ctx, nil)
		}
		v, err := p.Verify(ctx, conn, opts)
		progress.done()
		if err != nil {
			return cmp.Or(ctx.Err(), err)
		}
		total.Add(v)
	}
	if len(total.Differences) > 0 {
		a.status = exitFindings
	}
	if a.flags.format == "json" {
		return writeJSON(a.std.Out, total)
	}
	var out strings.Builder
	for _, d := range total.Differences {
		fmt.Fprintf(&out, "%s:%d: %s: %s\n  dbgen   %s\n  server  %s\n", d.File, d.Line, d.Query, map[string]string{"types": "types differ", "plan": "plan differs"}[d.What], d.Dbgen, d.Server)
	}
	out.WriteString(total.Summary(opts) + "\n")
	_, err = io.WriteString(a.std.Out, out.String())
	return err
}

// connect opens a connection. The error does not hold the URL, which may have a
// password in it.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var pe *pgconn.ParseConfigError
	if errors.As(err, &pe) {
		return nil, errors.New("connect: the database URL cannot be parsed; it is postgres://user@host:port/database")
	}
	// pgx tries each address with TLS and without, and tells each; the first will do.
	var (
		ce *pgconn.ConnectError
		se *pgconn.PgError
		de *net.DNSError
		oe *os.SyscallError
	)
	if errors.As(err, &ce) {
		server := net.JoinHostPort(ce.Config.Host, strconv.Itoa(int(ce.Config.Port))) + "/" + ce.Config.Database
		because := func(why error) error {
			return fmt.Errorf("connect to %s as %s: %w", server, ce.Config.User, why)
		}
		switch {
		case errors.As(err, &se):
			return nil, because(se)
		case errors.As(err, &de):
			return nil, because(errors.New(de.Err))
		case errors.As(err, &oe):
			return nil, because(oe.Err)
		}
	}
	return nil, fmt.Errorf("connect: %w", err)
}
