// Package naming turns the names of SQL into those of Go: exported and
// unexported identifiers with Go's initialisms, singular names for the structs
// of tables, file and repository names, and a [Scope] that gives no name twice.
//
// All functions are pure; the same input gives the same name on every run.
//
// The package imports nothing of dbgen.
package naming

import (
	"go/token"
	"strings"
	"unicode"
)

// initialisms are the words that Go writes in capitals. Those of the linters of
// the Go project, and the ones that databases use besides.
const initialisms = " ACL API ASCII CPU CSS CSV DB DNS EAN EOF FTP GTIN GUID HTML HTTP HTTPS IBAN ID IP ISBN ISSN JSON JWT " +
	"LHS MD5 OS PDF PIN QPS RAM RHS RPC SHA SKU SLA SMS SMTP SQL SSH SSN TCP TLS TTL UDP UI UID URI URL UTC UTF8 UUID VAT VIN VM " +
	"XML XMPP XSRF XSS ZIP "

func isInitialism(upper string) bool {
	return upper != "" && strings.Contains(initialisms, " "+upper+" ")
}

// Words divides a name at everything that is no letter or digit, and where a
// capital follows a small letter: `customer_id` and `customerId` are the same
// two words. A run of capitals stays together, but for the last one in front of
// a small letter.
func Words(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			flush()
			continue
		}
		if unicode.IsUpper(r) && i > 0 {
			before := runes[i-1]
			after := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(before) || unicode.IsDigit(before) || unicode.IsUpper(before) && after {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return words
}

// capital writes a word with a capital first letter, an initialism in capitals
// (`ids` is IDs).
func capital(word string) string {
	upper := strings.ToUpper(word)
	if isInitialism(upper) {
		return upper
	}
	// Digits behind one belong to it: isbn13 is ISBN13.
	if s := strings.TrimRight(upper, "0123456789"); s != upper && len(s) > 2 && isInitialism(s) {
		return upper
	}
	if s := strings.TrimSuffix(upper, "S"); s != upper && isInitialism(s) && len(s) > 1 {
		return s + "s"
	}
	lower := []rune(strings.ToLower(word))
	lower[0] = unicode.ToUpper(lower[0])
	return string(lower)
}

// Exported is a name as an exported identifier: `customer_id` is CustomerID. A
// name that has no capital to begin with (a digit, a letter of a script without
// case, nothing at all) gets an X in front.
func Exported(name string) string {
	var b strings.Builder
	for _, w := range Words(name) {
		// Two digits side by side would read as one number: v1_2 is not v12.
		if s := b.String(); s != "" && unicode.IsDigit(rune(s[len(s)-1])) && unicode.IsDigit([]rune(w)[0]) {
			b.WriteByte('_')
		}
		b.WriteString(capital(w))
	}
	s := b.String()
	if s == "" || !unicode.IsUpper([]rune(s)[0]) {
		return "X" + s
	}
	return s
}

// Unexported is a name as an unexported identifier: `customer_id` is
// customerID, `id` is id, `url_path` urlPath. It may be a reserved word; see
// [Local].
func Unexported(name string) string {
	words := Words(name)
	if len(words) == 0 {
		return "x"
	}
	rest := ""
	if len(words) > 1 {
		rest = strings.TrimPrefix(Exported("a_"+strings.Join(words[1:], "_")), "A")
	}
	first := strings.ToLower(words[0])
	if unicode.IsDigit([]rune(first)[0]) {
		first = "x" + first
	}
	if rest != "" && unicode.IsDigit([]rune(rest)[0]) && unicode.IsDigit(rune(first[len(first)-1])) {
		rest = "_" + rest
	}
	return first + rest
}

// Lower gives an exported identifier its unexported form: GetAuthor is
// getAuthor, IDsOfAuthors idsOfAuthors, URL url.
func Lower(exported string) string {
	runes := []rune(exported)
	n := 0
	for n < len(runes) && unicode.IsUpper(runes[n]) {
		n++
	}
	switch {
	case n == 0:
		return exported
	case n == len(runes):
	case n > 1 && strings.HasPrefix(string(runes[n:]), "s") && isInitialism(string(runes[:n])):
	case n > 1 && unicode.IsLetter(runes[n]):
		n--
	}
	return strings.ToLower(string(runes[:n])) + string(runes[n:])
}

// Local is a name as that of a function's parameter: [Unexported], with Arg
// behind it where that is a word of Go, a predeclared identifier, or one of
// taken.
func Local(name string, taken ...string) string {
	s := Unexported(name)
	if token.IsKeyword(s) || predeclared(s) {
		return s + "Arg"
	}
	for _, t := range taken {
		if s == t {
			return s + "Arg"
		}
	}
	return s
}

// predeclared reports whether s is an identifier of Go's universe block.
func predeclared(s string) bool {
	return strings.Contains(" any append bool byte cap clear close comparable complex complex128 complex64 copy delete error false "+
		"float32 float64 imag int int16 int32 int64 int8 iota len make max min new nil panic print println real recover rune "+
		"string true uint uint16 uint32 uint64 uint8 uintptr ", " "+s+" ")
}
