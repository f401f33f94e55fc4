//go:build !unix

package pgtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
)

// errSystem is what starting anything gives here: the keeper that makes sure no
// server is left behind needs a Unix shell.
var errSystem = errors.New("starting a server is not supported yet on this system: set " + EnvURL)

// process is a server started here; on this system there is none.
type process struct {
	url         string
	pid         int
	log         *os.File
	stop, leave func() error
}

func (p *process) logFrom(int64) string { return "" }

// identity is the user a server runs as.
type identity struct{}

func (*identity) apply(*exec.Cmd)  {}
func (*identity) own(string) error { return errSystem }

// workshop is a temporary folder for programs, kept one of them.
type workshop struct {
	who *identity
	dir string
}

type kept struct{ gone chan struct{} }

func (*kept) end() error    { return errSystem }
func (*kept) running() bool { return false }

func (*workshop) keep(*os.File, string, string, ...string) (*kept, error) { return nil, errSystem }
func (*workshop) run(context.Context, *os.File, ...string) error          { return errSystem }
func (*workshop) close() error                                            { return errSystem }

func unprivileged() (*identity, error)                  { return nil, errSystem }
func newWorkshop(*identity) (*workshop, error)          { return nil, errSystem }
func signal(int, StopMode) error                        { return errSystem }
func launch(context.Context, Options) (*process, error) { return nil, errSystem }
