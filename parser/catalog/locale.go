package catalog

import (
	"hash/fnv"
	"strings"
	"sync"

	"github.com/dbgen/dbgen/parser/pgtype"
)

// locales are the collations of the server's locales that were asked for. They
// are the same for a catalog and its clones.
type locales struct {
	mu     sync.Mutex
	byName map[string]*Collation
	byOID  map[pgtype.OID]*Collation
}

func newLocales() *locales {
	return &locales{byName: map[string]*Collation{}, byOID: map[pgtype.OID]*Collation{}}
}

// Locales get OIDs below those of users' objects, as initdb gives them.
const (
	firstLocale = 13000
	lastLocale  = 16383
)

// named returns the collation that initdb would make of a locale, nil where the
// name is none of a locale's. Which locales there are depends on the machine that
// the server was initialised on (pg_import_system_collations, collationcmds.c):
// one with a well-formed name is taken to be there.
func (l *locales) named(name string) *Collation {
	provider := localeProvider(name)
	if provider == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.byName[name]; c != nil {
		return c
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	const slots = lastLocale - firstLocale + 1
	oid := pgtype.OID(firstLocale + h.Sum32()%slots)
	for l.byOID[oid] != nil {
		if oid++; oid > lastLocale {
			oid = firstLocale
		}
		if len(l.byOID) == slots {
			return nil
		}
	}
	c := &Collation{OID: oid, Schema: "pg_catalog", Name: name, Provider: provider, Deterministic: true}
	l.byName[name], l.byOID[oid] = c, c
	return c
}

func (l *locales) oid(oid pgtype.OID) *Collation {
	if oid < firstLocale || oid > lastLocale {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byOID[oid]
}

// localeProvider is the provider of the locale that a collation's name is made
// of: i for one of ICU (de-x-icu, zh-Hans-CN-x-icu), c for one of the system
// (de_DE, de_DE.utf8, C.UTF-8); 0 for any other name, and for an encoding that is
// not UTF-8.
func localeProvider(name string) byte {
	if tag, ok := strings.CutSuffix(name, "-x-icu"); ok {
		for i, part := range strings.Split(tag, "-") {
			if i == 0 && (len(part) < 2 || len(part) > 3 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != "") ||
				part == "" || len(part) > 8 || strings.ContainsFunc(part, notAlphanumeric) {
				return 0
			}
		}
		return 'i'
	}
	locale, modifier, modified := strings.Cut(name, "@")
	if modified && (modifier == "" || strings.ContainsFunc(modifier, notAlphanumeric)) {
		return 0
	}
	locale, encoding, encoded := strings.Cut(locale, ".")
	if encoded && strings.ToLower(strings.ReplaceAll(encoding, "-", "")) != "utf8" {
		return 0
	}
	if locale == "C" && encoded {
		return 'c'
	}
	// XX is no country.
	language, region, ok := strings.Cut(locale, "_")
	if !ok || len(language) < 2 || len(language) > 3 || strings.Trim(language, "abcdefghijklmnopqrstuvwxyz") != "" ||
		len(region) != 2 || strings.Trim(region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || region == "XX" {
		return 0
	}
	return 'c'
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
