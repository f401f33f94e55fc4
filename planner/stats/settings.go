package stats

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
)

// Settings are the server settings that planning reads, parsed. Their names are
// the server's. A setting that the version does not have is off or zero.
type Settings struct {
	// Costs, in units of one sequential page fetch.
	SeqPageCost, RandomPageCost                   float64
	CPUTupleCost, CPUIndexTupleCost               float64
	CPUOperatorCost                               float64
	ParallelTupleCost, ParallelSetupCost          float64
	RecursiveWorktableFactor, CursorTupleFraction float64

	EffectiveCacheSize       float64 // pages
	WorkMem                  int     // kB
	HashMemMultiplier        float64
	MinParallelTableScanSize float64 // pages
	MinParallelIndexScanSize float64 // pages

	MaxParallelWorkersPerGather, MaxParallelWorkers int
	ParallelLeaderParticipation                     bool
	// DebugParallelQuery is off, on or regress; force_parallel_mode in 15.
	DebugParallelQuery string

	EnableAsyncAppend, EnableBitmapScan, EnableGatherMerge      bool
	EnableHashAgg, EnableHashJoin, EnableIncrementalSort        bool
	EnableIndexScan, EnableIndexOnlyScan, EnableMaterial        bool
	EnableMemoize, EnableMergeJoin, EnableNestLoop              bool
	EnableParallelAppend, EnableParallelHash                    bool
	EnablePartitionPruning, EnablePartitionwiseJoin             bool
	EnablePartitionwiseAggregate, EnableSeqScan                 bool
	EnableSort, EnableTidScan                                   bool
	EnablePresortedAggregate                                    bool // from 16
	EnableGroupByReordering                                     bool // from 17
	EnableDistinctReordering, EnableSelfJoinElimination         bool // from 18
	FromCollapseLimit, JoinCollapseLimit                        int
	GEQO                                                        bool
	GEQOThreshold, GEQOEffort, GEQOPoolSize, GEQOGenerations    int
	GEQOSelectionBias, GEQOSeed                                 float64
	DefaultStatisticsTarget                                     int
	ConstraintExclusion                                         string // partition, on, off
	PlanCacheMode                                               string // auto, force_generic_plan, force_custom_plan
	JIT                                                         bool   // changes what EXPLAIN adds, not the plan
	JITAboveCost, JITInlineAboveCost, JITOptimizeAboveCost      float64
	TimeZone, DateStyle, IntervalStyle, DefaultTextSearchConfig string
	// SearchPath is as SHOW prints it.
	SearchPath string
}

//go:embed settings.json
var settingsJSON []byte

// settingInfo is what the servers say of a setting (pg_settings).
type settingInfo struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Unit     string            `json:"unit"`
	Values   []string          `json:"values"`
	Min      string            `json:"min"`
	Max      string            `json:"max"`
	Defaults map[string]string `json:"defaults"`
}

// loadSettings returns the captured facts by name.
func loadSettings() map[string]*settingInfo {
	var list []*settingInfo
	if err := json.Unmarshal(settingsJSON, &list); err != nil {
		// The data is embedded; a test reads it.
		panic(fmt.Sprintf("settings.json: %v", err))
	}
	out := make(map[string]*settingInfo, len(list))
	for _, s := range list {
		out[s.Name] = s
	}
	return out
}

// SettingNames returns the names of the settings that planning reads, in any of
// the versions, sorted.
func SettingNames() []string { return slices.Sorted(maps.Keys(loadSettings())) }

