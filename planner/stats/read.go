package stats

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// code is the code of every diagnostic of the package.
const code = "stats"

// Read reads a statistics file. name is what findings call it. It is strict: an
// unknown key, a value of another kind, a count below zero, lists that do not
// belong together are errors with their place. The File is nil when there is an
// error.
//
// What pg_statistic keeps as float4 (null_frac, n_distinct, mcf, correlation and
// the like) is read as float32 and widened, as the server does; with the extra
// digits of a double every estimate that uses them would be off in its last
// places.
func Read(name string, data []byte) (*File, diag.List) {
	r := &reader{src: source.NewFile(name, string(data)), fields: map[reflect.Type]map[string]field{}}
	root, err := parseJSON(r.src.Text, r.src.TextStart())
	if err != nil {
		r.errorf(err.span, "%s", err.message)
		return nil, r.diags
	}
	if root.kind != objectNode {
		r.errorf(root.span, "expected an object, got %s", root.kind)
		return nil, r.diags
	}
	// Another version may have any keys, so this comes before the keys.
	if !r.format(root) {
		return nil, r.diags
	}
	file := &File{}
	r.value(root, reflect.ValueOf(file).Elem(), "", "")
	if !r.diags.HasErrors() {
		r.check(root, file)
	}
	r.diags.Sort()
	if r.diags.HasErrors() {
		return nil, r.diags
	}
	return file, r.diags
}

type reader struct {
	src    *source.File
	diags  diag.List
	fields map[reflect.Type]map[string]field
}

// field is where a key's value goes; tag is its pg tag.
type field struct {
	index int
	tag   string
}

func (r *reader) errorf(at source.Span, format string, args ...any) {
	r.add(diag.Error, at, "", format, args...)
}

func (r *reader) add(s diag.Severity, at source.Span, hint, format string, args ...any) {
	r.diags.Add(diag.Diagnostic{
		Severity: s, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint, File: r.src, Span: at,
	})
}

func (r *reader) format(root *node) bool {
	f := root.get("format")
	switch {
	case f == nil:
		at := source.Span{Start: root.span.Start, End: root.span.Start + 1}
		r.add(diag.Error, at, fmt.Sprintf("a statistics file begins with {\"format\": %q, …", Format), "the key \"format\" is missing")
	case f.kind != stringNode:
		r.errorf(f.span, "format: expected a string, got %s", f.kind)
	case f.text != Format:
		r.add(diag.Error, f.span, "collect it anew with dbgen stats pull",
			"the file has the format %q, this version of dbgen reads %q", f.text, Format)
	default:
		return true
	}
	return false
}

// value stores n in v; path names the place in messages, tag is the field's pg
// tag.
func (r *reader) value(n *node, v reflect.Value, path, tag string) {
	kind := v.Kind()
	if kind == reflect.Pointer {
		if n.kind == nullNode {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
		kind = v.Kind()
	}
	if w := jsonKind(kind); n.kind != w {
		r.errorf(n.span, "%sexpected %s, got %s", prefix(path), w, n.kind)
		return
	}
	switch kind {
	case reflect.Struct:
		r.object(n, v, path)
	case reflect.Map:
		v.Set(reflect.MakeMapWithSize(v.Type(), len(n.members)))
		for i := range n.members {
			m := &n.members[i]
			e := reflect.New(v.Type().Elem()).Elem()
			p := join(path, m.key)
			if m.value.kind == nullNode {
				r.errorf(m.value.span, "%sexpected a value, got null", prefix(p))
				continue
			}
			r.value(m.value, e, p, tag)
			v.SetMapIndex(reflect.ValueOf(m.key), e)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			p := path
			if item.kind != jsonKind(v.Type().Elem().Kind()) || v.Type().Elem().Kind() == reflect.Pointer {
				p = fmt.Sprintf("%s[%d]", path, i)
			}
			if item.kind == nullNode && v.Type().Elem().Kind() == reflect.Pointer && v.Type().Elem().Elem().Kind() == reflect.Struct {
				r.errorf(item.span, "%sexpected an object, got null", prefix(p))
				continue
			}
			r.value(item, v.Index(i), p, tag)
		}
	case reflect.String:
		v.SetString(n.text)
	case reflect.Bool:
		v.SetBool(n.text == "true")
	default:
		r.number(n, v, path, tag)
	}
}

func jsonKind(kind reflect.Kind) nodeKind {
	switch kind {
	case reflect.Struct, reflect.Map:
		return objectNode
	case reflect.Slice:
		return arrayNode
	case reflect.String:
		return stringNode
	case reflect.Bool:
		return boolNode
	}
	return numberNode
}

func (r *reader) number(n *node, v reflect.Value, path, tag string) {
	if v.Kind() == reflect.Float64 {
		bits := 64
		if tag == "float4" {
			bits = 32
		}
		f, err := strconv.ParseFloat(n.text, bits)
		if err != nil || math.IsInf(f, 0) {
			r.errorf(n.span, "%sthe number is too large", prefix(path))
			return
		}
		// 0 and -0 are one number, and -0 is printed as another text.
		v.SetFloat(f + 0)
		return
	}
	i, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil {
		r.errorf(n.span, "%sexpected a whole number, got %s", prefix(path), n.text)
		return
	}
	switch {
	case v.CanInt() && int64(int32(i)) == i:
		v.SetInt(i)
	case v.CanUint() && i >= 0 && i <= math.MaxUint32:
		v.SetUint(uint64(i))
	default:
		r.errorf(n.span, "%sthe number %s is out of range", prefix(path), n.text)
	}
}

func (r *reader) object(n *node, v reflect.Value, path string) {
	fields := r.fields[v.Type()]
	if fields == nil {
		fields = map[string]field{}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields[name] = field{i, f.Tag.Get("pg")}
		}
		r.fields[v.Type()] = fields
	}
	for i := range n.members {
		m := &n.members[i]
		f, ok := fields[m.key]
		if !ok {
			hint := ""
			if near, ok := diag.DidYouMean(m.key, slices.Collect(maps.Keys(fields))); ok {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			r.add(diag.Error, m.span, hint, "%sunknown key %q", prefix(path), m.key)
			continue
		}
		r.value(m.value, v.Field(f.index), join(path, m.key), f.tag)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}
