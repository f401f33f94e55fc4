package pgtype

// tokenKind says what a field of a date or time input looks like (the DTK
// values of ParseDateTime, datetime.c).
type tokenKind uint8

const (
	tokNumber  tokenKind = iota // digits, with at most a point
	tokDate                     // digits and delimiters, or with letters; a zone with punctuation
	tokTime                     // digits with colons
	tokString                   // letters
	tokSpecial                  // a sign and letters
	tokZone                     // a sign and digits
)

// token is a field of a date or time input.
type token struct {
	kind tokenKind
	text string // in lower case
	orig string
}

// tokens cuts the input into fields (ParseDateTime, datetime.c). ok is false for
// characters that no field has.
func tokens(s string) (out []token, ok bool) {
	i := 0
	at := func(k int) byte {
		if k < len(s) {
			return s[k]
		}
		return 0
	}
	digits := func() {
		for isDigit(at(i)) {
			i++
		}
	}
	letters := func() {
		for isAlpha(at(i)) {
			i++
		}
	}
	for i < len(s) {
		c := s[i]
		if isSpace(c) {
			i++
			continue
		}
		if len(out) == maxFields {
			return nil, false
		}
		start, kind, prefix := i, tokNumber, ""
		switch {
		case isDigit(c):
			kind = numberToken(s, &i)
		case c == '.':
			i++
			digits()
		case isAlpha(c):
			kind = tokString
			letters()
			next := at(i)
			_, _, known := dateWord(lower(s[start:i]))
			if next == '-' || next == '/' || next == '.' || (next == '+' || isDigit(next)) && !known {
				kind = tokDate
				for c := at(i); isAlpha(c) || isDigit(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':'; c = at(i) {
					i++
				}
			}
		case c == '+' || c == '-':
			prefix = string(c)
			for i++; isSpace(at(i)); {
				i++
			}
			start = i
			switch {
			case isDigit(at(i)):
				kind = tokZone
				for c := at(i); isDigit(c) || c == ':' || c == '.' || c == '-'; c = at(i) {
					i++
				}
			case isAlpha(at(i)):
				kind = tokSpecial
				letters()
			default:
				return nil, false
			}
		case c > ' ' && c < 0x7f:
			i++
			continue
		default:
			return nil, false
		}
		text := prefix + s[start:i]
		out = append(out, token{kind: kind, text: lower(text), orig: text})
	}
	return out, true
}

// maxFields is the most fields an input has (MAXDATEFIELDS).
const maxFields = 25

// numberToken moves *i behind a field that starts with a digit.
func numberToken(s string, i *int) tokenKind {
	at := func() byte {
		if *i < len(s) {
			return s[*i]
		}
		return 0
	}
	digits := func() {
		for isDigit(at()) {
			*i++
		}
	}
	digits()
	delim := at()
	switch delim {
	case ':':
		for c := at(); isDigit(c) || c == ':' || c == '.'; c = at() {
			*i++
		}
		return tokTime
	case '-', '/', '.':
		*i++
		if !isDigit(at()) {
			for c := at(); isAlpha(c) || isDigit(c) || c == delim; c = at() {
				*i++
			}
			return tokDate
		}
		digits()
		if at() == delim {
			for c := at(); isDigit(c) || c == delim; c = at() {
				*i++
			}
			return tokDate
		}
		if delim != '.' {
			return tokDate
		}
	}
	return tokNumber
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// wordKind says what a word in a date or time input does.
type wordKind uint8

const (
	wordNone wordKind = iota
	wordIgnore
	wordReserved
	wordMonth
	wordWeekday
	wordMeridian
	wordEra
	wordUnit
	wordISOTime
	wordDST
	wordAgo
)

// Values of reserved words, eras and units.
const (
	valNow = iota + 1
	valToday
	valTomorrow
	valYesterday
	valZulu
	valEpoch
	valLate
	valEarly
	valAD
	valBC
	valAM
	valPM
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitQuarter
	unitYear
	unitDecade
	unitCentury
	unitMillennium
	unitJulian
	unitTime
	unitOther
)

// key is a word as it is looked up: its first ten characters (TOKMAXLEN).
func key(w string) string {
	if len(w) > 10 {
		return w[:10]
	}
	return w
}

// dateWord looks a word up among those of dates and times (datetktbl,
// datetime.c).
func dateWord(w string) (kind wordKind, val int, ok bool) {
	switch key(w) {
	case "jan", "january":
		return wordMonth, 1, true
	case "feb", "february":
		return wordMonth, 2, true
	case "mar", "march":
		return wordMonth, 3, true
	case "apr", "april":
		return wordMonth, 4, true
	case "may":
		return wordMonth, 5, true
	case "jun", "june":
		return wordMonth, 6, true
	case "jul", "july":
		return wordMonth, 7, true
	case "aug", "august":
		return wordMonth, 8, true
	case "sep", "sept", "september":
		return wordMonth, 9, true
	case "oct", "october":
		return wordMonth, 10, true
	case "nov", "november":
		return wordMonth, 11, true
	case "dec", "december":
		return wordMonth, 12, true
	case "sun", "sunday", "mon", "monday", "tue", "tues", "tuesday", "wed", "wednesday", "weds",
		"thu", "thur", "thurs", "thursday", "fri", "friday", "sat", "saturday":
		return wordWeekday, 0, true
	case "at", "on":
		return wordIgnore, 0, true
	case "am":
		return wordMeridian, valAM, true
	case "pm":
		return wordMeridian, valPM, true
	case "ad":
		return wordEra, valAD, true
	case "bc":
		return wordEra, valBC, true
	case "now":
		return wordReserved, valNow, true
	case "today":
		return wordReserved, valToday, true
	case "tomorrow":
		return wordReserved, valTomorrow, true
	case "yesterday":
		return wordReserved, valYesterday, true
	case "allballs":
		return wordReserved, valZulu, true
	case "epoch":
		return wordReserved, valEpoch, true
	case "infinity", "+infinity":
		return wordReserved, valLate, true
	case "-infinity":
		return wordReserved, valEarly, true
	case "t":
		return wordISOTime, unitTime, true
	case "j", "jd", "julian":
		return wordUnit, unitJulian, true
	case "d", "dow", "doy", "h", "isodow", "isoyear", "m", "mm", "s", "y":
		return wordUnit, unitOther, true
	case "dst":
		return wordDST, 3600, true
	}
	return wordNone, 0, false
}

// unitWord looks a word up among the units of intervals (deltatktbl,
// datetime.c).
func unitWord(w string) (kind wordKind, val int) {
	switch key(w) {
	case "ago":
		return wordAgo, 0
	case "us", "usec", "usecs", "useconds", "microsecon":
		return wordUnit, unitMicrosecond
	case "ms", "msec", "msecs", "mseconds", "millisecon":
		return wordUnit, unitMillisecond
	case "s", "sec", "secs", "second", "seconds":
		return wordUnit, unitSecond
	case "m", "min", "mins", "minute", "minutes":
		return wordUnit, unitMinute
	case "h", "hr", "hrs", "hour", "hours":
		return wordUnit, unitHour
	case "d", "day", "days":
		return wordUnit, unitDay
	case "w", "week", "weeks":
		return wordUnit, unitWeek
	case "mon", "mons", "month", "months":
		return wordUnit, unitMonth
	case "qtr", "quarter":
		return wordUnit, unitQuarter
	case "y", "yr", "yrs", "year", "years":
		return wordUnit, unitYear
	case "dec", "decs", "decade", "decades":
		return wordUnit, unitDecade
	case "c", "cent", "century", "centuries":
		return wordUnit, unitCentury
	case "mil", "mils", "millennium", "millennia":
		return wordUnit, unitMillennium
	case "timezone", "timezone_h", "timezone_m":
		return wordUnit, unitOther
	}
	return wordNone, 0
}