// target returns where a setting is kept; a *bool, *int, *float64 or *string.
func (s *Settings) target(name string) any {
	return map[string]any{
		"seq_page_cost": &s.SeqPageCost, "random_page_cost": &s.RandomPageCost,
		"cpu_tuple_cost": &s.CPUTupleCost, "cpu_index_tuple_cost": &s.CPUIndexTupleCost,
		"cpu_operator_cost": &s.CPUOperatorCost, "parallel_tuple_cost": &s.ParallelTupleCost,
		"parallel_setup_cost": &s.ParallelSetupCost, "recursive_worktable_factor": &s.RecursiveWorktableFactor,
		"cursor_tuple_fraction": &s.CursorTupleFraction, "effective_cache_size": &s.EffectiveCacheSize,
		"work_mem": &s.WorkMem, "hash_mem_multiplier": &s.HashMemMultiplier,
		"min_parallel_table_scan_size":    &s.MinParallelTableScanSize,
		"min_parallel_index_scan_size":    &s.MinParallelIndexScanSize,
		"max_parallel_workers_per_gather": &s.MaxParallelWorkersPerGather,
		"max_parallel_workers":            &s.MaxParallelWorkers,
		"parallel_leader_participation":   &s.ParallelLeaderParticipation,
		"debug_parallel_query":            &s.DebugParallelQuery, "force_parallel_mode": &s.DebugParallelQuery,
		"enable_async_append": &s.EnableAsyncAppend, "enable_bitmapscan": &s.EnableBitmapScan,
		"enable_gathermerge": &s.EnableGatherMerge, "enable_hashagg": &s.EnableHashAgg,
		"enable_hashjoin": &s.EnableHashJoin, "enable_incremental_sort": &s.EnableIncrementalSort,
		"enable_indexscan": &s.EnableIndexScan, "enable_indexonlyscan": &s.EnableIndexOnlyScan,
		"enable_material": &s.EnableMaterial, "enable_memoize": &s.EnableMemoize,
		"enable_mergejoin": &s.EnableMergeJoin, "enable_nestloop": &s.EnableNestLoop,
		"enable_parallel_append": &s.EnableParallelAppend, "enable_parallel_hash": &s.EnableParallelHash,
		"enable_partition_pruning":       &s.EnablePartitionPruning,
		"enable_partitionwise_join":      &s.EnablePartitionwiseJoin,
		"enable_partitionwise_aggregate": &s.EnablePartitionwiseAggregate,
		"enable_seqscan":                 &s.EnableSeqScan, "enable_sort": &s.EnableSort, "enable_tidscan": &s.EnableTidScan,
		"enable_presorted_aggregate":   &s.EnablePresortedAggregate,
		"enable_group_by_reordering":   &s.EnableGroupByReordering,
		"enable_distinct_reordering":   &s.EnableDistinctReordering,
		"enable_self_join_elimination": &s.EnableSelfJoinElimination,
		"from_collapse_limit":          &s.FromCollapseLimit, "join_collapse_limit": &s.JoinCollapseLimit,
		"geqo": &s.GEQO, "geqo_threshold": &s.GEQOThreshold, "geqo_effort": &s.GEQOEffort,
		"geqo_pool_size": &s.GEQOPoolSize, "geqo_generations": &s.GEQOGenerations,
		"geqo_selection_bias": &s.GEQOSelectionBias, "geqo_seed": &s.GEQOSeed,
		"default_statistics_target": &s.DefaultStatisticsTarget, "constraint_exclusion": &s.ConstraintExclusion,
		"plan_cache_mode": &s.PlanCacheMode, "jit": &s.JIT, "jit_above_cost": &s.JITAboveCost,
		"jit_inline_above_cost": &s.JITInlineAboveCost, "jit_optimize_above_cost": &s.JITOptimizeAboveCost,
		"TimeZone": &s.TimeZone, "DateStyle": &s.DateStyle, "IntervalStyle": &s.IntervalStyle,
		"default_text_search_config": &s.DefaultTextSearchConfig, "search_path": &s.SearchPath,
	}[name]
}

// DefaultSettings returns the settings of a new server of a major version, 15
// to 18; of the nearest of these for another one.
func DefaultSettings(major int) *Settings {
	s := &Settings{}
	version := strconv.Itoa(min(max(major, 15), 18))
	for name, info := range loadSettings() {
		if value, ok := info.Defaults[version]; ok {
			// The servers' own values cannot be wrong; a test goes over all.
			_ = s.set(info, name, value)
		}
	}
	return s
}

