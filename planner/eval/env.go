package eval

import (
	"strings"

	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/planner/rel"
	"github.com/dbgen/dbgen/planner/stats"
)

// Env is what the meaning of constants depends on: TimeZone, DateStyle, the
// version, and the time of collection as now().
func Env(g *rel.Global) pgtype.Env {
	e := pgtype.Env{Major: g.VersionNum / 10000}
	if s := settings(g); s != nil {
		if loc, ok := pgtype.Zone(s.TimeZone); ok {
			e.Location = loc
		}
		style := strings.ToUpper(s.DateStyle)
		switch {
		case strings.Contains(style, "DMY"):
			e.Order = pgtype.DMY
		case strings.Contains(style, "YMD"):
			e.Order = pgtype.YMD
		}
	}
	if g.Stats != nil {
		e.Now = g.Stats.CollectedAt
	}
	return e
}

func settings(g *rel.Global) *stats.Settings {
	if g.Settings != nil {
		return g.Settings
	}
	if g.Stats != nil {
		return g.Stats.Settings
	}
	return nil
}

// unordered stands for a collation whose order is not known here: no real
// collation has it.
const unordered = ^pgtype.OID(0)

// Bytewise reports whether text under a collation is in the order of its bytes:
// the collations C, POSIX, C.UTF-8 and their kin, and a database's default
// where it is one of them.
func Bytewise(g *rel.Global, coll pgtype.OID) bool {
	return collation(g, coll) != unordered
}

// collation is the collation to compare by: itself, or unordered.
func collation(g *rel.Global, coll pgtype.OID) pgtype.OID {
	switch {
	case coll == 0:
		return pgtype.CCollation
	case coll == pgtype.DefaultCollation:
		if g.Stats == nil || g.Stats.Server == nil || bytewiseName(g.Stats.Server.Provider, g.Stats.Server.Collation) {
			return pgtype.CCollation
		}
		return unordered
	case pgtype.Bytewise(coll):
		return pgtype.CCollation
	}
	if c := g.Catalog.Collation(coll); c != nil && c.Deterministic && c.Provider != 'i' && bytewiseName("", c.Name) {
		return pgtype.CCollation
	}
	return unordered
}

// bytewiseName tells the locales that sort by code points. Provider is
// pg_database.datlocprovider.
func bytewiseName(provider, name string) bool {
	if provider == "i" {
		return false
	}
	switch strings.ToLower(strings.ReplaceAll(name, "-", "")) {
	case "", "c", "posix", "c.utf8", "ucs_basic", "pg_c_utf8", "pg_unicode_fast":
		return true
	}
	return false
}

// deterministic reports whether equal text has equal bytes under a collation.
func deterministic(g *rel.Global, coll pgtype.OID) bool {
	if coll == 0 || coll == pgtype.DefaultCollation || coll == pgtype.CCollation {
		return true
	}
	c := g.Catalog.Collation(coll)
	return c == nil || c.Deterministic
}

// Parser reads texts of one type.
type Parser struct {
	desc *pgtype.Desc
	env  pgtype.Env
}

// NewParser returns a parser for a type, nil for a type whose values are not
// known.
func NewParser(g *rel.Global, typ pgtype.OID) *Parser {
	d := DescOf(g.Catalog, typ)
	if d == nil || !d.Known() {
		return nil
	}
	if !needsZone(d) {
		return &Parser{d, pgtype.Env{Major: g.VersionNum / 10000}}
	}
	return &Parser{d, Env(g)}
}

// needsZone reports whether the texts of a type mean something else under
// another TimeZone, DateStyle or now(). Looking those up costs more than reading
// a number.
func needsZone(d *pgtype.Desc) bool {
	if d.Elem != nil {
		return needsZone(d.Elem)
	}
	if d.Sub != nil {
		return needsZone(d.Sub)
	}
	switch d.OID {
	case pgtype.DateOID, pgtype.TimeOID, pgtype.TimetzOID, pgtype.TimestampOID, pgtype.TimestamptzOID, pgtype.IntervalOID:
		return true
	}
	return false
}

// Parse reads a text; ok is false where the type does not take it.
func (p *Parser) Parse(text string) (v pgtype.Datum, ok bool) {
	v, err := pgtype.Parse(p.desc, text, pgtype.NoTypmod, p.env)
	return v, err == nil
}

// NewPredicate prepares a boolean function of two arguments of pg_catalog for
// calls with many values; nil where it is not listed. A call that cannot be
// answered is not ok; NULL counts as false. Text under a collation that is not
// in byte order is compared by its bytes all the same, and the plan becomes
// approximate.
func NewPredicate(g *rel.Global, fn, inputColl pgtype.OID) func(a, b pgtype.Datum) (result, ok bool) {
	f := g.Catalog.Func(fn)
	if f == nil || f.Schema != "pg_catalog" {
		return nil
	}
	fo := &folder{g: g, cat: g.Catalog}
	im := fo.implementation(f)
	if im == nil {
		return nil
	}
	c := &call{f: fo, fn: f, input: inputColl, loose: true, args: make([]pgtype.Datum, 2)}
	if len(f.Args) == 2 {
		c.types = f.Args
	}
	return func(a, b pgtype.Datum) (bool, bool) {
		c.args[0], c.args[1] = a, b
		v, ok := im(c)
		return ok && !v.IsNull() && v.Bool(), ok
	}
}
