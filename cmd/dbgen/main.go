// Command dbgen turns annotated SQL into typed Go repositories and says, with
// no database, what each query will cost.
package main

import (
	"os"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
