package cli

import (
	"fmt"
	"io"
	"os"
)

// progress shows long work on a terminal, and nothing in a pipe.
type progress struct {
	w     io.Writer
	shown bool
}

func (a *app) progress() *progress {
	if terminal(a.std.Err) && os.Getenv("TERM") != "dumb" {
		return &progress{w: a.std.Err}
	}
	return &progress{}
}

func (p *progress) step(stage string, done, total int) {
	if p.w == nil {
		return
	}
	p.shown = true
	fmt.Fprintf(p.w, "\r\x1b[K%s %d/%d", stage, done, total)
}

func (p *progress) done() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
