//go:build !unix

package pgtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// process is a server started here; on this system there is none.
type process struct {
	url  string
	pid  int
	log  *os.File
	stop func() error
}

func (p *process) logFrom(int64) string { return "" }

// identity is the user a server runs as.
type identity struct{}

func (*identity) apply(*exec.Cmd) {}

// launch refuses: the keeper that makes sure no server is left behind needs a
// Unix shell.
func launch(context.Context, Options) (*process, error) {
	return nil, errors.New("starting a server is not supported yet on this system: set " + EnvURL)
}
