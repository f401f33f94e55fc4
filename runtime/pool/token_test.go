package pool_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dbgen/dbgen/runtime"
	"github.com/dbgen/dbgen/runtime/pool"
)

func TestParseToken(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "1-00000000-1-1", "1-deadbeef-1a-16b374d848", "1-ffffffff-ffffffff-ffffffffffffffff", "1-unknown"} {
		token, err := pool.ParseToken(text)
		if err != nil || token.String() != text || token.IsZero() != (text == "") {
			t.Errorf("ParseToken(%q): %q, %v", text, token.String(), err)
		}
		var again struct{ Token pool.Token }
		encoded, err := json.Marshal(struct{ Token pool.Token }{token})
		if err == nil {
			err = json.Unmarshal(encoded, &again)
		}
		if err != nil || again.Token != token {
			t.Errorf("%q as JSON: %s, %v", text, encoded, err)
		}
	}
	for _, text := range []string{
		"1", "1-", "x", "unknown", "2-deadbeef-1-1", "1-deadbeef-0-1", "1-deadbeef-1-0", "1-deadbeef-1", "1-deadbeef-1-1-1", "1-DEADBEEF-1-1",
		"1-deadbeef-01-1", "1-deadbeef-1-01", "1-eadbeef-1-1", "1-deadbeef-100000000-1", "1-deadbeef-1-10000000000000000", "1-deadbeef-+1-1",
		"1-deadbeef-1-1 ", " 1-deadbeef-1-1", "1-deadbeef-1-1\x00", "1-deadbeef-1-0x1", "1-deadbeef-1-1_0", "1--deadbee-1-1", strings.Repeat("1-", 1000),
	} {
		if token, err := pool.ParseToken(text); !errors.Is(err, pool.ErrToken) || !token.IsZero() {
			t.Errorf("ParseToken(%q): %q, %v", text, token.String(), err)
		}
	}
	if err := json.Unmarshal([]byte(`"1-x"`), new(pool.Token)); !errors.Is(err, pool.ErrToken) {
		t.Errorf("no token in JSON: %v", err)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("1-deadbeef-1-1")
	f.Add("1-unknown")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := pool.ParseToken(text)
		if err != nil && !errors.Is(err, pool.ErrToken) || err == nil && token.String() != text {
			t.Errorf("ParseToken(%q): %q, %v", text, token.String(), err)
		}
	})
}

