package pgtype

import (
	"math"
	"strconv"
	"strings"
)

// Bits of an interval's typmod that name its fields (INTERVAL_MASK of the DTK
// field numbers, utils/datetime.h).
const (
	maskMonth  = 1 << 1
	maskYear   = 1 << 2
	maskDay    = 1 << 3
	maskHour   = 1 << 10
	maskMinute = 1 << 11
	maskSecond = 1 << 12
	maskFull   = 0x7fff

	fullPrecision = 0xffff
)

// delta collects the parts of an interval.
type delta struct {
	usec               int64
	days, months, year int64
}

// intervalFields returns the fields that a typmod names.
func intervalFields(mod Typmod) int {
	if mod < 0 {
		return maskFull
	}
	return int(mod) >> 16 & maskFull
}

// parseInterval reads an interval (interval_in, timestamp.c): in words, as SQL
// writes it, or as ISO 8601 does.
func (v *Datum) parseInterval(text string, mod Typmod, env Env) error {
	var x delta
	infinite := 0
	list, ok := tokens(text)
	f := faultFormat
	if ok {
		infinite, f = x.words(list, intervalFields(mod), env.major())
	}
	if f == faultFormat {
		x = delta{}
		if iso := x.iso(text); iso != faultFormat {
			f = iso
		}
	}
	if f != faultNone {
		if f == faultField {
			f = faultInterval
		}
		return faultError(f, text, "interval", "")
	}
	switch infinite {
	case valLate:
		v.n, v.m, v.months = math.MaxInt64, math.MaxInt32, math.MaxInt32
		return nil
	case valEarly:
		v.n, v.m, v.months = math.MinInt64, math.MinInt32, math.MinInt32
		return nil
	}
	months := x.year*12 + x.months
	if months != int64(int32(months)) || x.days != int64(int32(x.days)) {
		return valueError(codeDateOverflow, "interval out of range")
	}
	v.n, v.m, v.months = x.usec, int32(x.days), int32(months)
	if env.major() >= 17 && v.intervalSign() != 0 {
		return valueError(codeDateOverflow, "interval out of range")
	}
	return v.adjustInterval(mod)
}

// adjustInterval drops the fields that a typmod does not name and rounds
// (AdjustIntervalForTypmod, timestamp.c).
func (v *Datum) adjustInterval(mod Typmod) error {
	if mod < 0 {
		return nil
	}
	switch fields := intervalFields(mod); fields {
	case maskYear:
		v.months, v.m, v.n = v.months/12*12, 0, 0
	case maskMonth, maskYear | maskMonth:
		v.m, v.n = 0, 0
	case maskDay:
		v.n = 0
	case maskHour, maskDay | maskHour:
		v.n = v.n / usecHour * usecHour
	case maskMinute, maskHour | maskMinute, maskDay | maskHour | maskMinute:
		v.n = v.n / usecMinute * usecMinute
	}
	if p := mod & fullPrecision; p != fullPrecision && p < 6 {
		scale := scaleOf(p)
		half := scale / 2
		if v.n < 0 {
			half = -half
		}
		if (half > 0) == (v.n+half < v.n) {
			return valueError(codeDateOverflow, "interval out of range")
		}
		v.n = (v.n + half) / scale * scale
	}
	return nil
}

func mulAdd(a, b int64, sum *int64) bool {
	if a != 0 && b != 0 {
		p := a * b
		if p/b != a || a == math.MinInt64 && b == -1 {
			return false
		}
		a = p
	} else {
		a = 0
	}
	s := *sum + a
	if (a > 0) != (s > *sum) && a != 0 {
		return false
	}
	*sum = s
	return true
}

func fits32(n ...int64) bool {
	for _, x := range n {
		if x != int64(int32(x)) {
			return false
		}
	}
	return true
}

// fracMicros adds frac × scale microseconds, rounded half away from zero
// (AdjustFractMicroseconds, datetime.c).
func (x *delta) fracMicros(frac float64, scale int64) bool {
	if frac == 0 {
		return true
	}
	frac *= float64(scale)
	us := int64(frac)
	frac -= float64(us)
	if frac > 0.5 {
		us++
	} else if frac < -0.5 {
		us--
	}
	return mulAdd(us, 1, &x.usec)
}

// fracDays adds frac × scale days, what is left of a day as microseconds
// (AdjustFractDays, datetime.c).
func (x *delta) fracDays(frac float64, scale int64) bool {
	if frac == 0 {
		return true
	}
	frac *= float64(scale)
	days := int64(frac)
	x.days += days
	return fits32(x.days) && x.fracMicros(frac-float64(days), usecDay)
}

// add adds n + frac of a unit; false on overflow or for a unit that intervals
// do not have.
func (x *delta) add(unit int, n int64, frac float64) (mask uint32, ok bool) {
	micros := func(scale int64) bool { return mulAdd(n, scale, &x.usec) && x.fracMicros(frac, scale) }
	years := func(scale int64) bool {
		x.year += n * scale
		x.months += int64(math.RoundToEven(frac * float64(scale) * 12))
		return fits32(n, n*scale, x.year, x.months)
	}
	bit := uint32(1) << unit
	switch unit {
	case unitMicrosecond:
		return bit, micros(1)
	case unitMillisecond:
		return bit, micros(1000)
	case unitSecond:
		if frac != 0 {
			bit |= 1<<unitMillisecond | 1<<unitMicrosecond
		}
		return bit, micros(usecSecond)
	case unitMinute:
		return bit, micros(usecMinute)
	case unitHour:
		return bit, micros(usecHour)
	case unitDay:
		x.days += n
		return bit, fits32(n, x.days) && x.fracMicros(frac, usecDay)
	case unitWeek:
		x.days += n * 7
		return bit, fits32(n, n*7, x.days) && x.fracDays(frac, 7)
	case unitMonth:
		x.months += n
		return bit, fits32(n, x.months) && x.fracDays(frac, 30)
	case unitYear:
		return bit, years(1)
	case unitDecade:
		return bit, years(10)
	case unitCentury:
		return bit, years(100)
	case unitMillennium:
		return bit, years(1000)
	}
	return 0, false
}

