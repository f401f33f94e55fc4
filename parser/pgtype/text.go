package pgtype

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// nameLen is the longest name in bytes (NAMEDATALEN - 1).
const nameLen = 63

// clip cuts s to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// fit cuts s to n characters where only blanks are lost; false otherwise.
func fit(s string, n int) (string, bool) {
	i := 0
	for range n {
		if i == len(s) {
			return s, true
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		i += w
	}
	return s[:i], strings.Trim(s[i:], " ") == ""
}

// varchar applies the length of varchar(n) (varchar_input, varchar.c).
func varchar(s string, mod Typmod) (string, error) {
	if mod < 4 {
		return s, nil
	}
	out, ok := fit(s, int(mod-4))
	if !ok {
		return "", valueError(codeTooLong, "value too long for type character varying(%d)", mod-4)
	}
	return out, nil
}

// bpchar applies the length of char(n), padding with blanks (bpchar_input,
// varchar.c).
func bpchar(s string, mod Typmod) (string, error) {
	if mod < 4 {
		return s, nil
	}
	n := int(mod - 4)
	out, ok := fit(s, n)
	if !ok {
		return "", valueError(codeTooLong, "value too long for type character(%d)", n)
	}
	if have := utf8.RuneCountInString(out); have < n {
		out += strings.Repeat(" ", n-have)
	}
	return out, nil
}

// char reads a "char": one byte, none for the zero byte (charin, char.c).
// \ooo is a byte in octal.
func char(s string) string {
	if len(s) == 4 && s[0] == '\\' && octal(s[1]) && octal(s[2]) && octal(s[3]) {
		s = string([]byte{(s[1]-'0')<<6 | (s[2]-'0')<<3 | (s[3] - '0')})
	}
	if s == "" || s[0] == 0 {
		return ""
	}
	return s[:1]
}

func printChar(s string) string {
	if s != "" && s[0] >= 0x80 {
		return fmt.Sprintf("\\%03o", s[0])
	}
	return s
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

// parseBytea reads the hex and the escape form (byteain, varlena.c).
func parseBytea(s string) (string, error) {
	if strings.HasPrefix(s, `\x`) {
		return parseHex(s[2:])
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && octal(s[i+2]) && octal(s[i+3]):
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
		case i+1 < len(s) && s[i+1] == '\\':
			b.WriteByte('\\')
			i++
		default:
			return "", valueError(codeSyntax, "invalid input syntax for type bytea")
		}
	}
	return b.String(), nil
}

func parseHex(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r' {
			i++
			continue
		}
		hi := digitValue(s[i])
		if hi > 15 {
			return "", badHex(s[i:])
		}
		if i+1 == len(s) {
			return "", valueError(codeParameter, "invalid hexadecimal data: odd number of digits")
		}
		lo := digitValue(s[i+1])
		if lo > 15 {
			return "", badHex(s[i+1:])
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), nil
}

func badHex(s string) error {
	_, w := utf8.DecodeRuneInString(s)
	return valueError(codeParameter, "invalid hexadecimal digit: \"%s\"", s[:w])
}

// parseUUID reads 32 hex digits, a hyphen allowed after each four, braces around
// them allowed (string_to_uuid, uuid.c). The value is 16 bytes.
func parseUUID(text string) (string, error) {
	s := text
	braces := strings.HasPrefix(s, "{")
	if braces {
		s = s[1:]
	}
	var digits [32]byte
	for i := range digits {
		if s == "" || digitValue(s[0]) > 15 {
			return "", syntaxError("uuid", text)
		}
		digits[i], s = s[0], s[1:]
		if i%4 == 3 && i < 31 && strings.HasPrefix(s, "-") {
			s = s[1:]
		}
	}
	if braces {
		if !strings.HasPrefix(s, "}") {
			return "", syntaxError("uuid", text)
		}
		s = s[1:]
	}
	if s != "" {
		return "", syntaxError("uuid", text)
	}
	b, err := hex.DecodeString(string(digits[:]))
	if err != nil {
		return "", syntaxError("uuid", text)
	}
	return string(b), nil
}

func printUUID(s string) string {
	h := hex.EncodeToString([]byte(s))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
