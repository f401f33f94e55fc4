package pgtype

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Units of time in microseconds and seconds.
const (
	usecSecond = int64(1000000)
	usecMinute = 60 * usecSecond
	usecHour   = 60 * usecMinute
	usecDay    = 24 * usecHour
	secDay     = 86400
)

// unixEpoch is 1970-01-01 in days since 2000-01-01.
const unixEpoch = -10957

// julianEpoch is 2000-01-01 as a Julian day (POSTGRES_EPOCH_JDATE).
const julianEpoch = 2451545

// Ranges of date and timestamp (MIN_TIMESTAMP, END_TIMESTAMP, DATE_END_JULIAN;
// datatype/timestamp.h).
const (
	dateStart      = -julianEpoch
	dateEnd        = 2147483494 - julianEpoch
	timestampStart = -211813488000000000
	timestampEnd   = 9223371331200000000
)

// daysFrom returns the days since 2000-01-01 of a date of the proleptic
// Gregorian calendar; year 0 is 1 BC. The month may be out of 1 to 12 by what
// carries into years.
func daysFrom(year, month, day int) int64 {
	y, m := int64(year), int64(month)
	// Years that begin in March put the leap day at their end.
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	if y < 0 && y%400 != 0 {
		era--
	}
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 730425
}

// dateOf is the inverse of daysFrom.
func dateOf(days int64) (year, month, day int) {
	z := days + 730425
	era := z / 146097
	if z < 0 && z%146097 != 0 {
		era--
	}
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month, y := int(mp+3), yoe+era*400
	if month > 12 {
		month -= 12
		y++
	}
	return int(y), month, day
}

// validJulian reports whether a date is one that dates can hold
// (IS_VALID_JULIAN, datatype/timestamp.h).
func validJulian(year, month int) bool {
	return (year > -4713 || year == -4713 && month >= 11) && (year < 5874898 || year == 5874898 && month < 6)
}

func isLeap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if isLeap(year) {
			return 29
		}
		return 28
	}
	return 31
}

// Civil splits days since 2000-01-01 into a date; year 0 is 1 BC.
func Civil(days int64) (year, month, day int) { return dateOf(days) }

// DaysFromCivil returns the days since 2000-01-01 of a date; year 0 is 1 BC.
func DaysFromCivil(year, month, day int) int64 { return daysFrom(year, month, day) }

// LocalOffset returns the seconds east of UTC that a wall-clock reading, in
// seconds since 1970-01-01 as if it were UTC, has in a zone. A reading that a
// change of the clock skips is taken with the offset before it, one that it
// repeats with the offset after it (DetermineTimeZoneOffset, datetime.c).
func LocalOffset(wall int64, loc *time.Location) int {
	if loc == time.UTC {
		return 0
	}
	prev := time.Unix(wall-secDay, 0).In(loc)
	_, before := prev.Zone()
	_, end := prev.ZoneBounds()
	if end.IsZero() {
		return before
	}
	_, after := end.In(loc).Zone()
	boundary := end.Unix()
	tb, ta := wall-int64(before), wall-int64(after)
	switch {
	case tb < boundary && ta < boundary:
		return before
	case tb > boundary && ta >= boundary:
		return after
	case tb > ta:
		return before
	}
	return after
}

// zoneOffset returns the seconds east of UTC at an instant in seconds since 1970.
func zoneOffset(unix int64, loc *time.Location) int {
	_, off := time.Unix(unix, 0).In(loc).Zone()
	return off
}

func formatDate(days int64) string {
	switch days {
	case DateInfinity:
		return "infinity"
	case DateNegInfinity:
		return "-infinity"
	}
	date, bc := isoDate(days)
	return date + bc
}

func isoDate(days int64) (date, bc string) {
	y, m, d := dateOf(days)
	if y <= 0 {
		y, bc = 1-y, " BC"
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d), bc
}

func formatTime(usec int64) string {
	s := fmt.Sprintf("%02d:%02d:%02d", usec/usecHour, usec/usecMinute%60, usec/usecSecond%60)
	return s + fraction(usec%usecSecond)
}

// fraction prints microseconds behind a point without trailing zeros.
func fraction(usec int64) string {
	if usec == 0 {
		return ""
	}
	return "." + strings.TrimRight(fmt.Sprintf("%06d", usec), "0")
}

// formatZone prints an offset in seconds east of UTC (EncodeTimezone,
// datetime.c).
func formatZone(east int) string {
	sign := "+"
	if east < 0 {
		sign, east = "-", -east
	}
	s := fmt.Sprintf("%s%02d", sign, east/3600)
	if east%3600 != 0 {
		s += fmt.Sprintf(":%02d", east/60%60)
	}
	if east%60 != 0 {
		s += fmt.Sprintf(":%02d", east%60)
	}
	return s
}

func floorDiv64(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q--
		r += b
	}
	return q, r
}

func formatTimestamp(usec int64) string {
	switch usec {
	case TimestampInfinity:
		return "infinity"
	case TimestampNegInfinity:
		return "-infinity"
	}
	days, rest := floorDiv64(usec, usecDay)
	date, bc := isoDate(days)
	return date + " " + formatTime(rest) + bc
}

func formatTimestamptz(usec int64, loc *time.Location) string {
	if usec == TimestampInfinity || usec == TimestampNegInfinity {
		return formatTimestamp(usec)
	}
	sec, _ := floorDiv64(usec, usecSecond)
	off := zoneOffset(sec-unixEpoch*secDay, loc)
	days, rest := floorDiv64(usec+int64(off)*usecSecond, usecDay)
	date, bc := isoDate(days)
	return date + " " + formatTime(rest) + formatZone(off) + bc
}

// formatInterval prints an interval in the style postgres (EncodeInterval,
// datetime.c): a sign is written out where the part before had another.
func (v Datum) formatInterval() string {
	switch v.intervalSign() {
	case 1:
		return "infinity"
	case -1:
		return "-infinity"
	}
	var b strings.Builder
	before := false
	part := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		if before && n > 0 {
			b.WriteByte('+')
		}
		b.WriteString(strconv.FormatInt(n, 10) + " " + unit)
		if n != 1 {
			b.WriteByte('s')
		}
		before = n < 0
	}
	part(int64(v.months/12), "year")
	part(int64(v.months%12), "mon")
	part(int64(v.m), "day")
	if b.Len() > 0 && v.n == 0 {
		return b.String()
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	u := uint64(v.n)
	switch {
	case v.n < 0:
		u = -u
		b.WriteByte('-')
	case before:
		b.WriteByte('+')
	}
	sec := u / uint64(usecSecond)
	fmt.Fprintf(&b, "%02d:%02d:%02d%s", sec/3600, sec/60%60, sec%60, fraction(int64(u%uint64(usecSecond))))
	return b.String()
}
