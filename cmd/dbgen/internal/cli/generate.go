package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/pipeline"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

func (a *app) generateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "generate",
		Short: "Write typed Go repositories and print findings",
		Long: `Write typed Go repositories and print findings.

Everything is rendered in memory first; an error in any query writes nothing. A
finding about a plan never stops the writing, it only sets the exit status.`,
		Example: `  dbgen generate
  dbgen generate --fail-on warning
  dbgen generate --schema migrations --queries queries --out internal/db`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.generate(c, true) },
	}
	c.Flags().StringVar(&a.flags.out, "out", "", "folder for the generated Go")
	return c
}

func (a *app) checkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Fail on findings and on generated code that is out of date; write nothing",
		Example: `  dbgen check
  dbgen check --format github     # annotations in a pull request
  dbgen check --format sarif > dbgen.sarif`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.generate(c, false) },
	}
	c.Flags().StringVar(&a.flags.out, "out", "", "folder of the generated Go")
	return c
}

// job is one project of a run of generate.
type job struct {
	*pipeline.Project
	files   []pipeline.Output
	changes []pipeline.Change
	diags   diag.List
}

// generate is generate and, without writing, check. Every project is rendered
// before the first is written.
func (a *app) generate(c *cobra.Command, write bool) error {
	projects, ok, err := a.load(c, nil, false)
	if !ok || err != nil {
		return err
	}
	if err := outputs(c, projects, write); err != nil {
		return err
	}
	var jobs []*job
	var diags diag.List
	broken := false
	for _, p := range projects {
		j, err := a.render(c.Context(), p)
		if err != nil {
			return err
		}
		for i := range j.diags {
			broken = broken || isHard(&j.diags[i])
		}
		jobs = append(jobs, j)
		diags.Append(j.diags)
	}
	for _, j := range jobs {
		if broken {
			break // errors first: findings about the rest are there once they are gone
		}
		diags.Append(j.NoStatistics())
		if j.Config.Out == "" {
			continue
		}
		if write {
			j.changes, err = pipeline.Write(c.Context(), j.Config.Out, j.files)
		} else {
			j.changes, err = pipeline.Diff(j.Config.Out, j.files)
		}
		if err != nil {
			if c.Context().Err() != nil {
				return c.Context().Err()
			}
			return fmt.Errorf("write %s: %w", j.Config.Out, err)
		}
		if !write {
			diags.Append(outdated(j.changes))
		}
	}
	otherwise := "warning"
	if write {
		otherwise = "error"
	}
	for _, j := range jobs {
		a.finish(j.diags, cmp.Or(j.Config.FailOn, otherwise))
	}
	a.finish(diags, "never")
	if err := a.report(diags); err != nil {
		return err
	}
	if write && a.flags.format == "text" {
		a.summary(jobs, broken)
	}
	return nil
}

// outputs checks that every project has a folder of its own to write to.
func outputs(c *cobra.Command, projects []*pipeline.Project, write bool) error {
	seen := map[string]bool{}
	for _, p := range projects {
		out := p.Config.Out
		if out == "" {
			if write {
				return usage(c, "no output folder: give --out, or out: in the configuration")
			}
			continue
		}
		if out = filepath.Clean(out); seen[out] {
			return usage(c, "two packages would be written to %s", out)
		}
		seen[out] = true
	}
	return nil
}

// render plans, judges and renders a project.
func (a *app) render(ctx context.Context, p *pipeline.Project) (*job, error) {
	j := &job{Project: p, diags: p.Diags}
	if !p.Diags.HasErrors() {
		progress := a.progress()
		defer progress.done()
		p.Progress = progress.step
		p.Plan(ctx, nil)
		j.diags.Append(p.Findings(ctx))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	files, diags := p.Render()
	j.files = files
	j.diags.Append(diags)
	return j, ctx.Err()
}

// outdated reports files that are not as generate would write them.
func outdated(changes []pipeline.Change) diag.List {
	var out diag.List
	for _, ch := range changes {
		out.Add(diag.Diagnostic{
			Severity: diag.Error, Code: "outdated", File: source.NewFile(filepath.ToSlash(ch.Path), ""),
			Message: map[string]string{
				"create": "the generated file is missing",
				"update": "the generated file is out of date",
				"remove": "the generated file belongs to no query file any more",
			}[ch.Kind],
			Hint: "run dbgen generate and commit what it writes",
		})
	}
	return out
}

// summary says what generate did, in one line for each package.
func (a *app) summary(jobs []*job, broken bool) {
	if broken {
		fmt.Fprintln(a.std.Err, "dbgen: nothing written")
		return
	}
	for _, j := range jobs {
		queries, findings := 0, 0
		for _, q := range j.All() {
			if q.Named() {
				queries++
			}
		}
		for i := range j.diags {
			if d := &j.diags[i]; strings.HasPrefix(d.Code, "PL") && d.Severity >= diag.Warning {
				findings++
			}
		}
		fmt.Fprintf(a.std.Err, "dbgen: %s, %s; %d of %d files changed in %s\n",
			plural(queries, "query", "queries"), plural(findings, "finding", "findings"), len(j.changes), len(j.files), j.Config.Out)
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
