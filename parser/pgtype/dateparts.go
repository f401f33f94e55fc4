package pgtype

import (
	"math"
	"strconv"
	"strings"
)

// date reads a field with delimiters: 2001-02-03, 3.2.2001, 3-feb-2001
// (DecodeDate, datetime.c).
func (d *decoder) date(s string) (mask, fault) {
	var parts []string
	for i := 0; i < len(s) && len(parts) < maxFields; {
		for i < len(s) && !isDigit(s[i]) && !isAlpha(s[i]) {
			i++
		}
		if i == len(s) {
			return 0, faultFormat
		}
		start := i
		if isDigit(s[i]) {
			for i < len(s) && isDigit(s[i]) {
				i++
			}
		} else {
			for i < len(s) && isAlpha(s[i]) {
				i++
			}
		}
		parts = append(parts, s[start:i])
		if i < len(s) {
			// Whatever ends a part is dropped, a letter behind digits too.
			i++
		}
	}
	seen := d.seen
	var all mask
	text := false
	for k, p := range parts {
		if !isAlpha(p[0]) {
			continue
		}
		kind, val, _ := dateWord(p)
		if kind == wordIgnore {
			parts[k] = ""
			continue
		}
		if kind != wordMonth || seen&hasMonth != 0 {
			return 0, faultFormat
		}
		d.month, text = val, true
		seen |= hasMonth
		all |= hasMonth
		parts[k] = ""
	}
	old := d.textMonth
	d.textMonth = text
	defer func() { d.textMonth = old }()
	for _, p := range parts {
		if p == "" {
			continue
		}
		found, f := d.number(p, seen)
		if f != faultNone {
			return 0, f
		}
		if found&seen != 0 {
			return 0, faultFormat
		}
		seen |= found
		all |= found
	}
	if seen&^(hasDOY|hasZone) != hasDate {
		return 0, faultFormat
	}
	return all, faultNone
}

// number reads a single number by what has been seen (DecodeNumber, datetime.c).
func (d *decoder) number(s string, seen mask) (mask, fault) {
	k := 0
	for k < len(s) && isDigit(s[k]) {
		k++
	}
	if k == 0 {
		return 0, faultFormat
	}
	n64, err := strconv.ParseInt(s[:k], 10, 32)
	if err != nil {
		return 0, faultField
	}
	n := int(n64)
	switch {
	case k < len(s) && s[k] == '.':
		if k > 2 {
			return d.concatenated(s, seen|hasDate)
		}
		frac, ok := parseFraction(s[k:])
		if !ok {
			return 0, faultFormat
		}
		d.usec = int64(math.RoundToEven(frac * 1000000))
	case k < len(s):
		return 0, faultFormat
	}
	if len(s) == 3 && seen&hasDate == hasYear && n >= 1 && n <= 366 {
		d.yday = n
		return hasDOY | hasMonth | hasDay, faultNone
	}
	var found mask
	long := len(s) >= 3
	switch seen & hasDate {
	case 0:
		switch {
		case long || d.env.Order == YMD:
			found, d.year = hasYear, n
		case d.env.Order == DMY:
			found, d.day = hasDay, n
		default:
			found, d.month = hasMonth, n
		}
	case hasYear, hasDay:
		found, d.month = hasMonth, n
	case hasMonth:
		if d.textMonth && (long || d.env.Order == YMD) {
			found, d.year = hasYear, n
		} else {
			found, d.day = hasDay, n
		}
	case hasYear | hasMonth:
		found = hasDay
		if d.textMonth && long && d.twoDigits {
			// The first number was the day, not the year.
			d.day, d.year, d.twoDigits = d.year, n, false
		} else {
			d.day = n
		}
	case hasMonth | hasDay:
		found, d.year = hasYear, n
	case hasDate:
		return d.concatenated(s, seen)
	default:
		return 0, faultFormat
	}
	if found == hasYear {
		d.twoDigits = len(s) <= 2
	}
	return found, faultNone
}

