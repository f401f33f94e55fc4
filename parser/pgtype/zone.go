package pgtype

import (
	_ "embed"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine
)

// abbreviations are the zone abbreviations that have always meant the same: a
// line each with the name in lower case, the seconds east of UTC, and t for
// summer time; captured from pg_timezone_abbrevs.
//
//go:embed abbreviations.tsv
var abbreviations string

// abbreviation looks up a zone's abbreviation.
func abbreviation(word string) (east int, ok bool) {
	i := strings.Index(abbreviations, "\n"+word+"\t")
	if i < 0 {
		return 0, false
	}
	fields := strings.SplitN(abbreviations[i+1:], "\t", 3)
	east, err := strconv.Atoi(fields[1])
	return east, err == nil
}

// zoneByName returns a zone of the tz database, in whatever case its name is
// written, or one given as POSIX does, such as GMT-8 for eight hours east
// (pg_tzset, pgtz.c).
func zoneByName(name string) (*time.Location, bool) {
	lowered := lower(name)
	switch lowered {
	case "utc", "gmt", "zulu", "uct", "etc/utc", "etc/gmt", "universal", "greenwich":
		return time.UTC, true
	case "local", "":
		return nil, false
	}
	small := map[string]string{"Au": "au", "Of": "of", "Es": "es", "In": "in"}
	title := titled(lowered)
	words := strings.Split(title, "-")
	for i, w := range words {
		if s, ok := small[w]; ok {
			words[i] = s
		}
	}
	candidates := []string{name, title, strings.Join(words, "-"), strings.ToUpper(lowered)}
	if head, tail, ok := strings.Cut(title, "/"); ok {
		candidates = append(candidates, head+"/"+strings.ToUpper(tail))
		if strings.HasPrefix(tail, "Mc") {
			candidates = append(candidates, head+"/Mc"+titled(tail[2:]))
		}
	}
	for _, c := range candidates {
		if loc, err := time.LoadLocation(c); err == nil {
			return loc, true
		}
	}
	return posixZone(lowered)
}

// titled writes the words of a name with a capital.
func titled(s string) string {
	b := []byte(s)
	for i := range b {
		if (i == 0 || !isAlpha(b[i-1])) && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// posixZone reads a zone such as abc-3:30, without rules for summer time.
func posixZone(s string) (*time.Location, bool) {
	i := 0
	for i < len(s) && isAlpha(s[i]) {
		i++
	}
	if i < 3 || i == len(s) {
		return nil, false
	}
	east := -1
	rest := s[i:]
	switch rest[0] {
	case '-':
		east, rest = 1, rest[1:]
	case '+':
		rest = rest[1:]
	}
	total, unit := 0, 3600
	for n, p := range strings.Split(rest, ":") {
		v, err := strconv.Atoi(p)
		if err != nil || len(p) > 2 || n > 2 || n == 0 && v > 24 || n > 0 && v > 59 || !isDigit(p[0]) {
			return nil, false
		}
		total += v * unit
		unit /= 60
	}
	return time.FixedZone(s[:i], east*total), true
}

// Zone returns the time zone that a setting TimeZone names, in any case; ok is
// false for an unknown one.
func Zone(name string) (loc *time.Location, ok bool) { return zoneByName(name) }
