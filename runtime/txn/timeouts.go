package txn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// serverTimeouts bounds the transaction on the server, in milliseconds, where
// nothing stricter is set. PostgreSQL 17 has a setting for it; before that a
// transaction is bounded by its statements and its pauses. Where the version is
// not known (0) the server decides, which takes it longer.
//
// It is an expression; the SELECT around it takes a snapshot, which repeatable
// read and serializable keep; for them there is queueTimeouts.
func serverTimeouts(milliseconds string, major int) string {
	bound := func(name string) string {
		return `CASE WHEN current_setting('` + name + `', true) = '0' OR current_setting('` + name + `', true)::interval > '` + milliseconds +
			`ms' THEN set_config('` + name + `', '` + milliseconds + `', true) END`
	}
	switch whole, parts := bound("transaction_timeout"), bound(timeoutSettings[0])+", "+bound(timeoutSettings[1]); {
	case major >= 17:
		return whole
	case major > 0:
		return "concat(" + parts + ")"
	default:
		return "CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN " + whole + " ELSE concat(" + parts + ") END"
	}
}

// majorVersion is that of the server, from its server_version ("17.4 (Debian …)",
// "18beta1"); 0 if it is not to be read.
func majorVersion(version string) int {
	end := 0
	for end < len(version) && '0' <= version[end] && version[end] <= '9' {
		end++
	}
	major, _ := strconv.Atoi(version[:end])
	return major
}

// timeoutSettings are the settings that every supported server has.
var timeoutSettings = [...]string{"statement_timeout", "idle_in_transaction_session_timeout"}

// longestTimeout is what the server can count, in milliseconds of 32 bits, less
// the grace.
const longestTimeout = math.MaxInt32*time.Millisecond - serverGrace

// queueTimeouts does the same by SHOW and SET alone, which take no snapshot: it
// is the caller's first statement that does, so that LOCK TABLE before it shows
// what others committed until then, and SET TRANSACTION SNAPSHOT is possible.
// They cannot compare, so before gets what was set.
func queueTimeouts(batch *pgx.Batch, limit time.Duration, before *[len(timeoutSettings)]string) {
	for i, name := range timeoutSettings {
		batch.Queue("SHOW " + name).QueryRow(func(row pgx.Row) error { return row.Scan(&before[i]) })
		batch.Queue("SET LOCAL " + name + " = " + strconv.FormatInt(limit.Milliseconds(), 10))
	}
}

// restoreStricter takes back what queueTimeouts loosened.
func restoreStricter(ctx context.Context, tx pgx.Tx, limit time.Duration, before [len(timeoutSettings)]string) error {
	var sql []string
	for i, text := range before {
		if text == "" {
			continue
		}
		was, err := parseSetting(text)
		if err != nil {
			return fmt.Errorf("%s is %q: %w", timeoutSettings[i], text, err)
		}
		if was > 0 && was < limit {
			sql = append(sql, fmt.Sprintf("SET LOCAL %s = %d", timeoutSettings[i], was.Milliseconds()))
		}
	}
	if sql == nil {
		return nil
	}
	_, err := tx.Exec(ctx, strings.Join(sql, "; "), pgx.QueryExecModeSimpleProtocol)
	return err
}

// parseSetting reads a time as SHOW gives it: a whole number and the largest
// unit in which it is one (convert_int_from_base_unit, guc.c).
func parseSetting(text string) (time.Duration, error) {
	digits := strings.TrimRight(text, "adhimns")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, err
	}
	switch text[len(digits):] {
	case "ms", "":
		return time.Duration(n) * time.Millisecond, nil
	case "s":
		return time.Duration(n) * time.Second, nil
	case "min":
		return time.Duration(n) * time.Minute, nil
	case "h":
		return time.Duration(n) * time.Hour, nil
	case "d":
		return time.Duration(n) * 24 * time.Hour, nil
	}
	return 0, errors.New("unknown unit")
}