// lastUnit is the unit of a number without one at the end, by the typmod's
// fields.
func lastUnit(fields int) int {
	switch fields {
	case maskYear:
		return unitYear
	case maskMonth, maskYear | maskMonth:
		return unitMonth
	case maskDay:
		return unitDay
	case maskHour, maskDay | maskHour:
		return unitHour
	case maskMinute, maskHour | maskMinute, maskDay | maskHour | maskMinute:
		return unitMinute
	}
	return unitSecond
}

// words reads the parts from the last to the first, so that a unit is known
// before its number (DecodeInterval, datetime.c). It returns valLate or valEarly
// for an infinite interval.
func (x *delta) words(list []token, fields, major int) (int, fault) {
	const timeBits = 1<<unitHour | 1<<unitMinute | 1<<unitSecond
	var seen uint32
	unit, pending, ago, infinite := 0, false, false, 0
	for i := len(list) - 1; i >= 0; i-- {
		t := list[i]
		var found uint32
		switch t.kind {
		case tokTime:
			if f := x.clock(t.text, fields); f != faultNone {
				return 0, f
			}
			found, unit, pending = timeBits, unitDay, false
		case tokZone, tokDate, tokNumber:
			if t.kind == tokZone && strings.Contains(t.text, ":") && x.clock(t.text[1:], fields) == faultNone {
				if t.text[0] == '-' {
					x.usec = -x.usec
				}
				found, unit, pending = timeBits, unitDay, false
				break
			}
			if unit == 0 {
				unit = lastUnit(fields)
			}
			n, frac, months, f := intervalNumber(t.text)
			if f != faultNone {
				return 0, f
			}
			if months {
				unit = unitMonth
			}
			var ok bool
			if found, ok = x.add(unit, n, frac); !ok {
				if found == 0 {
					return 0, faultFormat
				}
				return 0, faultField
			}
			if unit == unitHour {
				unit = unitDay
			}
			pending = false
		default:
			if pending {
				return 0, faultFormat
			}
			kind, val := unitWord(t.text)
			if kind == wordNone {
				kind, val, _ = dateWord(t.text)
			}
			switch kind {
			case wordIgnore:
				continue
			case wordUnit:
				unit, pending = val, true
			case wordAgo:
				if major >= 17 && i != len(list)-1 {
					return 0, faultFormat
				}
				ago, unit = true, -1
			case wordReserved:
				if major < 17 || val != valLate && val != valEarly || i != len(list)-1 {
					return 0, faultFormat
				}
				infinite, found = val, timeBits
			default:
				return 0, faultFormat
			}
		}
		if found&seen != 0 {
			return 0, faultFormat
		}
		seen |= found
	}
	if seen == 0 || pending && major >= 16 {
		return 0, faultFormat
	}
	if ago {
		if x.usec == math.MinInt64 || x.days == math.MinInt32 || x.months == math.MinInt32 || x.year == math.MinInt32 {
			return 0, faultField
		}
		x.usec, x.days, x.months, x.year = -x.usec, -x.days, -x.months, -x.year
	}
	return infinite, faultNone
}

// clock reads hours, minutes and seconds; they replace what there is.
func (x *delta) clock(s string, fields int) fault {
	h, m, sec, us, f := clock(s, fields)
	if f != faultNone {
		return f
	}
	if !mulAdd(h, usecHour, &us) || !mulAdd(int64(m), usecMinute, &us) || !mulAdd(int64(sec), usecSecond, &us) {
		return faultField
	}
	x.usec = us
	return faultNone
}

// intervalNumber reads a signed number with a fraction, or years-months, which
// comes as months.
func intervalNumber(s string) (n int64, frac float64, months bool, f fault) {
	neg := s[0] == '-'
	k := 0
	if neg || s[0] == '+' {
		k = 1
	}
	for k < len(s) && isDigit(s[k]) {
		k++
	}
	head := s[:k]
	n, err := strconv.ParseInt(head, 10, 64)
	if err != nil && strings.Trim(head, "+-") != "" {
		return 0, 0, false, faultField
	}
	switch {
	case k == len(s):
		return n, 0, false, faultNone
	case s[k] == '.':
		frac, ok := parseFraction(s[k:])
		if !ok {
			return 0, 0, false, faultFormat
		}
		if neg {
			frac = -frac
		}
		return n, frac, false, faultNone
	case s[k] == '-':
		m, err := strconv.ParseInt(s[k+1:], 10, 32)
		if err != nil {
			if strings.Trim(s[k+1:], "0123456789") != "" || s[k+1:] == "" {
				return 0, 0, false, faultFormat
			}
			return 0, 0, false, faultField
		}
		if m < 0 || m >= 12 {
			return 0, 0, false, faultField
		}
		if neg {
			m = -m
		}
		if !mulAdd(n, 12, &m) {
			return 0, 0, false, faultField
		}
		return m, 0, true, faultNone
	}
	return 0, 0, false, faultFormat
}
