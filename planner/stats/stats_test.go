package stats

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
)

// TestRead prints what Read says of a text: its findings, or the file as Write
// prints it.
func TestRead(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/read", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "read" {
				t.Fatalf("unknown command %s", d.Cmd)
			}
			var out bytes.Buffer
			file, diags := Read("db.stats.json", []byte(strings.ReplaceAll(d.Input, "␀", "\xff")))
			if err := diags.Text(&out, false); err != nil {
				t.Fatal(err)
			}
			if (file == nil) != diags.HasErrors() {
				t.Fatalf("file %v with %d diagnostics", file, len(diags))
			}
			if file != nil {
				if err := Write(&out, file); err != nil {
					t.Fatal(err)
				}
			}
			return out.String()
		})
	})
}

func TestShow(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/show", func(t *testing.T, path string) {
		var file *File
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "file":
				f, diags := Read("db.stats.json", []byte(d.Input))
				if len(diags) > 0 {
					t.Fatal(diags[0].Error())
				}
				file = f
				return ""
			case "show":
				var filter ShowFilter
				for _, arg := range d.CmdArgs {
					switch arg.Key {
					case "tables":
						filter.Tables = arg.Vals
					case "columns":
						filter.Columns = true
					}
				}
				var out bytes.Buffer
				if err := Show(&out, file, filter); err != nil {
					return err.Error()
				}
				return out.String()
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	})
}

// TestRoundTrip writes random files and reads them back.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		file := randomFile(r)
		var first, second bytes.Buffer
		if err := Write(&first, file); err != nil {
			t.Fatal(err)
		}
		got, diags := Read("db.stats.json", first.Bytes())
		if got == nil {
			t.Fatalf("%s\n%s", diags[0].Error(), first.String())
		}
		if diff := cmp.Diff(file, got); diff != "" {
			t.Fatalf("-written +read\n%s", diff)
		}
		if err := Write(&second, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatal("two texts of one file")
		}
		if !json.Valid(first.Bytes()) {
			t.Fatalf("not JSON:\n%s", first.String())
		}
	}
}

