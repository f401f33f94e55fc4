package eval

import (
	"math"
	"strings"
	"time"

	"github.com/dbgen/dbgen/parser/pgtype"
)

const (
	usecPerDay  = int64(86400000000)
	usecPerSec  = int64(1000000)
	epochDays   = int64(10957) // days from 1970-01-01 to 2000-01-01
	epochUnixUs = epochDays * usecPerDay
	// The range of dates in days since 2000-01-01: 4714-11-24 BC to 5874897-12-31
	// (datatype/timestamp.h).
	firstDay = int64(-2451545)
	lastDay  = int64(2145031948)
)

// civil is a timestamp in its fields.
type civil struct {
	year, month, day int
	time             int64 // microseconds within the day
}

// split takes microseconds since 2000-01-01 apart.
func split(us int64) civil {
	days := us / usecPerDay
	rest := us % usecPerDay
	if rest < 0 {
		rest += usecPerDay
		days--
	}
	y, m, d := pgtype.Civil(days)
	return civil{y, m, d, rest}
}

func (c civil) join() int64 { return pgtype.DaysFromCivil(c.year, c.month, c.day)*usecPerDay + c.time }

// local gives the wall clock of an instant, both in microseconds since
// 2000-01-01.
func (c *call) local(us int64) int64 {
	loc := c.location()
	unix := floorDiv(us+epochUnixUs, usecPerSec)
	_, off := time.Unix(unix, 0).In(loc).Zone()
	return us + int64(off)*usecPerSec
}

// instant is the other way round.
func (c *call) instant(wall int64) int64 {
	off := pgtype.LocalOffset(floorDiv(wall+epochUnixUs, usecPerSec), c.location())
	return wall - int64(off)*usecPerSec
}

