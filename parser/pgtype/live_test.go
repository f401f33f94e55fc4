package pgtype_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/runtime/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const trySQL = `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy, very');
CREATE FUNCTION try(input text, typ text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE out text;
BEGIN
  EXECUTE format('SELECT format(''%%s'', %L::%s)', input, typ) INTO out;
  RETURN ARRAY[out, NULL, NULL];
EXCEPTION WHEN OTHERS THEN
  RETURN ARRAY[NULL, sqlstate, sqlerrm];
END $$`

// inputs lists texts, good and bad, by type.
func inputs() map[string][]string {
	lines := func(s string) []string { return strings.Split(strings.TrimPrefix(s, "\n"), "\n") }
	dates := lines(`
2024-02-29
2023-02-29
1999-01-08
January 8, 1999
1/8/1999
1/18/1999
18/1/1999
01/02/03
1999-Jan-08
Jan-08-1999
08-Jan-1999
99-Jan-08
08-Jan-99
Jan-08-99
19990108
990108
1999.008
1999.366
J2451187
January 8, 99 BC
0044-03-15 BC
0000-01-01
infinity
-infinity
epoch
today
tomorrow
yesterday
now
5874897-12-31
5874898-01-01
4714-11-24 BC
4714-11-23 BC
2024-13-01
2024-00-10
2024-1-32
2024-04-31
2024-1
2024
hello

 2024-01-02 
2024/01/02
2024-01-02 10:11:12
Fri Jan 5 2024
20240230
2024-01-02x
12345678901-01-01
2024-06-15 BC AD`)
	stamps := append(lines(`
2024-01-02 03:04:05
2024-01-02T03:04:05Z
2024-01-02T03:04:05.123456789+02:30
2024-01-02 03:04:05.5 -08
2024-01-02 03:04:05 PST
2024-01-02 03:04:05 America/New_York
2024-07-02 03:04:05 america/new_york
2024-07-02 03:04:05 Europe/Isle_of_Man
2024-01-02 03:04 PM
2024-01-02 13:04 PM
2024-01-02 12:04 AM
2024-03-10 02:30:00
2024-11-03 01:30:00
2024-01-02 24:00:00
2024-01-02 24:00:01
2024-01-02 23:59:60
2024-01-02 25:00
2024-01-02 10:60
20240102T030405
20240102T030405-05
20240102 030405
20240102 030405.25
Wed Jan 2 03:04:05 2024 PST
294276-12-31 23:59:59.999999
294277-01-01 00:00:00
4714-11-24 00:00:00 BC
4713-01-01 00:00:00 BC
2024-01-02 03:04:05 Nowhere/Land
2024-01-02 03:04:05 nowhere
2024-01-02 03:04:05 +17
2024-01-02 03:04:05 +05:99
2024-01-02 03:04:05 GMT-8
2024-01-02 03:04
2024-01-02 03
2024-01-02 allballs
J2451187 04:05
J2451187.25
10:11:12
2024-01-02 03:04:05 utc
1900-01-01 00:00:00
1883-11-18 12:00:00
2040-07-01 12:00:00
2024-01-02 03:04:05.9999999
2024-01-02 03:04:05.1234565
1999-12-31 23:59:59.9999995
2024-01-02 03:04:05 DST
today 04:05
tomorrow 04:05:06.7
1997-02-10 17:32:01-0800
Feb 10 17:32:01 1997 -0800
2/10/97 5:32PM`), dates...)
	return map[string][]string{
		"bool":                      {"t", "true", "TRUE ", " yes", "y", "on", "of", "o", "off", "0", "1", "2", "", "tr", "truee", "no", "N"},
		"int2":                      {"0", "-1", "32767", "32768", "-32768", "-32769", " 7 ", "+7", "7.0", "", "x", "0x1F", "0b101", "0o17", "1_000", "1__0", "_1", "1_", "- 1", "0x", "0x_1f"},
		"int4":                      {"0", "2147483647", "2147483648", "-2147483648", "99999999999999999999", "1e3", "abc", "\t5\n", "--5", "0X7fffffff", "-0x80000000"},
		"int8":                      {"0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "12 3"},
		"oid":                       {"0", "-1", "4294967295", "4294967296", "10", "010", "0x10", "x", "", " 12 ", "08", "-2147483648", "-2147483649"},
		"float8":                    {"0", "-0", "1", "1.5", "1e15", "1e14", "123456789012345678", "1e-4", "1e-5", "0.1", "1e400", "1e-400", "NaN", "inf", "-Infinity", "+inf", "1e", "e5", ".5", "5.", ".", "", " 2 ", "1_0", "4.9e-324", "1e308", "3.0000000000000004", "+-1", "1 2", "0x1p3"},
		"float4":                    {"0", "1.1", "1e6", "123456", "1234567", "1e38", "1e39", "1e-45", "1e-46", "0.0001", "0.00001", "nan", "3.4028235e38", "16777217", "x"},
		"numeric":                   {"0", "-0", "0.00", "1.50", "-1.5", "1e3", "1e-3", "1.5e-2", "NaN", "nan", "Infinity", "-inf", "1e131071", "1e131072", "1e-16383", "1e-16384", "123456789012345678901234567890.123456789", ".5", "5.", ".", "", "-", "1e", " 3 ", "1_000.5", "1__0", "_1", "1_.5", "0x1F", "0b11", "0x", "1e1_0", "+3", "1 2", "000123.4500", "1e99999999999"},
		"numeric(6,2)":              {"1.005", "9999.994", "9999.995", "-9999.995", "NaN", "inf", "0.004", "12345"},
		"numeric(3,-2)":             {"12345", "149", "150", "99999", "49"},
		"numeric(2,4)":              {"0.0012", "0.00991", "0.00999", "0.01"},
		"text":                      {"", "a", "B", "b", "ä", "z", "ab", "a b", "A"},
		"varchar(5)":                {"abc", "abcde", "abc  ", ""},
		"char(5)":                   {"abc", "abcde", "ab ", "", "äöü"},
		"bpchar":                    {"abc", "abc ", "ab", ""},
		"name":                      {"abc", "", strings.Repeat("x", 70), strings.Repeat("ä", 40)},
		`"char"`:                    {"a", "", "abc", `\101`, `\377`, "ä", `\1`},
		"bytea":                     {`\x`, `\xDEADbeef`, `\xde ad`, `\xa`, `\xag`, `\xga`, `abc`, `a\\b`, `a\000b`, `a\400`, `a\1`, ``, `ä`},
		"date":                      dates,
		"timestamp":                 stamps,
		"timestamptz":               stamps,
		"timestamp(0)":              {"2024-01-02 03:04:05.5", "1999-12-31 23:59:58.5", "2024-01-02 03:04:05.4999", "infinity"},
		"timestamptz(3)":            {"2024-01-02 03:04:05.1235", "1999-01-01 00:00:00.0005"},
		"time":                      {"04:05:06.789", "04:05:06", "04:05", "040506", "0405", "04:05 AM", "04:05 PM", "16:05 PM", "04:05:06-08", "24:00:00", "24:00:01", "23:59:60", "23:59:60.5", "25:00:00", "allballs", "2003-04-12 04:05:06", "04:05:06 PST", "now", "today", "", "x", "12:00 am", "23:59:59.9999999", "04:60", "040506.5", "4", "04:05:06 America/New_York", "T040506", "infinity"},
		"time(1)":                   {"04:05:06.789", "23:59:59.96"},
		"timetz":                    {"04:05:06.789-8", "04:05:06+05:30", "04:05:06 PST", "04:05 UTC", "040506-08", "2003-04-12 04:05:06 America/New_York", "2003-07-12 04:05:06 America/New_York", "04:05:06 America/New_York", "allballs", "04:05:06+16", "x", "04:05:06Z", "03:05:06 EST"},
		"interval":                  lines("1 day\n1 day 02:03\nP1D\n180 days\n1 year 2 mons 3 days 04:05:06.789\n-1 day +02:03\n1-2\n-1-2\n1-13\n3 4:05:06\n1.5 days\n1.5 months\n1.5 years\n1.5 weeks\n2 weeks\n@ 1 minute\n1 day ago\n-1 days ago\n5\n5.5\n-5.5\n1 hour 2\n1 2\n1 century\n1 millennium\n1 decade\n1 quarter\n100 ms\n5 us\n1.5 us\n2.5 milliseconds\nP1Y2M3DT4H5M6S\nP0001-02-03T04:05:06\nP00010203T040506\nPT1.5H\nP1.5D\nP-1D\nPT-0.5S\nP\nPT\nP1\nP1W\nP1X\n1 dayx\nday\n1 day 1 day\n1 hour 1 minute 1 second\n\nx\n04:05\n04:05:06.5\n-04:05:06\n1 day -04:05:06\n-1 year +2 mons\n1 mon -1 day\n99999999999 days\n2147483647 days\n2147483648 days\n178000000 years\n178956970 years\n178956971 years\n2562047788 hours\n2562047789 hours\n1e5 days\n1 day 25:00\n00:60\n1:2:3\n+5 days\n1 year 12 months\n0.1 months\n1 day 1.5 hours\n30 seconds 500 ms\n1.2345678 s\ninfinity\n-infinity\ninfinity ago\ntoday\n1 yr 2 mon 3 d 4 h 5 m 6 s\n0\n00:00\n1 week 2 days\n-1 mon -2 days -00:00:01\n90 minutes\n3 days -00:00:00.5"),
		"interval(1)":               {"1.25 s", "-1.25 s", "1.95 s"},
		"interval year to month":    {"1-2", "1 year 2 days", "5"},
		"interval minute to second": {"5", "1:2", "1 day 10:11:12"},
		"interval day":              {"5", "1 day 10:11:12"},
		"uuid":                      {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a12", "a0eebc99-9c0b", "", "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11x", "{a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0e-ebc999c0b4ef8bb6d6bb9bd380a11"},
		"inet":                      {"10.1.2.3", "10.1.2.3/8", "10.1.2.3/32", "10.1.2.3/33", "10.1", "10.1/16", "10.1/24", "::1", "::ffff:1.2.3.4", "fe80::1/64", "fe80::1%eth0", "2001:db8::/129", "256.1.1.1", "", "x", "10.1.2.3/", "10.1.2.3/x", "1.2.3.4.5", "010.1.2.3", "0:0:0:1:0:0:0:1", "1:0:0:2::"},
		"cidr":                      {"10.1.2.0/24", "10.1.2.3/24", "10", "10.1", "192.168", "128.1", "10.0.0.0", "224", "240", "2001:db8::/32", "2001:db8::1/32", "::1", "10.1.2.3"},
		"json":                      {`{}`, `{"a" : 1}`, `[1,2`, `nul`, `"x`, `01`, `1.`, `-`, `"\u00zz"`, `"\ud800"`, `"\u0000"`, ``, `tru`, `[1,]`, `{"a"}`, `{a:1}`, ` 1 `},
		"jsonb":                     {`{}`, `{"b":1,"a":2,"aa":3,"b":4}`, `[1, 2.50, 1e3, -0, 1E-2]`, `"\u00e4\n\"\\\/"`, `"\ud83d\ude00"`, `"\ud800"`, `"\udc00"`, `"\u0000"`, `null`, `true`, `[]`, `[[]]`, `{"a":{}}`, `"a"`, `"b"`, `1`, `1.0`, `2`, `false`, `[1,2,3]`, `[1]`, `{"a":1}`, `{"b":1}`, `""`, `nul`, `{"a":1,}`, `"\u0001"`},
		"mood":                      {"sad", "ok", "happy, very", "SAD", ""},
		"int4[]":                    {"{}", "{1,2,3}", "{1,NULL,3}", "{{1,2},{3,4}}", "{{1,2},{3}}", "[0:2]={1,2,3}", "[2:1]={}", "{1,2", "1,2}", "", "{1,,2}", "{1,}", "{a}", " { 1 , 2 } ", "{1}x", "{{}}", "{{1},2}", "[1:2]={1}", "{1,2,4}", "{1,2}", "{9999999999}", "{null}", `{"null"}`, "{{{1}}}", "[-1:0][2:3]={{1,2},{3,4}}"},
		"text[]":                    {`{}`, `{a,b}`, `{"a b",c}`, `{a b,c}`, `{"a\"b","c\\d"}`, `{a\,b}`, `{"",NULL,"NULL"}`, `{"a"b}`, `{a"b"}`, `{ä}`, `{"{x}"}`, `{{a},{b}}`, `{a,"b}`, `{"x" , y }`, `{\null}`},
		"mood[]":                    {"{sad,ok}", `{"happy, very"}`, "{x}"},
		"int4range":                 {"[1,10)", "[1,10]", "(1,10]", "(1,2)", "empty", " EMPTY ", "[,5]", "(,)", "[5,1]", "[1,1)", "[1,1]", "1,2", "[1", "[1,2", "[1,2,3]", "[1,2]x", "[a,2]", "[1,2147483647]", "(2147483647,)", "", "[1,9)"},
		"numrange":                  {"[1.5,2.50)", "(1,1)", "[1,1]", "(,2]", "[2,1]", `["1",2]`, "[ 1,2]"},
		"daterange":                 {"[2024-01-01,2024-02-01]", "[2024-01-01,)", "(,infinity]", "[today,infinity]"},
		"tstzrange":                 {`["2024-01-01 00:00",2024-02-01)`, "[,]"},
		"int2vector":                {"1 2 3", "", "1", "x", " 1  2 "},
		"oidvector":                 {"1 2 3", ""},
	}
}

// typmod returns the modifier of a type written with one.
func typmod(t *testing.T, db *pgtest.DB, typ string) pgtype.Typmod {
	if !strings.ContainsAny(typ, "(") && !strings.HasPrefix(typ, "interval ") {
		return pgtype.NoTypmod
	}
	var mod int32
	ctx := context.Background()
	if _, err := db.Pool().Exec(ctx, "CREATE TABLE IF NOT EXISTS typmods (x int)"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool().Exec(ctx, "ALTER TABLE typmods DROP COLUMN IF EXISTS y; ALTER TABLE typmods ADD y "+typ); err != nil {
		t.Fatal(err)
	}
	err := db.Pool().QueryRow(ctx, "SELECT atttypmod FROM pg_attribute WHERE attrelid = 'typmods'::regclass AND attname = 'y'").Scan(&mod)
	if err != nil {
		t.Fatal(err)
	}
	return pgtype.Typmod(mod)
}

// TestAgainstServer holds reading, printing and order of every type against the
// server's own.
func TestAgainstServer(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := pgtest.New(t, pgtest.SQL(trySQL))
	conn, err := db.Pool().Acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SET timezone = 'America/New_York'; SET datestyle = 'ISO, MDY'"); err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var num int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&num); err != nil {
		t.Fatal(err)
	}
	base, err := builtin.Load(num / 10000)
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(base)
	mood := &pgtype.Desc{OID: 90000, Name: "mood", Kind: 'e', Len: 4, ByVal: true, Delim: ',', Labels: []string{"sad", "ok", "happy, very"}}
	for typ, list := range inputs() {
		var d *pgtype.Desc
		switch typ {
		case "mood":
			d = mood
		case "mood[]":
			d = &pgtype.Desc{OID: 90001, Name: "mood[]", Kind: 'b', Len: -1, Delim: ',', Elem: mood}
		default:
			var oid uint32
			if err := conn.QueryRow(ctx, "SELECT $1::regtype::oid", typ).Scan(&oid); err != nil {
				t.Fatal(err)
			}
			if d = c.Desc(pgtype.OID(oid)); d == nil || !d.Known() {
				t.Fatalf("%s is not known", typ)
			}
		}
		mod := typmod(t, db, typ)
		var good []string
		var values []pgtype.Datum
		for _, in := range list {
			var res []*string
			var now time.Time
			if err := conn.QueryRow(ctx, "SELECT try($1, $2), now()", in, typ).Scan(&res, &now); err != nil {
				t.Fatal(err)
			}
			env := pgtype.Env{Location: loc, Now: now, Major: num / 10000}
			got, err := pgtype.Parse(d, in, mod, env)
			switch {
			case res[0] == nil:
				var ve *pgtype.ValueError
				if !errors.As(err, &ve) {
					t.Errorf("%s %q: got %q, %v; the server says %s %s", typ, in, got, err, *res[1], *res[2])
				} else if ve.Code != *res[1] || ve.Message != *res[2] {
					t.Errorf("%s %q: got %s %s; the server says %s %s", typ, in, ve.Code, ve.Message, *res[1], *res[2])
				}
			case err != nil:
				t.Errorf("%s %q: got %v; the server says %q", typ, in, err, *res[0])
			default:
				if s := got.Format(loc); s != *res[0] {
					t.Errorf("%s %q: got %q; the server says %q", typ, in, s, *res[0])
					continue
				}
				if in != "now" {
					good, values = append(good, in), append(values, got)
				}
			}
		}
		// json has no order; a cast of a column does not read with the typmod.
		if typ == "json" || strings.HasPrefix(typ, "interval ") {
			continue
		}
		rows, err := conn.Query(ctx, `SELECT x.i, y.i, x.v::`+typ+` < y.v::`+typ+`, x.v::`+typ+` = y.v::`+typ+`
			FROM unnest($1::text[]) WITH ORDINALITY x(v, i), unnest($1::text[]) WITH ORDINALITY y(v, i)`, good)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var i, k int
			var less, equal bool
			if err := rows.Scan(&i, &k, &less, &equal); err != nil {
				t.Fatal(err)
			}
			o, ok := pgtype.Compare(values[i-1], values[k-1], pgtype.CCollation)
			if !ok || (o < 0) != less || (o == 0) != equal {
				t.Errorf("%s: %q against %q: got %d, %t; the server says less %t, equal %t", typ, good[i-1], good[k-1], o, ok, less, equal)
			}
		}
		if rows.Err() != nil {
			t.Errorf("%s: %v", typ, rows.Err())
		}
	}
}
