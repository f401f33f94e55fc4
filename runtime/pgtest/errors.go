package pgtest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// scriptError names the script and, where the server told it, the line.
func scriptError(s script, err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Position <= 0 {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	line, runes := 1, int(pgErr.Position)-1 // the server counts characters from 1
	for text := s.text; runes > 0 && text != ""; runes-- {
		r, size := utf8.DecodeRuneInString(text)
		if r == '\n' {
			line++
		}
		text = text[size:]
	}
	return fmt.Errorf("%s:%d: %w", s.name, line, err)
}

// noServerError says which places were searched for a server and why none would
// do; cluster, that a server which is there does not help.
type noServerError struct {
	tried   []string
	cluster bool
}

func (e *noServerError) Error() string {
	what := "no PostgreSQL server: set " + EnvURL + ", or install the server; tried:\n\t"
	if e.cluster {
		what = "no PostgreSQL binaries, of which a cluster is started whatever " + EnvURL + " says: install the server, or set " + EnvBinDir + "; tried:\n\t"
	}
	return what + strings.Join(e.tried, "\n\t")
}
