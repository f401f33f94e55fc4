// Command capture writes planner/stats/settings.json: the settings of
// PostgreSQL that planning reads, with their kinds, units and defaults in each
// major version, as the servers themselves tell them.
//
//	go run ./planner/stats/capture URL… > planner/stats/settings.json
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// settings are those of the planner, of the memory and workers that it counts
// on, and those that change what the text of a constant means.
const settings = `
SELECT name, vartype, coalesce(unit, ''), coalesce(enumvals, '{}'), coalesce(min_val, ''), coalesce(max_val, ''),
       coalesce(boot_val, '')
FROM pg_settings
WHERE category LIKE 'Query Tuning%'
   OR name IN ('work_mem', 'hash_mem_multiplier', 'max_parallel_workers', 'max_parallel_workers_per_gather',
               'parallel_leader_participation', 'force_parallel_mode', 'debug_parallel_query',
               'search_path', 'TimeZone', 'DateStyle', 'IntervalStyle', 'default_text_search_config')
ORDER BY name`

type setting struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Unit     string            `json:"unit,omitempty"`
	Values   []string          `json:"values,omitempty"`
	Min      string            `json:"min,omitempty"`
	Max      string            `json:"max,omitempty"`
	Defaults map[string]string `json:"defaults"`
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, urls []string) error {
	all := map[string]*setting{}
	for _, url := range urls {
		if err := read(ctx, url, all); err != nil {
			return err
		}
	}
	sep := "[\n"
	for _, name := range slices.Sorted(maps.Keys(all)) {
		line, err := json.Marshal(all[name])
		if err != nil {
			return err
		}
		fmt.Print(sep, string(line))
		sep = ",\n"
	}
	fmt.Print("\n]\n")
	return nil
}

// read adds the settings of one server; kinds and bounds are those of the last
// server that has the setting.
func read(ctx context.Context, url string, all map[string]*setting) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, settings)
	if err != nil {
		return err
	}
	for rows.Next() {
		s, value := setting{Defaults: map[string]string{}}, ""
		if err := rows.Scan(&s.Name, &s.Type, &s.Unit, &s.Values, &s.Min, &s.Max, &value); err != nil {
			return err
		}
		if old := all[s.Name]; old != nil {
			s.Defaults = old.Defaults
		}
		s.Defaults[strconv.Itoa(version/10000)] = value
		all[s.Name] = &s
	}
	return rows.Err()
}
