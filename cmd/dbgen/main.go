// Command dbgen turns annotated SQL into typed Go repositories and says, with
// no database, what each query will cost.
package main

import (
	"os"
	"runtime/debug"

	"github.com/dbgen/dbgen/cmd/dbgen/internal/cli"
)

// collectAt is the garbage collector's target, in percent. A run is short and most
// of what it makes lives to its end: to collect as often as a server does would
// take a quarter of its time.
const collectAt = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	os.Exit(cli.Main(os.Args[1:], cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
