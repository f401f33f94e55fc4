package stats

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Write writes a statistics file: the same bytes for the same File, one line a
// setting, table, column and index, names in order, so that two files compare
// well line by line. float4 values are printed as the server prints them, in
// the shortest text that reads back to the same float4. It returns the
// writer's error, and one for a number that is not finite.
func Write(w io.Writer, file *File) error {
	p := &printer{out: bufio.NewWriter(w)}
	p.print("{\n\"format\": ", file.Format)
	if file.Level != "" {
		p.print(",\n\"level\": ", file.Level)
	}
	if file.Server != nil {
		p.print(",\n\"server\": ", file.Server)
	}
	if len(file.Settings) > 0 {
		p.raw(",\n\"settings\": ")
		lines(p, "  ", "", file.Settings, func(s string) { p.print("", s) })
	}
	p.raw(",\n\"tables\": ")
	lines(p, "  ", "", file.Tables, p.relation)
	if len(file.Hidden) > 0 {
		p.raw(",\n\"hidden\": [")
		for i := range file.Hidden {
			p.print(separator(i)+"\n  ", &file.Hidden[i])
		}
		p.raw("\n]")
	}
	p.raw("\n}\n")
	if p.err != nil {
		return fmt.Errorf("write statistics: %w", p.err)
	}
	if err := p.out.Flush(); err != nil {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}

type printer struct {
	out *bufio.Writer
	err error
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func (p *printer) raw(s string) {
	if _, err := p.out.WriteString(s); err != nil && p.err == nil {
		p.err = err
	}
}

func (p *printer) print(before string, v any) {
	p.raw(before)
	line, err := appendValue(nil, reflect.ValueOf(v), "")
	if err != nil && p.err == nil {
		p.err = err
	}
	p.raw(string(line))
}

// lines writes a map as an object with one entry a line.
func lines[V any](p *printer, indent, closing string, m map[string]V, value func(V)) {
	p.raw("{")
	for i, key := range slices.Sorted(maps.Keys(m)) {
		p.print(separator(i)+"\n"+indent, key)
		p.raw(": ")
		value(m[key])
	}
	p.raw("\n" + closing + "}")
}

// relation writes the table's own facts on its line and each column and index
// on one below it.
func (p *printer) relation(rel *Relation) {
	if rel == nil {
		rel = &Relation{}
	}
	head := *rel
	head.Columns, head.Tree, head.Indexes, head.Extended, head.ExtendedTree = nil, nil, nil, nil, nil
	line, err := appendValue(nil, reflect.ValueOf(&head), "")
	if err != nil && p.err == nil {
		p.err = err
	}
	p.raw(strings.TrimSuffix(string(line), "}"))
	first := string(line) == "{}"
	section := func(name string, n int, write func()) {
		if n == 0 {
			return
		}
		if !first {
			p.raw(",")
		}
		first = false
		p.raw("\n    \"" + name + "\": ")
		write()
	}
	column := func(c *Column) { p.print("", c) }
	extended := func(x *Extended) { p.print("", x) }
	section("columns", len(rel.Columns), func() { lines(p, "      ", "    ", rel.Columns, column) })
	section("tree", len(rel.Tree), func() { lines(p, "      ", "    ", rel.Tree, column) })
	section("indexes", len(rel.Indexes), func() {
		lines(p, "      ", "    ", rel.Indexes, func(x *Index) { p.print("", x) })
	})
	section("extended", len(rel.Extended), func() { lines(p, "      ", "    ", rel.Extended, extended) })
	section("extended_tree", len(rel.ExtendedTree), func() { lines(p, "      ", "    ", rel.ExtendedTree, extended) })
	p.raw("}")
}

// appendValue appends v as JSON in one line. Fields are in the order of their
// declaration, the keys of maps sorted.
func appendValue(b []byte, v reflect.Value, tag string) ([]byte, error) {
	var err error
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		return appendValue(b, v.Elem(), tag)
	case reflect.String:
		return appendString(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Uint32:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case reflect.Float64:
		return appendFloat(b, v.Float(), tag)
	case reflect.Slice:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ", "...)
			}
			if b, err = appendValue(b, v.Index(i), tag); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case reflect.Map:
		b = append(b, '{')
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		for i, k := range keys {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendString(b, k.String()), ": "...)
			if b, err = appendValue(b, v.MapIndex(k), tag); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	case reflect.Struct:
		b = append(b, '{')
		n := 0
		for i := range v.NumField() {
			field := v.Type().Field(i)
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			value := v.Field(i)
			if options == "omitempty" && empty(value) {
				continue
			}
			if n > 0 {
				b = append(b, ", "...)
			}
			n++
			b = append(appendString(b, name), ": "...)
			if b, err = appendValue(b, value, field.Tag.Get("pg")); err != nil {
				return b, fmt.Errorf("%s: %w", name, err)
			}
		}
		return append(b, '}'), nil
	}
	return b, fmt.Errorf("no form for %s", v.Type())
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func appendString(b []byte, s string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	// A string cannot fail to encode and a Buffer cannot fail to take it.
	_ = e.Encode(s)
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

func appendFloat(b []byte, f float64, tag string) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, fmt.Errorf("%v is no number of a statistics file", f)
	}
	bits := 64
	if tag == "float4" {
		bits = 32
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-9 || a >= 1e21) {
		format = 'g'
	}
	return strconv.AppendFloat(b, f+0, format, -1, bits), nil
}
