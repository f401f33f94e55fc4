package pgtype

import (
	"math"
	"testing"
)

func parsed(t *testing.T, oid OID, s string) Datum {
	t.Helper()
	v, err := Parse(base(oid), s, NoTypmod, Env{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestScalar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ           OID
		value, lo, hi string
		v, l, h       float64
	}{
		{Int4OID, "5", "1", "9", 5, 1, 9},
		{NumericOID, "0.5", "-1", "1e3", 0.5, -1, 1000},
		{BoolOID, "t", "f", "t", 1, 0, 1},
		{DateOID, "2000-01-02", "2000-01-01", "infinity", 86400e6, 0, math.MaxFloat64},
		{TimestamptzOID, "2000-01-01 00:00:01Z", "epoch", "2000-01-01Z", 1e6, -946684800e6, 0},
		{IntervalOID, "1 mon", "1 day", "1 s", 30.4375 * 86400e6, 86400e6, 1e6},
		{TimetzOID, "00:00:01-01", "00:00:00+00", "00:00:00-02", 3601e6, 0, 7200e6},
		{ByteaOID, `\x80`, `\x40`, `\xff`, 128.0 / 256, 64.0 / 256, 255.0 / 256},
		// The common beginning falls away; a letter stands for the alphabet.
		{TextOID, "kb", "ka", "kz", 1.0 / 26, 0, 25.0 / 26},
		{TextOID, "", "", "", 0, 0, 0},
		// An empty upper bound widens the range down to byte 0.
		{TextOID, "a", "", "", (96.0 - 31) / 96, 0, 0},
		{InetOID, "10.0.0.1", "10.0.0.0", "10.0.0.2", 2*4294967296 + 167772161, 2*4294967296 + 167772160, 2*4294967296 + 167772162},
	} {
		v, l, h, ok := Scalar(parsed(t, c.typ, c.value), parsed(t, c.typ, c.lo), parsed(t, c.typ, c.hi))
		if !ok || v != c.v || l != c.l || h != c.h {
			t.Errorf("%d %q in %q to %q: got %v %v %v %t, want %v %v %v", c.typ, c.value, c.lo, c.hi, v, l, h, ok, c.v, c.l, c.h)
		}
	}
	if _, _, _, ok := Scalar(NewInt(Int4OID, 1), NewText(TextOID, "a"), NewText(TextOID, "b")); ok {
		t.Error("a number was placed between texts")
	}
	if _, _, _, ok := Scalar(parsed(t, UuidOID, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), Datum{}, Datum{}); ok {
		t.Error("a uuid has a scalar")
	}
	if v, _, _, ok := Scalar(NewDate(1), NewTimestamp(0), NewTimestamp(5)); !ok || v != 86400e6 {
		t.Errorf("a date between timestamps: %v %t", v, ok)
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	if _, err := Parse(base(DateOID), "today", NoTypmod, Env{}); err != ErrNow { //nolint:errorlint // the value itself
		t.Errorf("today without a time: %v", err)
	}
}

// FuzzParse holds that no input panics, and that what is printed reads back as
// an equal value.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1 day", "2024-01-01 10:00 PST", "{1,{2}}", "[1,2)", `{"a":[1]}`, "1e5", "P1Y", "10.1/16", "J5", "T", "1:2:3.4", `\x`, "-", "+a"} {
		f.Add(s)
	}
	types := []*Desc{
		base(BoolOID), base(Int4OID), base(OidOID), base(Float8OID), base(NumericOID), base(ByteaOID), base(DateOID), base(TimeOID),
		base(TimetzOID), base(TimestampOID), base(TimestamptzOID), base(IntervalOID), base(UuidOID), base(InetOID), base(CidrOID), base(JsonbOID),
		{OID: Int4ArrayOID, Kind: 'b', Len: -1, Elem: base(Int4OID)},
		{OID: TextArrayOID, Kind: 'b', Len: -1, Elem: base(TextOID)},
		{OID: Int4rangeOID, Kind: 'r', Len: -1, Sub: base(Int4OID)},
		{OID: NumrangeOID, Kind: 'r', Len: -1, Sub: base(NumericOID)},
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range types {
			v, err := Parse(d, s, NoTypmod, Env{Major: 17})
			if err != nil {
				continue
			}
			again, err := Parse(d, v.String(), NoTypmod, Env{Major: 17})
			if err != nil {
				t.Errorf("%d %q: printed as %q, which gives %v", d.OID, s, v, err)
				continue
			}
			if eq, ok := Equal(v, again); !ok || !eq {
				t.Errorf("%d %q: printed as %q, which reads as %q", d.OID, s, v, again)
			}
		}
	})
}
