package eval

import (
	"math"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
)

func intervalFunctions() map[string]impl {
	add := func(sign int64) impl {
		return func(c *call) (pgtype.Datum, bool) {
			if c.args[0].IsInfinite() || c.args[1].IsInfinite() {
				return none()
			}
			m, d, us := c.args[0].Interval()
			m2, d2, us2 := c.args[1].Interval()
			return interval(int64(m)+sign*int64(m2), int64(d)+sign*int64(d2), us+sign*us2)
		}
	}
	return map[string]impl{
		"interval_pl": add(1),
		"interval_mi": add(-1),
		"interval_um": func(c *call) (pgtype.Datum, bool) {
			m, d, us := c.args[0].Interval()
			if c.args[0].IsInfinite() || us == math.MinInt64 {
				return none()
			}
			return interval(-int64(m), -int64(d), -us)
		},
		"interval_mul": func(c *call) (pgtype.Datum, bool) { return scale(c.args[0], c.args[1].Float()) },
		"mul_d_interval": func(c *call) (pgtype.Datum, bool) {
			return scale(c.args[1], c.args[0].Float())
		},
		"make_interval": func(c *call) (pgtype.Datum, bool) {
			if len(c.args) != 7 {
				return none()
			}
			secs := c.args[6].Float()
			if math.IsNaN(secs) || math.Abs(secs) > 1e12 {
				return none()
			}
			us := int64(math.RoundToEven(secs * 1000000))
			us += c.args[4].Int()*3600*usecPerSec + c.args[5].Int()*60*usecPerSec
			return interval(c.args[0].Int()*12+c.args[1].Int(), c.args[2].Int()*7+c.args[3].Int(), us)
		},
	}
}

func interval(months, days, us int64) (pgtype.Datum, bool) {
	if int64(int32(months)) != months || int64(int32(days)) != days {
		return none()
	}
	return pgtype.NewInterval(int32(months), int32(days), us), true
}

// scale multiplies an interval. What is left of a month becomes days of a
// 30-day month, what is left of a day time (interval_mul, timestamp.c).
func scale(v pgtype.Datum, factor float64) (pgtype.Datum, bool) {
	if v.IsInfinite() || math.IsNaN(factor) || math.IsInf(factor, 0) {
		return none()
	}
	m, d, us := v.Interval()
	fm, fd := float64(m)*factor, float64(d)*factor
	if math.Abs(fm) > math.MaxInt32 || math.Abs(fd) > math.MaxInt32 {
		return none()
	}
	months, days := int64(fm), int64(fd)
	// Rounded to microseconds, as TSROUND does.
	round := func(x float64) float64 { return math.RoundToEven(x*1000000) / 1000000 }
	monthDays := round((fm - float64(months)) * 30)
	sec := round((fd - float64(days) + monthDays - float64(int64(monthDays))) * 86400)
	if math.Abs(sec) >= 86400 {
		days += int64(sec / 86400)
		sec -= float64(int64(sec/86400) * 86400)
	}
	days += int64(monthDays)
	total := math.RoundToEven(float64(float64(us)*factor) + float64(sec*1000000))
	if math.Abs(total) >= 1<<63 {
		return none()
	}
	return interval(months, days, int64(total))
}

// now is the time of collection in microseconds since 2000-01-01.
func (f *folder) now() (int64, bool) {
	t := f.environment().Now
	if t.IsZero() {
		f.g.Approximate("the time of collection, which stands for now(), is not known")
		return 0, false
	}
	return t.UnixMicro() - epochUnixUs, true
}

func nowFunctions() map[string]impl {
	now := func(c *call) (pgtype.Datum, bool) {
		us, ok := c.f.now()
		return pgtype.NewTimestamptz(us), ok
	}
	return map[string]impl{"now": now, "statement_timestamp": now}
}

// sqlValue evaluates CURRENT_DATE and its kin for an estimate
// (ExecEvalSQLValueFunction, execExprInterp.c).
func (f *folder) sqlValue(n *query.SQLValueFunction) query.Expr {
	c := &call{f: f}
	us, ok := int64(0), false
	switch n.Typ {
	case pgtype.DateOID, pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.TimeOID, pgtype.TimetzOID:
		us, ok = f.now()
	default:
		f.unevaluated(n.Name)
	}
	if !ok {
		return n
	}
	instant := pgtype.NewTimestamptz(us)
	wall := c.toTimestamp(instant).Int()
	var v pgtype.Datum
	switch n.Typ {
	case pgtype.DateOID:
		v = pgtype.NewDate(floorDiv(wall, usecPerDay))
	case pgtype.TimestamptzOID:
		v = instant
	case pgtype.TimestampOID:
		v = pgtype.NewTimestamp(wall)
	case pgtype.TimeOID:
		v = pgtype.NewTime(split(wall).time)
	case pgtype.TimetzOID:
		v = pgtype.NewTimetz(split(wall).time, int32(-(wall-us)/usecPerSec))
	}
	k := f.constant(v, n.Header)
	if n.Mod < 0 {
		return k
	}
	// A precision rounds.
	d := DescOf(f.cat, n.Typ)
	r, err := pgtype.Parse(d, k.Value, n.Mod, f.environment())
	if err != nil {
		return n
	}
	return f.constant(r, n.Header)
}