// ParseSettings lays values, as SHOW prints them or as one writes them in
// postgresql.conf (4MB, 200ms, on), over the defaults of a major version. An
// unknown name is a warning, with the nearest known one; a name of another
// version is passed over; a bad value is an error, and the default stays. The
// diagnostics have no place.
func ParseSettings(major int, values map[string]string) (*Settings, diag.List) {
	s := DefaultSettings(major)
	known := loadSettings()
	var diags diag.List
	for _, name := range slices.Sorted(maps.Keys(values)) {
		info := known[name]
		if info == nil {
			// Names of settings are the same in any case (guc_name_compare).
			for k := range known {
				if strings.EqualFold(k, name) {
					info = known[k]
				}
			}
		}
		if info == nil {
			hint := ""
			if near, ok := diag.DidYouMean(name, slices.Collect(maps.Keys(known))); ok {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			diags.Add(diag.Diagnostic{
				Severity: diag.Warning, Code: code, Hint: hint,
				Message: fmt.Sprintf("setting %q does not change plans and is passed over", name),
			})
			continue
		}
		if _, ok := info.Defaults[strconv.Itoa(min(max(major, 15), 18))]; !ok {
			continue
		}
		if err := s.set(info, info.Name, values[name]); err != nil {
			diags.Add(diag.Diagnostic{
				Severity: diag.Error, Code: code, Message: fmt.Sprintf("setting %s: %v", name, err),
			})
		}
	}
	return s, diags
}

func (s *Settings) set(info *settingInfo, name, value string) error {
	switch p := s.target(name).(type) {
	case *string:
		if info.Type == "enum" {
			i := slices.IndexFunc(info.Values, func(v string) bool { return strings.EqualFold(v, value) })
			if i < 0 {
				return fmt.Errorf("expected one of %s, got %q", strings.Join(info.Values, ", "), value)
			}
			value = info.Values[i]
		}
		*p = value
	case *bool:
		b, err := parseBool(value)
		if err != nil {
			return err
		}
		*p = b
	case *int:
		v, err := parseQuantity(info, value)
		if err != nil {
			return err
		}
		*p = int(v)
	case *float64:
		v, err := parseQuantity(info, value)
		if err != nil {
			return err
		}
		*p = v
	default:
		return fmt.Errorf("no such setting")
	}
	return nil
}

// parseBool takes what the server takes: any beginning of true, false, yes, no,
// on and off that is not a beginning of two of them, and 1 and 0
// (parse_bool_with_len, bool.c).
func parseBool(value string) (bool, error) {
	v := strings.ToLower(strings.TrimSpace(value))
	switch {
	case v == "1", v == "on", v != "" && (strings.HasPrefix("true", v) || strings.HasPrefix("yes", v)):
		return true, nil
	case v == "0", len(v) > 1 && strings.HasPrefix("off", v), v != "" && (strings.HasPrefix("false", v) || strings.HasPrefix("no", v)):
		return false, nil
	}
	return false, fmt.Errorf("expected on or off, got %q", value)
}

// parseQuantity reads a number with an optional unit and gives it in the
// setting's base unit; integers are rounded to the nearest, ties to even, as
// rint does (parse_int and parse_real, guc.c).
func parseQuantity(info *settingInfo, value string) (float64, error) {
	text := strings.TrimSpace(value)
	end := len(text)
	for end > 0 && (text[end-1] >= 'a' && text[end-1] <= 'z' || text[end-1] >= 'A' && text[end-1] <= 'Z') {
		end--
	}
	number, unit := strings.TrimSpace(text[:end]), text[end:]
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("expected a number, got %q", value)
	}
	if unit != "" {
		from, ok := unitSize(unit)
		base, known := unitSize(strings.TrimLeft(info.Unit, "0123456789"))
		if !ok || !known {
			if info.Unit == "" {
				return 0, fmt.Errorf("%q: the setting has no unit", value)
			}
			return 0, fmt.Errorf("unknown unit %q: B, kB, MB, GB and TB are known", unit)
		}
		if blocks := strings.TrimRight(info.Unit, "kMGTB"); blocks != "" {
			n, err := strconv.ParseFloat(blocks, 64)
			if err != nil {
				return 0, fmt.Errorf("unknown unit %q", info.Unit)
			}
			base *= n
		}
		v = v * from / base
	}
	if info.Type == "integer" {
		v = math.RoundToEven(v)
	}
	lo, loErr := strconv.ParseFloat(info.Min, 64)
	hi, hiErr := strconv.ParseFloat(info.Max, 64)
	if loErr == nil && v < lo || hiErr == nil && v > hi {
		return 0, fmt.Errorf("%s is outside the range %s to %s", value, info.Min, info.Max)
	}
	return v, nil
}

// unitSize is the number of bytes of a unit (memory_unit_conversion_table,
// guc.c). No setting of the planner is a time.
func unitSize(unit string) (float64, bool) {
	size, ok := map[string]float64{"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}[unit]
	return size, ok
}

// SearchPathSchemas returns the schemas of a search_path; "$user" is left out,
// since whose it is is not known.
func (s *Settings) SearchPathSchemas() []string {
	var out []string
	for _, item := range strings.Split(s.SearchPath, ",") {
		item = strings.TrimSpace(item)
		if q, ok := strings.CutPrefix(item, `"`); ok {
			item = strings.ReplaceAll(strings.TrimSuffix(q, `"`), `""`, `"`)
		} else {
			item = strings.ToLower(item)
		}
		if item != "" && item != "$user" {
			out = append(out, item)
		}
	}
	return out
}
