package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// binaries returns the folder of the server's binaries; they are fetched where
// the machine has none and none are named.
func binaries(ctx context.Context, who *identity, named string) (string, error) {
	bin, tried := findBinaries(ctx, who, named)
	if bin == "" && named == "" && os.Getenv(EnvBinDir) == "" {
		var err error
		if bin, err = fetchBinaries(); err == nil {
			err = tryBinaries(ctx, who, bin)
		}
		if err != nil {
			bin, tried = "", append(tried, "embedded-postgres: "+err.Error())
		}
	}
	if bin == "" {
		return "", &noServerError{tried: tried}
	}
	return bin, nil
}

// socketURL leads to the servers with sockets in the folders given.
func socketURL(dirs ...string) string {
	return "postgres://postgres@/postgres?" + url.Values{"host": {strings.Join(dirs, ",")}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
}

// initdb makes the cluster, with C.UTF-8 where the machine has it and C
// elsewhere: both sort by code point, so results agree between machines.
func initdb(ctx context.Context, w *workshop, bin, data string, more ...string) error {
	var last error
	for _, locale := range [...]string{"C.UTF-8", "C"} {
		out, err := os.CreateTemp(w.dir, "initdb-")
		if err != nil {
			return err
		}
		defer out.Close()
		err = w.run(ctx, out, append([]string{
			filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust",
			"-E", "UTF8", "--locale=" + locale, "--no-sync", "--no-instructions",
		}, more...)...)
		if err == nil {
			return os.Remove(out.Name())
		}
		last = fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(tail(out, 0)))
		if err := os.RemoveAll(data); err != nil {
			return err
		}
	}
	return last
}

// serverEnv is our environment without what would steer PostgreSQL or its
// locale.
func serverEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") && !strings.HasPrefix(entry, "LC_") && !strings.HasPrefix(entry, "LANG") {
			env = append(env, entry)
		}
	}
	return append(env, "LC_ALL=C")
}

func waitReady(ctx context.Context, dsn string, gone <-chan struct{}) error {
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-gone:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func postmasterPID(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// tail returns a log from an offset on, at most its last 64 KiB.
func tail(log *os.File, offset int64) string {
	if log == nil {
		return ""
	}
	info, err := log.Stat()
	if err != nil {
		return ""
	}
	offset = max(offset, info.Size()-64<<10)
	text, err := io.ReadAll(io.NewSectionReader(log, offset, info.Size()-offset))
	if err != nil {
		return ""
	}
	return string(text)
}
