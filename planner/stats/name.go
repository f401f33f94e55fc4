package stats

import (
	"fmt"
	"strings"
)

// BlockSize is the size in bytes of a page that the planner's formulas assume.
const BlockSize = 8192

// Name returns the key of a relation in a [File]: schema and name with a dot
// between them, in double quotes where a part has a dot or quote of its own.
func Name(schema, name string) string {
	return part(schema) + "." + part(name)
}

func part(s string) string {
	if s != "" && !strings.ContainsAny(s, `."`) {
		return s
	}
	return QuoteIdent(s)
}

// QuoteIdent returns s as an SQL identifier, always in double quotes.
func QuoteIdent(s string) string {
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// ParseName is the other way of [Name]; schema is "" in a bare name. Letters
// stay as they are: Name and ParseName do not fold upper case. The error says
// what is wrong with the key.
func ParseName(key string) (schema, name string, err error) {
	first, rest, err := cutPart(key)
	if err != nil {
		return "", "", err
	}
	if rest == "" {
		return "", first, nil
	}
	second, rest, err := cutPart(rest[1:])
	if err != nil {
		return "", "", err
	}
	if rest != "" {
		return "", "", fmt.Errorf("%q has more parts than schema and name", key)
	}
	return first, second, nil
}

// cutPart takes the first part off; the rest begins with the dot.
func cutPart(s string) (part, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexByte(s, '.')
		if i < 0 {
			i = len(s)
		}
		if i == 0 {
			return "", "", fmt.Errorf("an empty name")
		}
		if strings.Contains(s[:i], `"`) {
			return "", "", fmt.Errorf("a quote within the name %q", s[:i])
		}
		return s[:i], s[i:], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		if rest := s[i+1:]; b.Len() > 0 && (rest == "" || rest[0] == '.') {
			return b.String(), rest, nil
		}
		break
	}
	return "", "", fmt.Errorf("the quotes in %s do not enclose a name", s)
}
