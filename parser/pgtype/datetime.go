package pgtype

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// fault is why a date or time input is refused (the DTERR codes, datetime.c).
type fault uint8

const (
	faultNone fault = iota
	faultFormat
	faultField
	faultMonthDay
	faultInterval
	faultZone
	faultZoneName
	faultNow
)

// faultError turns a fault into the server's error (DateTimeParseError,
// datetime.c). zone is the name that was not recognised.
func faultError(f fault, text, typ, zone string) error {
	field := "date/time field value out of range: \"" + text + "\""
	switch f {
	case faultField:
		return &ValueError{Code: codeDateOverflow, Message: field}
	case faultMonthDay:
		return &ValueError{Code: codeDateOverflow, Message: field, Hint: "Perhaps you need a different \"datestyle\" setting."}
	case faultInterval:
		return valueError(codeIntervalRange, "interval field value out of range: \"%s\"", text)
	case faultZone:
		return valueError(codeZoneRange, "time zone displacement out of range: \"%s\"", text)
	case faultZoneName:
		return valueError(codeParameter, "time zone \"%s\" not recognized", zone)
	case faultNow:
		return ErrNow
	}
	return valueError(codeDateFormat, "invalid input syntax for type %s: \"%s\"", typ, text)
}

// mask is the set of fields seen so far.
type mask uint16

const (
	hasYear mask = 1 << iota
	hasMonth
	hasDay
	hasDOY
	hasHour
	hasMinute
	hasSecond
	hasZone
	hasDSTMod
	hasDST
	hasMeridian
	hasEra
	hasWeekday

	hasDate = hasYear | hasMonth | hasDay
	hasTime = hasHour | hasMinute | hasSecond
)

// decoder interprets the fields of a date or time (DecodeDateTime and
// DecodeTimeOnly, datetime.c).
type decoder struct {
	env      Env
	timeOnly bool

	year, month, day, yday int
	hour, min, sec         int
	usec                   int64
	zone                   int // seconds west of UTC

	seen      mask
	prefix    int // unit that the next field has
	textMonth bool
	julian    bool
	twoDigits bool
	bc        bool
	meridian  int
	reserved  int // valEpoch, valLate, valEarly
	named     *time.Location
	badZone   string
	all       []token
}

// decode reads all fields.
func (d *decoder) decode(text string) fault {
	list, ok := tokens(text)
	if !ok {
		return faultFormat
	}
	d.all = list
	for i := range list {
		found, f := d.field(i)
		if f != faultNone {
			return f
		}
		if found&d.seen != 0 {
			return faultFormat
		}
		d.seen |= found
	}
	if d.prefix != 0 {
		return faultFormat
	}
	return d.finish()
}

func (d *decoder) field(i int) (mask, fault) {
	t := d.all[i]
	switch t.kind {
	case tokDate:
		return d.dateField(i)
	case tokTime:
		if d.prefix != 0 {
			if d.prefix != unitTime {
				return 0, faultFormat
			}
			d.prefix = 0
		}
		h, m, s, us, f := clock(t.text, 0)
		if f != faultNone {
			return 0, f
		}
		if h > math.MaxInt32 {
			return 0, faultField
		}
		d.hour, d.min, d.sec, d.usec = int(h), m, s, us
		if !d.timeOnly && d.overflows() {
			return 0, faultField
		}
		return hasTime, faultNone
	case tokZone:
		f := d.numericZone(t.text)
		return hasZone, f
	case tokNumber:
		return d.numberField(i)
	}
	return d.word(t)
}

// overflows reports whether the time is no time of a day (time_overflows,
// date.c).
func (d *decoder) overflows() bool {
	if d.hour < 0 || d.hour > 24 || d.min < 0 || d.min > 59 || d.sec < 0 || d.sec > 60 ||
		d.usec < 0 || d.usec > usecSecond || d.hour == 24 && (d.min > 0 || d.sec > 0 || d.usec > 0) {
		return true
	}
	return d.micros() > usecDay
}

func (d *decoder) micros() int64 {
	return int64(d.hour)*usecHour + int64(d.min)*usecMinute + int64(d.sec)*usecSecond + d.usec
}

