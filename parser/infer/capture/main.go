// Command capture writes the file that says which of the server's functions never
// return NULL, from evidence of two kinds: the C source, where a function that
// never sets isnull in its call data cannot return one, and trials on live servers,
// where one NULL for arguments that are not is proof against.
//
//	go run ./parser/infer/capture --source postgresql-15.18,postgresql-17.11 \
//	  --database-url postgres://localhost:5415/postgres,postgres://localhost:5418/postgres
//
// It is run from the root of the module. A function stands in the file if no source
// tree that has it and no server speaks against it. What a trial contradicts is
// printed: the reading of the source is wrong there.
//
// The package imports nothing of dbgen.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"

	"github.com/jackc/pgx/v5"
)

func main() {
	trees := flag.String("source", "", "source trees, separated by commas")
	urls := flag.String("database-url", "", "connection strings of servers, separated by commas")
	root := flag.String("root", ".", "root folder of the module")
	flag.Parse()
	if *trees == "" || *urls == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	text, err := run(ctx, strings.Split(*trees, ","), strings.Split(*urls, ","))
	if err == nil {
		err = os.WriteFile(filepath.Join(*root, "parser", "infer", "data", "functions.tsv"), []byte(text), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(2) //nolint:gocritic // the signal handler ends with the process
	}
}

// facts are the lines of the file by name: kind, module and class.
type facts map[string]string

// run works out the text of the file.
func run(ctx context.Context, trees, urls []string) (string, error) {
	var sources []*source
	for _, t := range trees {
		s, err := readSource(strings.TrimRight(t, "/"))
		if err != nil {
			return "", err
		}
		sources = append(sources, s)
	}
	good, against := facts{}, map[string]bool{}
	for _, url := range urls {
		if err := server(ctx, url, sources, good, against); err != nil {
			return "", err
		}
	}
	extensions(sources, good)
	var lines []string
	for key, class := range good {
		if !against[key] {
			lines = append(lines, key+"\t"+class)
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n") + "\n", nil
}

// server adds what the functions of one server give, and what speaks against it.
func server(ctx context.Context, url string, sources []*source, good facts, against map[string]bool) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing is kept
	for _, q := range []string{prober, runner} {
		if _, err := conn.Exec(ctx, q); err != nil {
			return err
		}
	}
	list, err := readRoutines(ctx, conn)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SET statement_timeout = '300ms'"); err != nil {
		return err
	}
	grid := samples()
	for _, r := range list {
		key, class := "", ""
		switch {
		case r.kind == "a":
			key = "aggregate\t" + r.signature
			class, err = aggregateClass(ctx, conn, r, grid, r.ordered, r.direct)
			if err != nil {
				return err
			}
			if class == "" {
				against[key] = true
			}
			// The weakest of the versions' classes holds.
			if old, ok := good[key]; ok && class != "" && strength(old) < strength(class) {
				class = old
			}
		case r.language == "sql":
			key = "sql\t" + r.signature
			if reviewedSQL()[r.signature] {
				class = "value"
			}
		case r.language == "internal" && r.set:
			key = "rows\t" + r.source
			class = reviewedRows()[r.source]
			if class == "" && !r.composite {
				class = rowsClass(sources, r.source)
			}
		case r.language == "internal":
			key = "function\t" + r.source
			class = className(verdictOf(sources, r.source))
		}
		if class == "" {
			continue
		}
		if r.kind == "f" && r.callable() && !r.composite {
			call, err := nullCall(ctx, conn, r, grid)
			if err != nil {
				return err
			}
			if call != "" {
				fmt.Fprintf(os.Stderr, "%s gives NULL, which its source does not: %s\n", r.signature, call)
				against[key] = true
			}
		}
		good[key] = class
	}
	return nil
}

func strength(class string) int {
	return map[string]int{aggAlways: 3, aggRow: 2, aggValue: 1}[class]
}

// verdictOf is the worst of the source trees' verdicts on a function; a tree that
// does not have it says nothing.
func verdictOf(sources []*source, name string) verdict {
	v, found := neverNull, false
	for _, s := range sources {
		if len(s.funcs[name]) > 0 {
			v, found = min(v, s.judge(name, "")), true
		}
	}
	if !found {
		return unknown
	}
	return v
}

// className is a verdict as the file has it.
func className(v verdict) string {
	switch v {
	case guarded:
		return "value"
	case neverNull:
		return "never"
	}
	return ""
}

// extensions adds the C functions of the server's contrib folder.
func extensions(sources []*source, good facts) {
	names := map[string]string{}
	for _, s := range sources {
		for name, list := range s.funcs {
			for _, f := range list {
				if rest, ok := strings.CutPrefix(f.file, "contrib/"); ok && strings.Contains(f.params, "PG_FUNCTION_ARGS") {
					names[name], _, _ = strings.Cut(rest, "/")
				}
			}
		}
	}
	for name, module := range names {
		if class := className(verdictOf(sources, name)); class != "" {
			good["extension\t"+module+":"+name] = class
		}
	}
}