func (c *call) location() *time.Location {
	if loc := c.f.environment().Location; loc != nil {
		return loc
	}
	return time.UTC
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// infiniteTime gives date and timestamp infinities as a timestamp's.
func infiniteTime(v pgtype.Datum) int64 {
	if v.Int() < 0 {
		return pgtype.TimestampNegInfinity
	}
	return pgtype.TimestampInfinity
}

// toTimestamp casts a date, or a timestamptz by TimeZone, to a timestamp.
func (c *call) toTimestamp(v pgtype.Datum) pgtype.Datum {
	switch {
	case v.IsNull() || v.OID() == pgtype.TimestampOID:
		return v
	case v.IsInfinite():
		return pgtype.NewTimestamp(infiniteTime(v))
	case v.OID() == pgtype.DateOID:
		return pgtype.NewTimestamp(v.Int() * usecPerDay)
	}
	return pgtype.NewTimestamp(c.local(v.Int()))
}

// toTimestamptz casts a date or timestamp by TimeZone.
func (c *call) toTimestamptz(v pgtype.Datum) pgtype.Datum {
	switch {
	case v.OID() != pgtype.DateOID && v.OID() != pgtype.TimestampOID:
		return v
	case v.IsInfinite():
		return pgtype.NewTimestamptz(infiniteTime(v))
	case v.OID() == pgtype.DateOID:
		return pgtype.NewTimestamptz(c.instant(v.Int() * usecPerDay))
	}
	return pgtype.NewTimestamptz(c.instant(v.Int()))
}

// addMonths moves a date by months; a day beyond the month's end becomes its
// last (timestamp_pl_interval, timestamp.c).
func (c civil) addMonths(n int) civil {
	if n == 0 {
		return c
	}
	m := c.year*12 + c.month - 1 + n
	c.year, c.month = int(floorDiv(int64(m), 12)), int(((int64(m)%12)+12)%12)+1
	next := civil{year: c.year, month: c.month + 1, day: 1}
	if next.month > 12 {
		next.year, next.month = next.year+1, 1
	}
	last := int(pgtype.DaysFromCivil(next.year, next.month, 1) - pgtype.DaysFromCivil(c.year, c.month, 1))
	c.day = min(c.day, last)
	return c
}

// plus adds an interval to a timestamp or timestamptz: months and days by the
// wall clock, the rest by the instant.
func (c *call) plus(v, iv pgtype.Datum, sign int) (pgtype.Datum, bool) {
	months, days, us := iv.Interval()
	if v.IsInfinite() || iv.IsInfinite() {
		return none()
	}
	tz := v.OID() == pgtype.TimestamptzOID
	t := v.Int()
	if months != 0 || days != 0 {
		if tz {
			t = c.local(t)
		}
		t = split(t).addMonths(int(months)*sign).join() + int64(days)*int64(sign)*usecPerDay
		if tz {
			t = c.instant(t)
		}
	}
	t += us * int64(sign)
	if tz {
		return pgtype.NewTimestamptz(t), true
	}
	return pgtype.NewTimestamp(t), true
}

func dateFunctions() map[string]impl {
	t := map[string]impl{
		"date_pli": func(c *call) (pgtype.Datum, bool) { return c.shiftDate(c.args[1].Int()) },
		"date_mii": func(c *call) (pgtype.Datum, bool) { return c.shiftDate(-c.args[1].Int()) },
		"date_mi": func(c *call) (pgtype.Datum, bool) {
			if c.args[0].IsInfinite() || c.args[1].IsInfinite() {
				return none()
			}
			return pgtype.NewInt(pgtype.Int4OID, c.args[0].Int()-c.args[1].Int()), true
		},
		"date_pl_interval": func(c *call) (pgtype.Datum, bool) { return c.plus(c.toTimestamp(c.args[0]), c.args[1], 1) },
		"date_mi_interval": func(c *call) (pgtype.Datum, bool) { return c.plus(c.toTimestamp(c.args[0]), c.args[1], -1) },
		"date_timestamp":   func(c *call) (pgtype.Datum, bool) { return c.toTimestamp(c.args[0]), true },
		"date_timestamptz": func(c *call) (pgtype.Datum, bool) { return c.toTimestamptz(c.args[0]), true },
		"datetime_timestamp": func(c *call) (pgtype.Datum, bool) {
			if c.args[0].IsInfinite() {
				return c.toTimestamp(c.args[0]), true
			}
			return pgtype.NewTimestamp(c.args[0].Int()*usecPerDay + c.args[1].Int()), true
		},
		"timestamptz_timestamp": func(c *call) (pgtype.Datum, bool) { return c.toTimestamp(c.args[0]), true },
		"timestamp_timestamptz": func(c *call) (pgtype.Datum, bool) { return c.toTimestamptz(c.args[0]), true },
		"timestamp_trunc":       func(c *call) (pgtype.Datum, bool) { return c.truncate(c.text(0), c.args[1]) },
		"timestamptz_trunc":     func(c *call) (pgtype.Datum, bool) { return c.truncate(c.text(0), c.args[1]) },
		"make_date": func(c *call) (pgtype.Datum, bool) {
			y, m, d := c.arg(0), c.arg(1), c.arg(2)
			days := pgtype.DaysFromCivil(y, m, d)
			if y2, m2, d2 := pgtype.Civil(days); y < 1 || y > 9999 || y2 != y || m2 != m || d2 != d {
				return none()
			}
			return pgtype.NewDate(days), true
		},
		"float8_timestamptz": func(c *call) (pgtype.Datum, bool) {
			f := c.args[0].Float()
			if math.IsNaN(f) || math.Abs(f) > 1e12 {
				return none()
			}
			f -= float64(epochDays * 86400)
			return pgtype.NewTimestamptz(int64(math.RoundToEven(f * 1000000))), true
		},
	}
	for _, name := range []string{"timestamp_date", "timestamptz_date"} {
		t[name] = func(c *call) (pgtype.Datum, bool) {
			v := c.toTimestamp(c.args[0])
			if v.IsInfinite() {
				return none()
			}
			return pgtype.NewDate(floorDiv(v.Int(), usecPerDay)), true
		}
	}
	for _, name := range []string{"timestamp_time", "timestamptz_time"} {
		t[name] = func(c *call) (pgtype.Datum, bool) {
			v := c.toTimestamp(c.args[0])
			if v.IsInfinite() {
				return none()
			}
			return pgtype.NewTime(split(v.Int()).time), true
		}
	}
	for _, p := range []string{"timestamp", "timestamptz"} {
		t[p+"_pl_interval"] = func(c *call) (pgtype.Datum, bool) { return c.plus(c.args[0], c.args[1], 1) }
		t[p+"_mi_interval"] = func(c *call) (pgtype.Datum, bool) { return c.plus(c.args[0], c.args[1], -1) }
		t[p+"_part"] = func(c *call) (pgtype.Datum, bool) { return c.part(false) }
		t["extract_"+p] = func(c *call) (pgtype.Datum, bool) { return c.part(true) }
	}
	t["extract_date"] = func(c *call) (pgtype.Datum, bool) { return c.part(true) }
	t["timestamp_mi"] = func(c *call) (pgtype.Datum, bool) {
		if c.args[0].IsInfinite() || c.args[1].IsInfinite() {
			return none()
		}
		// Whole days are split off (interval_justify_hours).
		diff := c.args[0].Int() - c.args[1].Int()
		return pgtype.NewInterval(0, int32(diff/usecPerDay), diff%usecPerDay), true
	}
	// timezone(zone, timestamp) reads a wall clock there, timezone(zone,
	// timestamptz) gives it.
	t["timestamp_zone"] = func(c *call) (pgtype.Datum, bool) { return c.inZone(false) }
	t["timestamptz_zone"] = func(c *call) (pgtype.Datum, bool) { return c.inZone(true) }
	return t
}

func (c *call) shiftDate(n int64) (pgtype.Datum, bool) {
	if c.args[0].IsInfinite() {
		return c.args[0], true
	}
	days := c.args[0].Int() + n
	if days < firstDay || days > lastDay {
		return none()
	}
	return pgtype.NewDate(days), true
}

func (c *call) inZone(fromInstant bool) (pgtype.Datum, bool) {
	loc, ok := pgtype.Zone(c.text(0))
	if !ok || c.args[1].IsInfinite() {
		return none()
	}
	env := c.f.environment()
	env.Location = loc
	there := &call{f: &folder{g: c.f.g, cat: c.f.cat, env: &env}}
	if fromInstant {
		return pgtype.NewTimestamp(there.local(c.args[1].Int())), true
	}
	return pgtype.NewTimestamptz(there.instant(c.args[1].Int())), true
}

// truncate is date_trunc (timestamp_trunc and timestamptz_trunc, timestamp.c).
// Units from a day on are cut by the wall clock.
func (c *call) truncate(unit string, v pgtype.Datum) (pgtype.Datum, bool) {
	if v.IsInfinite() {
		return v, true
	}
	tz := v.OID() == pgtype.TimestamptzOID
	wall := v.Int()
	if tz {
		wall = c.local(wall)
	}
	off := wall - v.Int()
	f := split(wall)
	byDay := true
	cut := func(us int64) { f.time, byDay = f.time-f.time%us, false }
	switch strings.ToLower(unit) {
	case "microsecond", "microseconds":
		byDay = false
	case "millisecond", "milliseconds":
		cut(1000)
	case "second", "seconds":
		cut(usecPerSec)
	case "minute", "minutes":
		cut(60 * usecPerSec)
	case "hour", "hours":
		cut(3600 * usecPerSec)
	case "day", "days":
		f.time = 0
	case "week", "weeks":
		days := floorDiv(wall, usecPerDay)
		// 2000-01-03 was a Monday.
		f = split((days - ((days-2)%7+7)%7) * usecPerDay)
	case "month", "months":
		f.day, f.time = 1, 0
	case "quarter":
		f.month, f.day, f.time = (f.month-1)/3*3+1, 1, 0
	case "year", "years":
		f.month, f.day, f.time = 1, 1, 0
	default:
		return none()
	}
	if !tz {
		return pgtype.NewTimestamp(f.join()), true
	}
	if !byDay {
		return pgtype.NewTimestamptz(f.join() - off), true
	}
	return pgtype.NewTimestamptz(c.instant(f.join())), true
}

// part is date_part and extract of whole fields.
func (c *call) part(exact bool) (pgtype.Datum, bool) {
	v := c.args[1]
	if v.IsInfinite() {
		return none()
	}
	f := split(c.toTimestamp(v).Int())
	var n int64
	unit := strings.ToLower(c.text(0))
	if v.OID() == pgtype.DateOID && (strings.HasPrefix(unit, "hour") || strings.HasPrefix(unit, "minute")) {
		return none()
	}
	switch unit {
	case "year", "years":
		if n = int64(f.year); n <= 0 {
			n--
		}
	case "month", "months":
		n = int64(f.month)
	case "day", "days":
		n = int64(f.day)
	case "quarter":
		n = int64(f.month-1)/3 + 1
	case "hour", "hours":
		n = f.time / (3600 * usecPerSec)
	case "minute", "minutes":
		n = f.time / (60 * usecPerSec) % 60
	case "dow":
		n = ((floorDiv(c.toTimestamp(v).Int(), usecPerDay)+6)%7 + 7) % 7
	case "isodow":
		n = ((floorDiv(c.toTimestamp(v).Int(), usecPerDay)+5)%7+7)%7 + 1
	case "doy":
		n = pgtype.DaysFromCivil(f.year, f.month, f.day) - pgtype.DaysFromCivil(f.year, 1, 1) + 1
	default:
		return none()
	}
	if exact {
		return pgtype.NewNumeric(pgtype.NumericFromInt(n)), true
	}
	return pgtype.NewFloat(pgtype.Float8OID, float64(n)), true
}