func (d *decoder) dateField(i int) (mask, fault) {
	t := d.all[i]
	if d.timeOnly && i == 0 && len(d.all) >= 2 && (d.all[len(d.all)-1].kind == tokDate || d.all[1].kind == tokTime) {
		return d.date(t.text)
	}
	switch {
	case d.prefix == unitJulian && !d.timeOnly:
		k := 0
		for k < len(t.text) && isDigit(t.text[k]) {
			k++
		}
		n, err := strconv.ParseInt(t.text[:k], 10, 32)
		if err != nil {
			return 0, faultField
		}
		d.year, d.month, d.day = dateOf(n - julianEpoch)
		d.julian, d.prefix = true, 0
		return hasDate | hasTime | hasZone, d.numericZone(t.text[k:])
	case d.timeOnly || d.prefix != 0 || d.seen&(hasMonth|hasDay) == hasMonth|hasDay:
		if isDigit(t.text[0]) || d.prefix != 0 {
			return d.runTogether(t.text)
		}
		loc, ok := zoneByName(t.orig)
		if !ok {
			d.badZone = t.text
			return 0, faultZoneName
		}
		d.named = loc
		return hasZone, faultNone
	}
	return d.date(t.text)
}

// runTogether reads a time and a zone such as 040506-08.
func (d *decoder) runTogether(s string) (mask, fault) {
	if d.prefix != 0 {
		if d.prefix != unitTime {
			return 0, faultFormat
		}
		d.prefix = 0
	}
	if !d.timeOnly && d.seen&hasTime == hasTime {
		return 0, faultFormat
	}
	k := strings.IndexByte(s, '-')
	if k < 0 {
		return 0, faultFormat
	}
	if f := d.numericZone(s[k:]); f != faultNone {
		return 0, f
	}
	seen := d.seen
	if d.timeOnly {
		seen |= hasDate
	}
	found, f := d.concatenated(s[:k], seen)
	return found | hasZone, f
}

func (d *decoder) numberField(i int) (mask, fault) {
	s := d.all[i].text
	if d.prefix != 0 {
		return d.prefixed(s)
	}
	point := strings.IndexByte(s, '.')
	if d.timeOnly {
		switch {
		case point >= 0 && i == 0 && len(d.all) >= 2 && d.all[len(d.all)-1].kind == tokDate:
			return d.date(s)
		case point > 2 || point < 0 && len(s) > 4:
			return d.concatenated(s, d.seen|hasDate)
		case point >= 0 && point <= 2:
			return 0, faultFormat
		}
		return d.number(s, d.seen|hasDate)
	}
	switch {
	case point >= 0 && d.seen&hasDate == 0:
		return d.date(s)
	case point > 2:
		return d.concatenated(s, d.seen)
	case len(s) >= 6 && (d.seen&hasDate == 0 || d.seen&hasTime == 0):
		return d.concatenated(s, d.seen)
	}
	return d.number(s, d.seen)
}

// prefixed reads a number behind j or t.
func (d *decoder) prefixed(s string) (mask, fault) {
	unit := d.prefix
	d.prefix = 0
	k := 0
	for k < len(s) && isDigit(s[k]) {
		k++
	}
	n, err := strconv.ParseInt(s[:k], 10, 32)
	if err != nil && k > 0 {
		return 0, faultField
	}
	if k < len(s) && s[k] != '.' {
		return 0, faultFormat
	}
	switch unit {
	case unitJulian:
		d.year, d.month, d.day = dateOf(n - julianEpoch)
		d.julian = true
		if k == len(s) {
			return hasDate, faultNone
		}
		frac, ok := parseFraction(s[k:])
		if !ok {
			return 0, faultFormat
		}
		us := int64(frac * float64(usecDay))
		d.hour, d.min, d.sec, d.usec = int(us/usecHour), int(us/usecMinute%60), int(us/usecSecond%60), us%usecSecond
		return hasDate | hasTime, faultNone
	case unitTime:
		found, f := d.concatenated(s, d.seen|hasDate)
		if f == faultNone && found != hasTime {
			f = faultFormat
		}
		return found, f
	}
	return 0, faultFormat
}

func (d *decoder) word(t token) (mask, fault) {
	if t.kind == tokString {
		if east, ok := abbreviation(t.text); ok {
			d.zone = -east
			return hasZone, faultNone
		}
	}
	kind, val, _ := dateWord(t.text)
	switch kind {
	case wordIgnore:
		return 0, faultNone
	case wordReserved:
		return d.reservedWord(val)
	case wordMonth:
		found := hasMonth
		if d.seen&hasMonth != 0 && !d.textMonth && d.seen&hasDay == 0 && d.month >= 1 && d.month <= 31 {
			// What was taken for a month in front was the day.
			d.day = d.month
			found = hasDay
		}
		d.textMonth = true
		d.month = val
		return found, faultNone
	case wordDST:
		d.zone -= val
		return hasDSTMod | hasDST, faultNone
	case wordMeridian:
		d.meridian = val
		return hasMeridian, faultNone
	case wordEra:
		d.bc = val == valBC
		return hasEra, faultNone
	case wordWeekday:
		return hasWeekday, faultNone
	case wordUnit:
		if d.prefix != 0 {
			return 0, faultFormat
		}
		d.prefix = val
		return 0, faultNone
	case wordISOTime:
		if !d.timeOnly && d.seen&hasDate != hasDate || d.prefix != 0 {
			return 0, faultFormat
		}
		d.prefix = val
		return 0, faultNone
	}
	loc, ok := zoneByName(t.orig)
	if !ok {
		return 0, faultFormat
	}
	d.named = loc
	return hasZone, faultNone
}

