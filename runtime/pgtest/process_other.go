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
	url  string
	pid  int
	log  *os.File
	stop func() error
}

func (p *process) logFrom(int64) string { return "" }

// identity is the user a server runs as.
type identity struct{}

func (*identity) apply(*exec.Cmd)  {}
func (*identity) own(string) error { return errSystem }

// program and kept are what runs under the keeper.
type program struct {
	who         *identity
	dir, remove string
	out, life   *os.File
	ask, force  string
	argv        []string
}

type kept struct {
	gone chan struct{}
	err  error
}

func (*kept) end() error    { return errSystem }
func (*kept) running() bool { return false }

func unprivileged() (*identity, error)                  { return nil, errSystem }
func tempDir(*identity) (string, error)                 { return "", errSystem }
func keep(program) (*kept, error)                       { return nil, errSystem }
func run(context.Context, program) error                { return errSystem }
func signal(int, StopMode) error                        { return errSystem }
func launch(context.Context, Options) (*process, error) { return nil, errSystem }

func startJanitor(*identity, string) (*os.File, <-chan struct{}, error) { return nil, nil, errSystem }
