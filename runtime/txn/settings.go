package txn

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Setting is a setting of the server for one transaction: a parameter of the
// server's own or, with a dot in its name, one of the application that
// row-level security reads by current_setting.
type Setting struct{ Name, Value string }

// Set gives a transaction a setting, which ends with it, as set_config(name,
// value, true) does; nothing of it is left on the connection, so it is safe
// behind a pooler in transaction mode. One set later replaces one of the same
// name. The value may come from anywhere, the name must be written in the
// program: it is checked, yet it decides what is set.
//
// All settings travel with BEGIN, in its round trip. For what the options have
// a name of their own (isolation, read only, deferrable), and for the encoding
// that pgx relies on, they are refused.
func Set(name, value string) Option { return Options{Settings: []Setting{{name, value}}} }

// ownSettings are settings that are not to be changed by [Set].
var ownSettings = [...]string{
	"transaction_isolation", "transaction_read_only", "transaction_deferrable",
	"client_encoding", "standard_conforming_strings",
}

// validate refuses what no server would take, and what is not a setting's to
// decide.
func (s Setting) validate() error {
	if !validName(s.Name) {
		return fmt.Errorf("%w: %q is no name of a setting", ErrIncompatibleOptions, s.Name)
	}
	for _, own := range ownSettings {
		if strings.EqualFold(s.Name, own) {
			return fmt.Errorf("%w: %s is not set by a setting", ErrIncompatibleOptions, own)
		}
	}
	if !utf8.ValidString(s.Value) || strings.ContainsRune(s.Value, 0) {
		return fmt.Errorf("%w: the value of %s is not text the server can hold", ErrIncompatibleOptions, s.Name)
	}
	return nil
}

// validName reports whether name is one or more identifiers of ASCII letters,
// digits, _ and $, with dots between them (valid_custom_variable_name, guc.c).
func validName(name string) bool {
	start := true
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		switch {
		case letter:
			start = false
		case c == '.' && !start:
			start = true
		case ('0' <= c && c <= '9' || c == '$') && !start:
		default:
			return false
		}
	}
	return !start
}

// withSettings returns settings and, where they replace them, more; what it is
// given stays as it is.
func withSettings(settings, more []Setting) []Setting {
	if len(more) == 0 {
		return settings
	}
	all := make([]Setting, 0, len(settings)+len(more))
	for _, s := range settings {
		if _, replaced := lookup(more, s.Name); !replaced {
			all = append(all, s)
		}
	}
	for i, s := range more {
		if _, again := lookup(more[i+1:], s.Name); !again {
			all = append(all, s)
		}
	}
	return all
}

// lookup finds a setting by its name, whose case does not matter.
func lookup(settings []Setting, name string) (value string, ok bool) {
	for _, s := range settings {
		if strings.EqualFold(s.Name, name) {
			return s.Value, true
		}
	}
	return "", false
}

// settingsText is the statement that applies n settings, whose names and values
// are its arguments, and then evaluates more. (PostgreSQL evaluates a target list
// from left to right, so more sees what was set.)
func settingsText(n int, more []string) string {
	var sql strings.Builder
	sql.WriteString("SELECT ")
	for i := range n {
		if i > 0 {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "set_config($%d, $%d, true)", 2*i+1, 2*i+2)
	}
	for _, expression := range more {
		sql.WriteString(", " + expression)
	}
	return sql.String()
}

// settingsArgs are the arguments of settingsText.
func settingsArgs(settings []Setting) []any {
	if len(settings) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(settings))
	for _, s := range settings {
		args = append(args, s.Name, s.Value)
	}
	return args
}

// listSettings are those whose value is a list of names: SET takes each as a
// literal of its own, where set_config takes the list as text
// (flatten_set_variable_args, guc_funcs.c; GUC_LIST_QUOTE).
var listSettings = [...]string{"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}

// setLocal is the statement that does what set_config does without a SELECT, which
// would take the snapshot that repeatable read and serializable keep. It has no
// parameters.
func setLocal(s Setting) string {
	var sql strings.Builder
	sql.WriteString(`SET LOCAL "`)
	sql.WriteString(strings.ReplaceAll(s.Name, ".", `"."`)) // reserved words are names too
	sql.WriteString(`" = `)
	for _, list := range listSettings {
		if !strings.EqualFold(s.Name, list) {
			continue
		}
		if names, ok := splitNames(s.Value); ok {
			for i, name := range names {
				if i > 0 {
					sql.WriteString(", ")
				}
				sql.WriteString(literal(name))
			}
			return sql.String()
		}
	}
	sql.WriteString(literal(s.Value))
	return sql.String()
}

// splitNames reads a list of identifiers as the server does
// (SplitIdentifierString, varlena.c); false if it is none.
func splitNames(list string) (names []string, ok bool) {
	const space = " \t\n\r\f\v"
	rest := strings.Trim(list, space)
	for rest != "" {
		var name string
		if strings.HasPrefix(rest, `"`) {
			var text strings.Builder
			for rest = rest[1:]; ; rest = rest[1:] {
				end := strings.IndexByte(rest, '"')
				if end < 0 {
					return nil, false
				}
				text.WriteString(rest[:end])
				rest = rest[end+1:]
				if !strings.HasPrefix(rest, `"`) {
					break
				}
				text.WriteByte('"')
			}
			name = text.String()
		} else {
			end := strings.IndexAny(rest, ","+space)
			if end < 0 {
				end = len(rest)
			}
			name, rest = strings.ToLower(rest[:end]), rest[end:]
		}
		if name == "" {
			return nil, false
		}
		names = append(names, name)
		rest = strings.TrimLeft(rest, space)
		if rest == "" {
			return names, true
		}
		if rest[0] != ',' {
			return nil, false
		}
		if rest = strings.TrimLeft(rest[1:], space); rest == "" {
			return nil, false
		}
	}
	return nil, false
}

// literal quotes text for SQL. It is of ASCII alone and means the same whatever
// standard_conforming_strings and the encodings of client and server are.
func literal(text string) string {
	plain := true
	for _, c := range []byte(text) {
		plain = plain && c >= ' ' && c < 0x7f && c != '\\'
	}
	var sql strings.Builder
	if !plain {
		sql.WriteByte('E')
	}
	sql.WriteByte('\'')
	for _, c := range text {
		switch {
		case c == '\'':
			sql.WriteString("''")
		case c == '\\':
			sql.WriteString(`\\`)
		case c >= ' ' && c < 0x7f:
			sql.WriteByte(byte(c))
		case c <= 0xffff:
			fmt.Fprintf(&sql, `\u%04X`, c)
		default:
			fmt.Fprintf(&sql, `\U%08X`, c)
		}
	}
	sql.WriteByte('\'')
	return sql.String()
}