func (d *decoder) reservedWord(val int) (mask, fault) {
	if d.timeOnly && val != valNow && val != valZulu {
		return 0, faultFormat
	}
	switch val {
	case valEpoch, valLate, valEarly:
		d.reserved = val
		return hasDate | hasTime | hasZone, faultNone
	case valZulu:
		d.hour, d.min, d.sec, d.usec, d.zone = 0, 0, 0, 0, 0
		return hasTime | hasZone, faultNone
	}
	if d.env.Now.IsZero() {
		return 0, faultNow
	}
	now := d.env.Now.In(d.env.location())
	y, m, day := now.Date()
	d.year, d.month, d.day = y, int(m), day
	switch val {
	case valYesterday:
		d.year, d.month, d.day = dateOf(daysFrom(y, int(m), day) - 1)
	case valTomorrow:
		d.year, d.month, d.day = dateOf(daysFrom(y, int(m), day) + 1)
	case valNow:
		d.hour, d.min, d.sec = now.Clock()
		d.usec = int64(now.Nanosecond() / 1000)
		if d.timeOnly {
			return hasTime, faultNone
		}
		_, east := now.Zone()
		d.zone = -east
		return hasDate | hasTime | hasZone, faultNone
	}
	return hasDate, faultNone
}

// finish checks the fields together and finds the zone.
func (d *decoder) finish() fault {
	if d.reserved != 0 {
		return faultNone
	}
	if f := d.validateDate(); f != faultNone {
		return f
	}
	if d.meridian != 0 {
		if d.hour > 12 {
			return faultField
		}
		if d.meridian == valAM && d.hour == 12 {
			d.hour = 0
		} else if d.meridian == valPM && d.hour != 12 {
			d.hour += 12
		}
	}
	if d.timeOnly {
		if d.overflows() {
			return faultField
		}
		if d.seen&hasTime != hasTime {
			return faultFormat
		}
	} else if d.seen&hasDate != hasDate {
		return faultFormat
	}
	loc := d.named
	if d.seen&hasZone == 0 {
		loc = d.env.location()
	}
	if loc == nil {
		return faultNone
	}
	if d.seen&hasDSTMod != 0 {
		return faultFormat
	}
	y, m, day := d.year, d.month, d.day
	if d.timeOnly && d.seen&hasDate != hasDate {
		if d.seen&hasDate != 0 {
			return faultFormat
		}
		if d.named != nil && loc != time.UTC && !fixed(loc) {
			// A zone with rules needs a date.
			return faultFormat
		}
		now := d.env.Now
		if now.IsZero() {
			if loc != time.UTC && !fixed(loc) {
				return faultNow
			}
			now = time.Unix(0, 0)
		}
		var month time.Month
		y, month, day = now.In(d.env.location()).Date()
		m = int(month)
	}
	if !validJulian(y, m) {
		d.zone = 0
		return faultNone
	}
	wall := (daysFrom(y, m, day)-unixEpoch)*secDay + int64(d.hour*3600+d.min*60+d.sec)
	d.zone = -LocalOffset(wall, loc)
	return faultNone
}

// fixed reports whether a zone has had one offset at all times.
func fixed(loc *time.Location) bool {
	start, end := time.Unix(0, 0).In(loc).ZoneBounds()
	return start.IsZero() && end.IsZero()
}

// validateDate checks year, month and day (ValidateDate, datetime.c).
func (d *decoder) validateDate() fault {
	if d.seen&hasYear != 0 && !d.julian {
		switch {
		case d.bc:
			if d.year <= 0 {
				return faultField
			}
			d.year = 1 - d.year
		case d.twoDigits:
			switch {
			case d.year < 70:
				d.year += 2000
			case d.year < 100:
				d.year += 1900
			}
		case d.year <= 0:
			return faultField
		}
	}
	if d.seen&hasDOY != 0 {
		d.year, d.month, d.day = dateOf(daysFrom(d.year, 1, 1) + int64(d.yday) - 1)
	}
	if d.seen&hasMonth != 0 && (d.month < 1 || d.month > 12) {
		return faultMonthDay
	}
	if d.seen&hasDay != 0 && (d.day < 1 || d.day > 31) {
		return faultMonthDay
	}
	if d.seen&hasDate == hasDate && d.day > daysIn(d.year, d.month) {
		return faultField
	}
	return faultNone
}
