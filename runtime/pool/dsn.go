package pool

import (
	"errors"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// parameters returns what a connection string itself says, environment and
// defaults left out, with the keys and in the two notations of libpq (section
// "Connection Strings" of its documentation). pgx has accepted dsn before, and
// keeps to itself where a value came from; whatever is misread here makes a
// message less precise, and lets nothing through.
func parameters(dsn string) (map[string]string, error) {
	_, rest, isURL := strings.Cut(dsn, "://")
	if !isURL || !strings.HasPrefix(dsn, "postgres") {
		return keywords(dsn), nil
	}
	values := map[string]string{}
	authority, query := rest, ""
	if at := strings.IndexAny(rest, "@/"); at >= 0 && rest[at] == '@' {
		authority = rest[at+1:]
	}
	if mark := queryMark(authority); mark >= 0 {
		authority, query = authority[:mark], authority[mark+1:]
	}
	if strings.Contains(authority, "@") {
		return nil, errors.New("the connection string has an @ behind the host: write a / in a user or password as %2F")
	}
	for _, pair := range strings.Split(query, "&") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if k, err := url.PathUnescape(key); err == nil {
			key = k
		}
		if v, err := url.PathUnescape(value); err == nil {
			value = v
		}
		if key == "ssl" && value == "true" {
			key, value = "sslmode", "require"
		}
		values[key] = value
	}
	return values, nil
}

// queryMark returns where the query of a URL starts: at the first ? that is not
// within the brackets of an IPv6 address. It is negative if there is none.
func queryMark(authority string) int {
	bracket, path := false, false
	for i := range len(authority) {
		switch authority[i] {
		case '[':
			bracket = !path
		case ']':
			bracket = false
		case '/':
			path = path || !bracket
		case '?':
			if !bracket {
				return i
			}
		}
	}
	return -1
}

// keywords reads the notation key=value, with ' around a value that holds
// spaces and \ before a character that is meant as such.
func keywords(dsn string) map[string]string {
	values := map[string]string{}
	rest := strings.TrimSpace(dsn)
	for rest != "" {
		key, behind, ok := strings.Cut(rest, "=")
		if !ok {
			break
		}
		behind = strings.TrimLeft(behind, " \t\r\n\v\f")
		quoted := strings.HasPrefix(behind, "'")
		if quoted {
			behind = behind[1:]
		}
		var value strings.Builder
		i := 0
		for ; i < len(behind); i++ {
			c := behind[i]
			if quoted && c == '\'' {
				i++
				break
			}
			if !quoted && strings.IndexByte(" \t\r\n\v\f", c) >= 0 {
				break
			}
			if c == '\\' && i+1 < len(behind) {
				i++
				c = behind[i]
			}
			value.WriteByte(c)
		}
		values[strings.TrimSpace(key)] = value.String()
		rest = strings.TrimSpace(behind[i:])
	}
	return values
}

// unreadable is pgx's error for a connection string without the string itself
// and without what its syntax errors quote of it: what they take for a port or
// a keyword may be a piece of a password.
func unreadable(err error) error {
	var parse *pgconn.ParseConfigError
	if !errors.As(err, &parse) {
		return err
	}
	text := parse.Error()
	if i := strings.LastIndex(text, "`: "); i >= 0 {
		text = text[i+len("`: "):]
	}
	for _, syntax := range []string{"failed to parse as URL", "failed to parse as keyword/value", "invalid port"} {
		if strings.HasPrefix(text, syntax) {
			text = syntax
		}
	}
	return errors.New("cannot parse the connection string: " + text)
}
