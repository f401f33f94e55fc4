package pgtype

// parseDateTime reads a date, time, timetz, timestamp or timestamptz (date_in,
// time_in, timetz_in of date.c; timestamp_in, timestamptz_in of timestamp.c).
func (v *Datum) parseDateTime(text string, mod Typmod, env Env) error {
	c := v.d.class()
	name := map[class]string{
		classDate: "date", classTime: "time", classTimetz: "time with time zone",
		classTimestamp: "timestamp", classTimestamptz: "timestamp with time zone",
	}[c]
	d := &decoder{env: env, timeOnly: c == classTime || c == classTimetz}
	if f := d.decode(text); f != faultNone {
		// A plain time does not care for the zone that could not be found.
		if !(f == faultNow && c == classTime && d.seen&hasTime == hasTime && !env.Now.IsZero()) {
			return faultError(f, text, name, d.badZone)
		}
	}
	switch c {
	case classDate:
		return v.setDate(d, text)
	case classTime:
		v.n = roundTime(d.micros(), mod)
		return nil
	case classTimetz:
		v.n, v.m = roundTime(d.micros(), mod), int32(d.zone)
		return nil
	}
	switch d.reserved {
	case valEpoch:
		v.n = unixEpoch * usecDay
		return nil
	case valLate:
		v.n = TimestampInfinity
		return nil
	case valEarly:
		v.n = TimestampNegInfinity
		return nil
	}
	tooFar := valueError(codeDateOverflow, "timestamp out of range: \"%s\"", text)
	if !validJulian(d.year, d.month) {
		return tooFar
	}
	days := daysFrom(d.year, d.month, d.day)
	if days > timestampEnd/usecDay {
		return tooFar
	}
	t := days*usecDay + d.micros()
	if c == classTimestamptz {
		t += int64(d.zone) * usecSecond
	}
	if t < timestampStart || t >= timestampEnd {
		return tooFar
	}
	v.n = roundTimestamp(t, mod)
	return nil
}

func (v *Datum) setDate(d *decoder, text string) error {
	switch d.reserved {
	case valEpoch:
		v.n = unixEpoch
		return nil
	case valLate:
		v.n = DateInfinity
		return nil
	case valEarly:
		v.n = DateNegInfinity
		return nil
	}
	tooFar := valueError(codeDateOverflow, "date out of range: \"%s\"", text)
	if !validJulian(d.year, d.month) {
		return tooFar
	}
	v.n = daysFrom(d.year, d.month, d.day)
	if v.n < dateStart || v.n >= dateEnd {
		return tooFar
	}
	return nil
}

// scaleOf returns the microseconds in the last digit kept by a precision, 1
// where nothing is rounded.
func scaleOf(mod Typmod) int64 {
	scale := int64(1)
	if mod < 0 {
		return scale
	}
	for p := mod; p < 6; p++ {
		scale *= 10
	}
	return scale
}

// roundTime rounds to the precision mod (AdjustTimeForTypmod, date.c).
func roundTime(t int64, mod Typmod) int64 {
	scale := scaleOf(mod)
	if scale == 1 {
		return t
	}
	return (t + scale/2) / scale * scale
}

// roundTimestamp rounds half away from 2000-01-01 (AdjustTimestampForTypmod,
// timestamp.c).
func roundTimestamp(t int64, mod Typmod) int64 {
	scale := scaleOf(mod)
	if scale == 1 || t == TimestampInfinity || t == TimestampNegInfinity {
		return t
	}
	if t >= 0 {
		return (t + scale/2) / scale * scale
	}
	return -((-t + scale/2) / scale * scale)
}
