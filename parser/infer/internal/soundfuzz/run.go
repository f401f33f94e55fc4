package soundfuzz

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser/catalog/builtin"
)

// Options steer a run.
type Options struct {
	// Conns are connections to databases of one server that are the run's alone.
	Conns []*pgconn.PgConn
	Major int
	// Seed is that of the first schema; each schema takes the next.
	Seed uint64
	// Schemas and Queries bound the run, PerSchema queries for each schema; where
	// Schemas is 0 the run ends at Until.
	Schemas, PerSchema int
	Until              time.Time
	// Known are causes that are not looked at again.
	Known map[string]bool
	// Fault is called for each new cause, with a text to replay it by.
	Fault func(text string)
}

// Run makes schemas and queries and reports what differs.
func Run(o Options) (*Stats, error) {
	base, err := builtin.Load(o.Major)
	if err != nil {
		return nil, err
	}
	if len(o.Conns) != variants {
		return nil, fmt.Errorf("%d connections are needed", variants)
	}
	for _, c := range o.Conns {
		if err := run(c, "SET synchronous_commit = off; SET client_min_messages = error; SET jit = off; SET timezone = 'UTC'"); err != nil {
			return nil, err
		}
	}
	stats := &Stats{Refusals: map[string]int{}}
	for i := 0; ; i++ {
		if o.Schemas > 0 && i >= o.Schemas || o.Schemas == 0 && time.Now().After(o.Until) {
			return stats, nil
		}
		seed := o.Seed + uint64(i)
		w, err := build(o.Conns, base, stats, seed)
		if err != nil {
			return stats, fmt.Errorf("schema %d: %w", seed, err)
		}
		for _, f := range w.faults {
			if !o.Known[f.key()] {
				o.Known[f.key()] = true
				o.Fault(fmt.Sprintf("%s\nseed %d: %s\n%s", f.key(), seed, f.text, w.script(-1)))
			}
		}
		w.faults = nil
		shared := newGenerator(w.cat, seed, 0)
		shared.collect()
		for k := range o.PerSchema {
			g := newGenerator(w.cat, seed, uint64(k)+1)
			g.share(shared)
			g.calm = seed%2 == 0 && k%4 != 0
			n := g.statement()
			if k%3 == 2 && !g.calm {
				n = g.mutate(n)
			}
			sql := n.String()
			if len(sql) > 6000 || strings.TrimSpace(sql) == "" {
				continue
			}
			faults, err := w.check(sql)
			if err != nil {
				return stats, fmt.Errorf("schema %d query %d: %w\n%s", seed, k, err, sql)
			}
			dirty := false
			for _, f := range faults {
				if o.Known[f.key()] {
					continue
				}
				o.Known[f.key()] = true
				text, err := w.smallest(n, f)
				if err != nil {
					return stats, err
				}
				o.Fault(fmt.Sprintf("%s\nseed %d query %d: %s", f.key(), seed, k, text))
				dirty = true
				break
			}
			if dirty {
				// Cutting down has changed the databases.
				if w, err = rebuild(w, []int{0, 1, 2, 3}, w.schema, w.data); err != nil {
					return stats, err
				}
				w.stats = stats
				shared = newGenerator(w.cat, seed, 0)
				shared.collect()
			}
		}
	}
}

// smallest cuts a statement, the schema and the data down to what a fault needs.
func (w *world) smallest(n *node, f fault) (string, error) {
	var broken error
	last := f.text
	now := w
	quiet := &Stats{}
	w.stats, quiet = quiet, w.stats
	defer func() { w.stats = quiet }()
	fails := func() bool {
		faults, err := now.check(n.String())
		if err != nil {
			broken = errors.Join(broken, err)
			return false
		}
		for _, x := range faults {
			if x.key() == f.key() {
				last = x.text
				return true
			}
		}
		return false
	}
	// The tree is shared with nothing: a statement is generated for one check.
	root := seq(n)
	active := []int{max(variantOf(f.text), 0)}
	cut := func(schema []*node, data [variants][]*node) error {
		r, err := rebuild(w, active, schema, data)
		if err == nil {
			now = r
		}
		return err
	}
	now.active = active
	shrink(root, 250, fails)
	at := active[0]
	whole := clone(seq(listOf(";\n", 0, w.schema...), listOf(";\n", 0, w.data[at]...)))
	lists := func() (data [variants][]*node) {
		data[at] = whole.kids[1].kids
		return data
	}
	shrink(whole, 120, func() bool {
		if err := cut(whole.kids[0].kids, lists()); err != nil {
			broken = errors.Join(broken, err)
			return false
		}
		return fails()
	})
	if err := cut(whole.kids[0].kids, lists()); err != nil {
		return "", errors.Join(broken, err)
	}
	fails()
	return fmt.Sprintf("%s\n%s%s;\n", last, now.script(variantOf(last)), n), broken
}

func clone(n *node) *node {
	c := *n
	c.kids = nil
	for _, k := range n.kids {
		c.kids = append(c.kids, clone(k))
	}
	return &c
}

// variantOf is the number of the data that a fault's text names, -1 for none.
func variantOf(text string) int {
	_, rest, ok := strings.Cut(text, "with data ")
	at := -1
	if ok {
		_, _ = fmt.Sscan(rest, &at)
	}
	return at
}

// script is the schema and one variant of the data.
func (w *world) script(variant int) string {
	var b strings.Builder
	for _, n := range w.schema {
		b.WriteString(n.String() + ";\n")
	}
	if variant >= 0 {
		for _, n := range w.data[variant] {
			b.WriteString(n.String() + ";\n")
		}
	}
	return b.String()
}
