package pgtype

import (
	"math"
	"strconv"
	"strings"
)

// isoNumber reads a number at the head of s and splits it at the point
// (ParseISO8601Number, datetime.c).
func isoNumber(s string) (n int64, frac float64, rest string, f fault) {
	k := 0
	if k < len(s) && s[k] == '-' {
		k++
	}
	digits := 0
	for k < len(s) && isDigit(s[k]) {
		k++
		digits++
	}
	if k < len(s) && s[k] == '.' {
		for k++; k < len(s) && isDigit(s[k]); k++ {
			digits++
		}
	}
	if digits == 0 {
		return 0, 0, s, faultFormat
	}
	if k+1 < len(s) && (s[k] == 'e' || s[k] == 'E') {
		e := k + 1
		if s[e] == '+' || s[e] == '-' {
			e++
		}
		if e < len(s) && isDigit(s[e]) {
			for k = e; k < len(s) && isDigit(s[k]); {
				k++
			}
		}
	}
	v, err := strconv.ParseFloat(s[:k], 64)
	if err != nil {
		return 0, 0, s, faultFormat
	}
	if v < -1e15 || v > 1e15 {
		return 0, 0, s, faultField
	}
	n = int64(math.Trunc(v))
	return n, v - float64(n), s[k:], faultNone
}

// isoWidth counts the digits before the point.
func isoWidth(s string) int {
	s = strings.TrimPrefix(s, "-")
	k := 0
	for k < len(s) && isDigit(s[k]) {
		k++
	}
	return k
}

// isoUnit returns the unit of a designator, 0 for none.
func isoUnit(c byte, inTime bool) int {
	if inTime {
		switch c {
		case 'H':
			return unitHour
		case 'M':
			return unitMinute
		case 'S':
			return unitSecond
		}
		return 0
	}
	switch c {
	case 'Y':
		return unitYear
	case 'M':
		return unitMonth
	case 'W':
		return unitWeek
	case 'D':
		return unitDay
	}
	return 0
}

// iso reads an interval as ISO 8601 writes it: P1Y2M3DT4H5M6S, P0001-02-03T04:05:06
// or P00010203T040506 (DecodeISO8601Interval, datetime.c).
func (x *delta) iso(s string) fault {
	if len(s) < 2 || s[0] != 'P' {
		return faultFormat
	}
	s = s[1:]
	inTime, have := false, false
	add := func(unit int, n int64, frac float64) bool {
		_, ok := x.add(unit, n, frac)
		return ok
	}
	for s != "" {
		if s[0] == 'T' {
			inTime, have, s = true, false, s[1:]
			continue
		}
		start := s
		n, frac, rest, f := isoNumber(s)
		if f != faultNone {
			return f
		}
		if rest != "" {
			if unit := isoUnit(rest[0], inTime); unit != 0 {
				if !add(unit, n, frac) {
					return faultField
				}
				s, have = rest[1:], true
				continue
			}
		}
		if have {
			return faultFormat
		}
		units, sep, width := [3]int{unitYear, unitMonth, unitDay}, byte('-'), 8
		if inTime {
			units, sep, width = [3]int{unitHour, unitMinute, unitSecond}, ':', 6
		}
		ended := rest == "" || !inTime && rest[0] == 'T'
		if !ended && rest[0] != sep {
			return faultFormat
		}
		if ended && isoWidth(start) == width {
			scale := usecDay
			if inTime {
				scale = 1
			}
			if !add(units[0], n/10000, 0) || !add(units[1], n/100%100, 0) || !add(units[2], n%100, 0) || !x.fracMicros(frac, scale) {
				return faultField
			}
			s = rest
			continue
		}
		for k := 0; ; {
			if !add(units[k], n, frac) {
				return faultField
			}
			if k++; rest == "" || !inTime && rest[0] == 'T' {
				break
			}
			if k == 3 || rest[0] != sep {
				return faultFormat
			}
			if n, frac, rest, f = isoNumber(rest[1:]); f != faultNone {
				return f
			}
		}
		s = rest
	}
	return faultNone
}