// Add merges tokens, in any order, to one that covers all.
func TestSessionAdd(t *testing.T) {
	t.Parallel()
	p, err := pool.New(background(), "postgres://u@localhost:1/d", pool.Config{MinConns: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(background())
	for _, test := range []struct{ a, b, want string }{
		{"", "", ""},
		{"1-000000aa-1-5", "", "1-000000aa-1-5"},
		{"1-000000aa-1-5", "1-000000aa-1-5", "1-000000aa-1-5"},
		{"1-000000aa-1-5", "1-000000aa-1-1f", "1-000000aa-1-1f"},
		{"1-000000aa-2-5", "1-000000aa-1-1f", "1-000000aa-2-5"},
		{"1-000000aa-2-5", "1-000000bb-2-5", "1-unknown"},
		{"1-000000aa-2-5", "1-unknown", "1-unknown"},
		{"", "1-unknown", "1-unknown"},
	} {
		for _, texts := range [][2]string{{test.a, test.b}, {test.b, test.a}} {
			ctx, session := p.WithSession(background())
			for _, text := range texts {
				token, err := pool.ParseToken(text)
				if err != nil {
					t.Fatal(err)
				}
				if with := p.WithToken(ctx, token); with != ctx {
					t.Error("WithToken made another session")
				}
			}
			if got := session.Token().String(); got != test.want {
				t.Errorf("%q and %q: %q, want %q", texts[0], texts[1], got, test.want)
			}
		}
	}
}

// A write whose connection is lost may have happened: the session reads the
// primary, and by that learns a position for the reads that follow.
func testLost(t *testing.T, c *cluster) {
	p := c.open(t, c.url, pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	ctx, session := p.WithSession(limited(t))
	if _, err := p.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())"); err == nil {
		t.Fatal("the connection is not lost")
	}
	if text := session.Token().String(); text != "1-unknown" {
		t.Errorf("token after a write that was lost: %q", text)
	}
	if node := who(t, ctx, p); node != "node1" {
		t.Errorf("%s answers", node)
	}
	token := session.Token()
	if text := token.String(); text == "1-unknown" || text == "" {
		t.Errorf("token after a read of the primary: %q", text)
	}
	eventually(t, "a standby answers", func() bool { return who(t, ctx, p) != "node1" })
	if session.Token() != token {
		t.Error("a read changed the token")
	}
	// Another process, which got the token while it was unknown.
	unknown, err := pool.ParseToken("1-unknown")
	if err != nil {
		t.Fatal(err)
	}
	if node := who(t, p.WithToken(limited(t), unknown), p); node != "node1" {
		t.Errorf("%s answers a read with an unknown token", node)
	}
	// Tokens that were made up are for the primary, for ever; those of another
	// system, or of a timeline that is gone, until it has told where it is.
	for _, text := range []string{strings.Replace(token.String(), "-1-", "-7-", 1), token.String() + "0000", "1-00000000-1-1"} {
		made, err := pool.ParseToken(text)
		if err != nil {
			t.Fatal(err)
		}
		ctx := p.WithToken(limited(t), made)
		if node := who(t, ctx, p); node != "node1" {
			t.Errorf("%s answers a read with %s", node, text)
		}
		if text == "1-00000000-1-1" {
			eventually(t, "a standby answers", func() bool { return who(t, ctx, p) != "node1" })
		}
	}
}

// A write that ends where a page of the log does is replayed as any other: the
// position behind it, where the next record goes, is behind the header of a page
// that is not there yet.
func testPageEnd(t *testing.T, c *cluster) {
	p := c.open(t, c.url, pool.Standbys{})
	awaitReading(t, p, c, "node2 node3")
	ctx := limited(t)
	const page, header = 8192, 24
	insert := func() (at int64) {
		if err := p.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn() - '0/0'").Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	// emit writes one record and is not done by a transaction that is logged.
	const emit = "SELECT pg_logical_emit_message(false, '', repeat('x', $1))"
	overhead := int64(0)
	eventually(t, "a write ends with a page", func() bool {
		before := insert()
		n := page - before%page - overhead
		if overhead == 0 || n < 8 {
			n = 1000
		}
		session, s := p.WithSession(ctx)
		if _, err := p.Exec(session, emit, n); err != nil {
			t.Fatal(err)
		}
		after := insert()
		if after%page != header {
			if after/page == before/page { // else there is a header in between
				overhead = after - before - n
			}
			return false
		}
		if text := s.Token().String(); !strings.HasSuffix(text, "000") { // of a page's start
			t.Errorf("token %s", text)
		}
		eventually(t, "a standby answers", func() bool { return who(t, session, p) != "node1" })
		if at := insert(); at != after {
			t.Logf("somebody else wrote up to %d: the test proves nothing", at)
			return false
		}
		return true
	})
}

// A DSN of several servers is one for writing, unless it says otherwise; a single
// server is taken as it is.
func testTarget(t *testing.T, c *cluster) {
	nodes := c.Nodes()
	both := c.urlOf(t, nodes[1], nodes[0])
	for _, test := range []struct {
		name, dsn, node string
		standbys        *pool.Standbys
		err             string
	}{
		{"standby first", both, "node1", nil, ""},
		{"any", both + "&target_session_attrs=any", "node2", nil, ""},
		{"read-only", both + "&target_session_attrs=read-only", "node2", nil, ""},
		{"read-write", both + "&target_session_attrs=read-write", "node1", nil, ""},
		{"primary", both + "&target_session_attrs=primary", "node1", nil, ""},
		{"one standby", c.urlOf(t, nodes[1]), "node2", nil, ""},
		{"standby first, with standbys", both, "node1", &pool.Standbys{}, ""},
		{"any, with standbys", both + "&target_session_attrs=any", "node1", &pool.Standbys{}, ""},
		{"primary, with standbys", both + "&target_session_attrs=primary", "node1", &pool.Standbys{}, ""},
		{"one server, with standbys", c.urlOf(t, nodes[0]), "node1", &pool.Standbys{}, ""},
		{"read-only, with standbys", both + "&target_session_attrs=read-only", "", &pool.Standbys{}, "target_session_attrs asks for a server that takes no writes"},
		{"standby, with standbys", both + "&target_session_attrs=standby", "", &pool.Standbys{}, "target_session_attrs asks for a server that takes no writes"},
		{"prefer-standby, with standbys", both + "&target_session_attrs=prefer-standby", "", &pool.Standbys{}, "target_session_attrs asks for a server that takes no writes"},
		{"too many", both, "", &pool.Standbys{MinConns: 11}, "Standbys.MinConns is 11, more than MaxConns, 10"},
		{"negative", both, "", &pool.Standbys{MaxConns: -1}, "Standbys.MaxConns is -1"},
		{"no interval", both, "", &pool.Standbys{CheckInterval: -1}, "Standbys.CheckInterval is -1ns"},
	} {
		p, err := pool.New(background(), test.dsn, pool.Config{Standbys: test.standbys})
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var node string
		if err := p.QueryRow(limited(t), whoAnswers.SQL).Scan(&node); err != nil || node != test.node {
			t.Errorf("%s: %s, %v", test.name, node, err)
		}
		if (p.Hosts() == nil) != (test.standbys == nil) {
			t.Errorf("%s: hosts %v", test.name, p.Hosts())
		}
		if err := p.Close(limited(t)); err != nil {
			t.Error(err)
		}
	}
	// The defaults, without a change of the caller's own value.
	given := pool.Standbys{}
	p := c.open(t, c.url, given, func(config *pool.Config) { config.Standbys, config.MaxConns = &given, 4 })
	want := pool.Standbys{MaxLag: 10 * time.Second, Wait: 100 * time.Millisecond, CheckInterval: time.Second, MaxConns: 4, MinConns: 1}
	if got := *p.Config().Standbys; got != want || given != (pool.Standbys{}) {
		t.Errorf("defaults %+v, given %+v", got, given)
	}
}

// Without standbys sessions work as well: the one who writes need not be the one
// who reads.
func testWriter(t *testing.T, c *cluster) {
	p, err := pool.New(background(), c.url, pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(background())
	ctx, session := p.WithSession(limited(t))
	wrote, err := runtime.One(ctx, p, addToCount, scanCount, 6)
	if err != nil {
		t.Fatal(err)
	}
	reader := c.open(t, c.url, pool.Standbys{})
	awaitReading(t, reader, c, "node2 node3")
	eventually(t, "a standby has the write", func() bool {
		got, err := runtime.One(reader.WithToken(limited(t), session.Token()), reader, getCount, scanCount, 6)
		if err != nil || got.n != wrote.n {
			t.Fatalf("read %v, %v after %v", got, err, wrote)
		}
		return got.node != "node1"
	})
}
