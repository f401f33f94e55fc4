package runtime

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// pgx quotes a value where it cannot send or read one. What follows tells of it
// without.

// withoutArgument is the text of err less the argument in it that pgx could not
// encode: "unable to encode <value> into binary format for int4 (OID 23):
// <reason>", of which the reason may quote it too. In a COPY it is the server
// that repeats this.
func withoutArgument(err error) string {
	text := err.Error()
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if before, _, ok := strings.Cut(pg.Message, ": unable to encode "); ok && abandonedCopy(pg) {
			text = strings.ReplaceAll(text, pg.Message, before+": unable to encode a value")
		}
	}
	refused := find(err, func(err error) bool { return strings.HasPrefix(err.Error(), "unable to encode ") })
	if refused == nil {
		return text
	}
	said, shown := refused.Error(), "unable to encode the argument"
	if reason := errors.Unwrap(refused); reason != nil {
		said := strings.TrimSuffix(said, ": "+reason.Error())
		if into := strings.LastIndex(said, " into "); into >= 0 {
			shown += said[into:]
		}
	}
	return strings.Replace(text, said, shown, 1)
}

// find returns the first error of a tree for which is holds; nil if there is none.
func find(err error, is func(error) bool) error {
	if is(err) {
		return err
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return find(inner, is)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if found := find(inner, is); found != nil {
				return found
			}
		}
	}
	return nil
}

// unreadable is what pgx says of a value that a Go type cannot hold.
type unreadable struct {
	err  error
	into any // a pointer to it
}

func (e *unreadable) Error() string {
	text := e.err.Error()
	if strings.HasPrefix(text, "cannot scan ") && (strings.Contains(text, " (OID ") || strings.HasPrefix(text, "cannot scan NULL ")) {
		return text // it is the types that do not fit
	}
	return fmt.Sprintf("the value is none that %s can hold", strings.TrimPrefix(fmt.Sprintf("%T", e.into), "*"))
}

func (e *unreadable) Unwrap() error { return e.err }