// concatenated reads yyyymmdd, hhmmss or hhmm, the time with a fraction
// (DecodeNumberField, datetime.c).
func (d *decoder) concatenated(s string, seen mask) (mask, fault) {
	atoi := func(s string) int {
		k := 0
		for k < len(s) && isDigit(s[k]) {
			k++
		}
		n, err := strconv.ParseInt(s[:k], 10, 32)
		if err != nil && k > 0 {
			return math.MaxInt32
		}
		return int(n)
	}
	if k := strings.IndexByte(s, '.'); k >= 0 {
		frac, ok := parseFraction(s[k:])
		if !ok {
			return 0, faultFormat
		}
		d.usec = int64(math.RoundToEven(frac * 1000000))
		s = s[:k]
	} else if seen&hasDate != hasDate && len(s) >= 6 {
		n := len(s)
		d.day, d.month, d.year = atoi(s[n-2:]), atoi(s[n-4:n-2]), atoi(s[:n-4])
		if n-4 == 2 {
			d.twoDigits = true
		}
		return hasDate, faultNone
	}
	if seen&hasTime != hasTime {
		switch len(s) {
		case 6:
			d.hour, d.min, d.sec = atoi(s[:2]), atoi(s[2:4]), atoi(s[4:])
			return hasTime, faultNone
		case 4:
			d.hour, d.min, d.sec = atoi(s[:2]), atoi(s[2:]), 0
			return hasTime, faultNone
		}
	}
	return 0, faultFormat
}

// parseFraction reads a point and the digits behind it.
func parseFraction(s string) (float64, bool) {
	if s == "." {
		return 0, true
	}
	for _, c := range []byte(s[1:]) {
		if !isDigit(c) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat("0"+s, 64)
	return f, err == nil
}

// clock reads hh:mm, hh:mm:ss, with a fraction; mm:ss.fff and, for an interval
// MINUTE TO SECOND, mm:ss (DecodeTimeCommon, datetime.c).
func clock(s string, fields int) (hour int64, minute, sec int, usec int64, f fault) {
	body, frac, hasFrac := strings.Cut(s, ".")
	parts := strings.Split(body, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, 0, 0, 0, faultFormat
	}
	atoi := func(s string, bits int) (int64, fault) {
		n, err := strconv.ParseInt(s, 10, bits)
		if err != nil && s != "" {
			return 0, faultField
		}
		return n, faultNone
	}
	var v [3]int64
	for i, p := range parts {
		bits := 32
		if i == 0 {
			bits = 64
		}
		if v[i], f = atoi(p, bits); f != faultNone {
			return 0, 0, 0, 0, f
		}
	}
	if hasFrac {
		x, ok := parseFraction("." + frac)
		if !ok {
			return 0, 0, 0, 0, faultFormat
		}
		usec = int64(math.RoundToEven(x * 1000000))
	}
	if len(parts) == 2 && (hasFrac || fields == maskMinute|maskSecond) {
		if v[0] > math.MaxInt32 {
			return 0, 0, 0, 0, faultField
		}
		v = [3]int64{0, v[0], v[1]}
	}
	if v[0] < 0 || v[1] > 59 || v[2] > 60 || usec > usecSecond {
		return 0, 0, 0, 0, faultField
	}
	return v[0], int(v[1]), int(v[2]), usec, faultNone
}

// maxZoneHour is the most hours a zone is off (MAX_TZDISP_HOUR).
const maxZoneHour = 15

// numericZone reads +hh, +hhmm, +hh:mm or +hh:mm:ss (DecodeTimezone, datetime.c).
func (d *decoder) numericZone(s string) fault {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return faultFormat
	}
	rest := s[1:]
	next := func() (int, fault) {
		k := 0
		for k < len(rest) && isDigit(rest[k]) {
			k++
		}
		n, err := strconv.ParseInt(rest[:k], 10, 32)
		rest = rest[k:]
		if err != nil && k > 0 {
			return 0, faultZone
		}
		return int(n), faultNone
	}
	var hour, minute, sec int
	var f fault
	if hour, f = next(); f != faultNone {
		return f
	}
	switch {
	case strings.HasPrefix(rest, ":"):
		rest = rest[1:]
		if minute, f = next(); f != faultNone {
			return f
		}
		if strings.HasPrefix(rest, ":") {
			rest = rest[1:]
			if sec, f = next(); f != faultNone {
				return f
			}
		}
	case rest == "" && len(s) > 3:
		hour, minute = hour/100, hour%100
	}
	if hour > maxZoneHour || minute > 59 || sec > 59 {
		return faultZone
	}
	west := -(hour*3600 + minute*60 + sec)
	if s[0] == '-' {
		west = -west
	}
	d.zone = west
	if rest != "" {
		return faultFormat
	}
	return faultNone
}