func randomFile(r *rand.Rand) *File {
	f4 := func() float64 { return float64(r.Float32()) }
	text := func() string {
		runes := []rune("ab\"\\\n\t é日<&>\u2028{}[],:'")
		out := make([]rune, 1+r.IntN(8))
		for i := range out {
			out[i] = runes[r.IntN(len(runes))]
		}
		return string(out)
	}
	ptr := func(v float64) *float64 { return &v }
	column := func(n int) *Column {
		c := &Column{Number: n, Type: "text", HasStats: true, NullFrac: f4(), Width: r.IntN(100), NDistinct: -f4()}
		if r.IntN(2) == 0 {
			c.Correlation = ptr(f4())
		}
		for range r.IntN(4) {
			c.MCV, c.MCF = append(c.MCV, text()), append(c.MCF, f4()/8)
		}
		slices.SortFunc(c.MCF, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
		if r.IntN(2) == 0 {
			c.Histogram = []string{text(), text(), text()}
		}
		return c
	}
	f := &File{Format: Format, Level: LevelFull, Tables: map[string]*Relation{}}
	f.Server = &Server{VersionNum: 160004, CollectedAt: "2026-11-20T08:15:00.5Z"}
	f.Settings = map[string]string{"work_mem": "4MB", "search_path": text()}
	for i := range 1 + r.IntN(4) {
		rel := &Relation{
			OID: r.Uint32(), Pages: ptr(float64(r.IntN(1e9))), RelTuples: ptr(float64(r.Float32() * 1e9)),
			Columns: map[string]*Column{}, Indexes: map[string]*Index{},
		}
		for n := range 1 + r.IntN(3) {
			rel.Columns[text()+string(rune('a'+n))] = column(n + 1)
		}
		s := text()
		rel.Indexes[text()] = &Index{OID: r.Uint32(), Pages: r.Float64() * 1e12, Tuples: f4(), Min: &s, Max: &s}
		rel.Extended = map[string]*Extended{text(): {Columns: []int{1, 2}, MCV: []ExtMCV{{[]*string{&s, nil}, r.Float64(), r.Float64()}}}}
		f.Tables[Name(text(), string(rune('a'+i)))] = rel
	}
	f.Hidden = []Hidden{{text(), text(), text()}}
	return f
}

// A double that is printed of a float4 must come back as that float4 widened,
// and not as the double nearest to the text.
func TestFloat4(t *testing.T) {
	t.Parallel()
	file, diags := Read("f", []byte(`{"format": "dbgen-stats/1", "tables": {"t": {"reltuples": 1.6777217e7, "columns": {"c": {"null_frac": 0.1}}}}}`))
	if file == nil {
		t.Fatal(diags[0].Error())
	}
	if got := file.Tables["t"].Columns["c"].NullFrac; got != float64(float32(0.1)) {
		t.Errorf("null_frac is %v", got)
	}
	if got := *file.Tables["t"].RelTuples; got != 16777216 {
		t.Errorf("reltuples is %v", got)
	}
}

// TestSchema holds the JSON Schema against the Go types: the same keys of the
// same kinds, nothing more.
func TestSchema(t *testing.T) {
	t.Parallel()
	var root map[string]any
	if err := json.Unmarshal([]byte(Schema()), &root); err != nil {
		t.Fatal(err)
	}
	defs := root["$defs"].(map[string]any)
	var check func(path string, schema map[string]any, typ reflect.Type)
	seen := map[reflect.Type]bool{}
	check = func(path string, schema map[string]any, typ reflect.Type) {
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if ref, ok := schema["$ref"].(string); ok {
			schema = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		want := map[reflect.Kind]string{
			reflect.Struct: "object", reflect.Map: "object", reflect.Slice: "array", reflect.String: "string",
			reflect.Bool: "boolean", reflect.Float64: "number", reflect.Int: "integer", reflect.Uint32: "integer",
		}[typ.Kind()]
		switch kind := schema["type"].(type) {
		case string:
			if kind != want {
				t.Errorf("%s: %s in the schema, %s in Go", path, kind, typ)
			}
		case []any: // a value or null
			if kind[0] != want || len(kind) != 2 || kind[1] != "null" {
				t.Errorf("%s: %v in the schema, %s in Go", path, kind, typ)
			}
		default:
			if schema["const"] == nil {
				t.Errorf("%s: no type in the schema", path)
			}
		}
		switch typ.Kind() {
		case reflect.Map:
			check(path+".*", schema["additionalProperties"].(map[string]any), typ.Elem())
		case reflect.Slice:
			check(path+"[]", schema["items"].(map[string]any), typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			if schema["additionalProperties"] != false {
				t.Errorf("%s: the schema lets other keys in", path)
			}
			properties := schema["properties"].(map[string]any)
			for i := range typ.NumField() {
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				p, ok := properties[name].(map[string]any)
				if !ok {
					t.Errorf("%s.%s is not in the schema", path, name)
					continue
				}
				check(path+"."+name, p, typ.Field(i).Type)
				delete(properties, name)
			}
			for name := range properties {
				t.Errorf("%s.%s is in the schema alone", path, name)
			}
		}
	}
	check("", root, reflect.TypeFor[File]())
	if got := root["properties"].(map[string]any); len(got) != 0 {
		t.Errorf("left over: %v", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, info := range loadSettings() {
		s := &Settings{}
		for major, value := range info.Defaults {
			if err := s.set(info, name, value); err != nil {
				t.Errorf("%s of %s: %v", name, major, err)
			}
		}
	}
	if s := DefaultSettings(15); s.EnablePresortedAggregate || s.DebugParallelQuery != "off" || s.HashMemMultiplier != 2 {
		t.Errorf("defaults of 15: %+v", s)
	}
	s, diags := ParseSettings(16, map[string]string{
		"work_mem": "64MB", "effective_cache_size": "16GB", "min_parallel_table_scan_size": "1024",
		"random_page_cost": "1.1", "Enable_SeqScan": "of", "constraint_exclusion": "ON", "search_path": `"$user", App, "My Schema"`,
		"enable_self_join_elimination": "off", "geqo": "maybe", "wrok_mem": "1", "from_collapse_limit": "0", "jit": "o",
		"join_collapse_limit": "3MB", "max_parallel_workers": "2.5",
	})
	if s.WorkMem != 65536 || s.EffectiveCacheSize != 2097152 || s.MinParallelTableScanSize != 1024 ||
		s.RandomPageCost != 1.1 || s.EnableSeqScan || s.ConstraintExclusion != "on" || s.MaxParallelWorkers != 2 {
		t.Errorf("settings: %+v", s)
	}
	if diff := cmp.Diff([]string{"app", "My Schema"}, s.SearchPathSchemas()); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, d := range diags {
		got = append(got, d.Severity.String()+": "+d.Message+" "+d.Hint)
	}
	want := []string{
		"error: setting from_collapse_limit: 0 is outside the range 1 to 2147483647 ",
		`error: setting geqo: expected on or off, got "maybe" `,
		`error: setting jit: expected on or off, got "o" `,
		`error: setting join_collapse_limit: "3MB": the setting has no unit `,
		`warning: setting "wrok_mem" does not change plans and is passed over did you mean "work_mem"?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for _, x := range [][2]string{{"public", "orders"}, {"a.b", `c"d`}, {"Ünï", "x y"}, {"a", `"`}} {
		key := Name(x[0], x[1])
		schema, name, err := ParseName(key)
		if err != nil || schema != x[0] || name != x[1] {
			t.Errorf("%q: %q %q %v", key, schema, name, err)
		}
	}
	for _, bad := range []string{"", ".", "a.", ".b", "a.b.c", `"a`, `"a"b`, `a"b`, `""`, `a.""`} {
		if _, _, err := ParseName(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	file, diags := Read("f", []byte(`{"format": "dbgen-stats/1", "tables": {"t": {
		"columns": {"c": {"mcv": ["secret"], "mcf": [0.5], "histogram": ["secret", "secret2"], "mc_elem": ["secret"], "mc_elem_freqs": [0.1, 0.1, 0.1]}},
		"indexes": {"i": {"min": "secret", "max": "secret", "columns": {"e": {"mcv": ["secret"], "mcf": [0.5]}}}},
		"extended": {"x": {"columns": [1], "exprs": ["e"], "mcv": [{"values": ["secret", null], "freq": 0.1, "base_freq": 0.1}],
			"expr_stats": [{"histogram": ["secret", "z"]}]}}}}}`))
	if file == nil {
		t.Fatal(diags[0].Error())
	}
	var before, out bytes.Buffer
	if err := Write(&before, file); err != nil {
		t.Fatal(err)
	}
	if err := Write(&out, Shape(file)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("a value is left:\n%s", out.String())
	}
	if !strings.Contains(out.String(), `"mcf": [0.5]`) {
		t.Errorf("the frequencies are gone:\n%s", out.String())
	}
	if got, diags := Read("f", out.Bytes()); got == nil {
		t.Errorf("%s\n%s", diags[0].Error(), out.String())
	}
	var after bytes.Buffer
	if err := Write(&after, file); err != nil || before.String() != after.String() {
		t.Error("the original was changed")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"format": "dbgen-stats/1", "tables": {"orders": {"rows": 6000000}}}`))
	f.Add([]byte(`{"format": "dbgen-stats/1", "level": "shape", "server": {"version_num": 160004}, "tables": {"a.b": {"kind": "p",
		"columns": {"c": {"mcf": [0.5], "type": "integer", "histogram": ["1", "2"]}}, "extended": {"e": {"n_distinct": "{\"1, 2\": 3}"}}}}}`))
	f.Add([]byte("\ufeff{\"format\": \"dbgen-stats/1\", \"tables\": null}"))
	f.Add([]byte(`[[[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, diags := Read("f", data)
		var out bytes.Buffer
		if err := diags.Text(&out, false); err != nil {
			t.Fatal(err)
		}
		if file == nil {
			if !diags.HasErrors() {
				t.Fatal("no file and no error")
			}
			return
		}
		out.Reset()
		if err := Write(&out, file); err != nil {
			t.Fatal(err)
		}
		again, diags := Read("f", out.Bytes())
		if again == nil {
			t.Fatalf("%s\n%s", diags[0].Error(), out.String())
		}
		var second bytes.Buffer
		if err := Write(&second, again); err != nil || second.String() != out.String() {
			t.Fatalf("%v\n%s\n%s", err, out.String(), second.String())
		}
		if err := Show(&second, file, ShowFilter{Columns: true}); err != nil {
			t.Fatal(err)
		}
	})
}
