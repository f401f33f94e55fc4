package rows

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

var errPanicked = errors.New("panic")

// Source passes on the rows of a COPY. pgx reads them on a goroutine of its own,
// where a panic would end the process, and of their error it returns what the
// server says of it.
type Source struct {
	Rows     pgx.CopyFromSource
	failed   error // of Values
	panicked any
}

// caught keeps what a call of the caller's panicked with.
func (s *Source) caught(v any) {
	if v != nil {
		s.panicked, s.failed = v, errPanicked
	}
}

// Next goes to the next row.
func (s *Source) Next() bool {
	defer func() { s.caught(recover()) }()
	return s.Rows.Next()
}

// Values returns the values of the row.
func (s *Source) Values() (values []any, err error) {
	defer func() {
		s.caught(recover())
		if s.failed != nil {
			err = s.failed
		}
	}()
	values, s.failed = s.Rows.Values()
	return values, s.failed
}

// Err returns the error that ended the rows.
func (s *Source) Err() (err error) {
	defer func() {
		s.caught(recover())
		if s.failed != nil {
			err = s.failed
		}
	}()
	return s.Rows.Err()
}

// Finish returns the error of the COPY, err, after that of the rows where this
// ended it. Where they panicked, it panics with the same value.
func (s *Source) Finish(err error) error {
	if s.panicked != nil {
		panic(s.panicked)
	}
	if err != nil {
		if own := s.Err(); own != nil && !errors.Is(err, own) {
			return fmt.Errorf("%w: %w", own, err)
		}
	}
	return err
}
