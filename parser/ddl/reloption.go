package ddl

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
)

// parameter is a storage parameter: its type (b boolean, i integer, r real, e
// one of words) and the values that it may have.
type parameter struct {
	kind     byte
	min, max float64
	words    string
}

const maxInt = math.MaxInt32

// parametersOf are the storage parameters of a kind of relation, of the columns
// of one for a, or of an index by its access method; nil where they are not known
// (boolRelOpts, intRelOpts, realRelOpts and enumRelOpts, reloptions.c).
func parametersOf(kind byte, method string) map[string]parameter {
	fill := func(low float64) parameter { return parameter{kind: 'i', min: low, max: 100} }
	flag := parameter{kind: 'b'}
	number := func(low, high float64) parameter { return parameter{kind: 'i', min: low, max: high} }
	share := parameter{kind: 'r', max: 100}
	switch kind {
	case catalog.KindView:
		return map[string]parameter{
			"security_barrier": flag, "security_invoker": flag, "check_option": {kind: 'e', words: "local cascaded"},
		}
	case 'a':
		distinct := parameter{kind: 'r', min: -1, max: math.MaxFloat64}
		return map[string]parameter{"n_distinct": distinct, "n_distinct_inherited": distinct}
	case catalog.KindTable, catalog.KindMatView, catalog.KindForeign:
		return map[string]parameter{
			"fillfactor": fill(10), "autovacuum_enabled": flag, "user_catalog_table": flag, "vacuum_truncate": flag,
			"autovacuum_vacuum_threshold": number(0, maxInt), "autovacuum_vacuum_insert_threshold": number(-1, maxInt),
			"autovacuum_analyze_threshold": number(0, maxInt), "autovacuum_vacuum_cost_limit": number(1, 10000),
			"autovacuum_freeze_min_age": number(0, 1e9), "autovacuum_multixact_freeze_min_age": number(0, 1e9),
			"autovacuum_freeze_max_age": number(1e5, 2e9), "autovacuum_multixact_freeze_max_age": number(1e4, 2e9),
			"autovacuum_freeze_table_age": number(0, 2e9), "autovacuum_multixact_freeze_table_age": number(0, 2e9),
			"log_autovacuum_min_duration": number(-1, maxInt), "toast_tuple_target": number(128, 8160),
			"parallel_workers": number(0, 1024), "autovacuum_vacuum_cost_delay": share,
			"autovacuum_vacuum_scale_factor": share, "autovacuum_vacuum_insert_scale_factor": share,
			"autovacuum_analyze_scale_factor": share, "vacuum_index_cleanup": {kind: 'e', words: "auto on off true false yes no 1 0"},
			// Since PostgreSQL 18.
			"autovacuum_vacuum_max_threshold": number(-1, maxInt), "vacuum_max_eager_freeze_failure_rate": {kind: 'r', max: 1},
		}
	case kindIndex:
		switch method {
		case "btree":
			return map[string]parameter{
				"fillfactor": fill(10), "deduplicate_items": flag, "vacuum_cleanup_index_scale_factor": {kind: 'r', max: 1e10},
			}
		case "hash", "spgist":
			return map[string]parameter{"fillfactor": fill(10)}
		case "gist":
			return map[string]parameter{"fillfactor": fill(10), "buffering": {kind: 'e', words: "on off auto"}}
		case "gin":
			return map[string]parameter{"fastupdate": flag, "gin_pending_list_limit": number(64, maxInt)}
		case "brin":
			return map[string]parameter{"pages_per_range": number(1, 131072), "autosummarize": flag}
		}
	}
	return nil
}

// checkOptions refuses storage parameters that a kind of relation does not have
// and values that they cannot take (parseRelOptions, reloptions.c).
func (a *applier) checkOptions(kind byte, method string, options []*pg.Node) {
	known := parametersOf(kind, method)
	seen := map[string]bool{}
	for _, n := range options {
		d := n.GetDefElem()
		name := d.Defname
		switch {
		case d.Defnamespace == "toast" && (kind == catalog.KindTable || kind == catalog.KindMatView):
			continue
		case d.Defnamespace != "":
			a.fail("22023", noLoc, "unrecognized parameter namespace %q", d.Defnamespace)
		case name == "oids" && kind == catalog.KindTable:
			if defBool(d) {
				a.fail("0A000", noLoc, "tables declared WITH OIDS are not supported")
			}
			continue
		case known == nil:
			continue
		}
		if seen[name] {
			a.fail("22023", noLoc, "parameter %q specified more than once", name)
		}
		seen[name] = true
		p, ok := known[name]
		if !ok {
			a.fail("22023", noLoc, "unrecognized parameter %q", name)
		}
		a.checkValue(name, p, d)
	}
}

func (a *applier) checkValue(name string, p parameter, d *pg.DefElem) {
	value := defString(d)
	if d.Arg == nil {
		value = "true"
	}
	var v float64
	var err error
	word := ""
	switch p.kind {
	case 'b':
		if !isBool(value) {
			a.fail("22023", noLoc, "invalid value for boolean option %q: %s", name, value)
		}
		return
	case 'e':
		words := strings.Fields(p.words)
		for _, w := range words {
			if strings.EqualFold(w, value) {
				return
			}
		}
		a.fail("22023", noLoc, "invalid value for enum option %q: %s", name, value)
	case 'i':
		word = "integer"
		v, err = strconv.ParseFloat(value, 64)
		if err == nil && (v > math.MaxInt32 || v < math.MinInt32) {
			err = strconv.ErrRange
		}
	default:
		word = "floating point"
		v, err = strconv.ParseFloat(value, 64)
	}
	if err != nil {
		a.fail("22023", noLoc, "invalid value for %s option %q: %s", word, name, value)
	}
	if v < p.min || v > p.max {
		low, high := fmt.Sprintf("%.0f", p.min), fmt.Sprintf("%.0f", p.max)
		if p.kind == 'r' {
			low, high = fmt.Sprintf("%f", p.min), fmt.Sprintf("%f", p.max)
		}
		a.failMore("22023", noLoc, fmt.Sprintf("Valid values are between %q and %q.", low, high), "",
			"value %s out of bounds for option %q", value, name)
	}
}

// isBool reports whether a text is a boolean (parse_bool, bool.c).
func isBool(s string) bool {
	s = strings.ToLower(s)
	for _, w := range []string{"true", "false", "yes", "no"} {
		if s != "" && strings.HasPrefix(w, s) {
			return true
		}
	}
	switch s {
	case "on", "of", "off", "1", "0":
		return true
	}
	return false
}
