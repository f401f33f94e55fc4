package builtin

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// FileHead is the first line of a file of extensions.
const FileHead = "dbgen-catalog/1"

// Block is an extension in a file: its head line, and its sections as text.
type Block struct {
	Name, Version string
	// Majors are the major versions of PostgreSQL on which it is like this.
	Majors []int
	// Schema, Relocatable, Requires and Versions are as in
	// [catalog.AvailableExtension].
	Schema      string
	Relocatable bool
	Requires    []string
	Versions    []string
	// Objects is how many OIDs of its own the text names.
	Objects int
	Text    string
}

// Library is a file of captured extensions.
type Library struct {
	// Name is the file's name, "" for the one that is embedded.
	Name   string
	Blocks []*Block
}

// maxObjects bounds what a head line can make the reader set aside.
const maxObjects = 1 << 20

// blockHead begins the head line of a block.
const blockHead = "=== "

// ReadLibrary reads a file of extensions. What is in the blocks is read when an
// extension is created.
func ReadLibrary(name, text string) (*Library, error) {
	head, rest, _ := strings.Cut(text, "\n")
	if head = strings.TrimSuffix(head, "\r"); head != FileHead {
		if strings.HasPrefix(head, "dbgen-catalog/") {
			return nil, fmt.Errorf("the file's format is %s; this dbgen reads %s", head, FileHead)
		}
		return nil, errors.New("not a file of captured extensions: its first line is not " + FileHead)
	}
	l := &Library{Name: name}
	for rest != "" {
		line, after, ok := strings.Cut(rest, "\n")
		if !ok || !strings.HasPrefix(line, blockHead) {
			return nil, fmt.Errorf("head line of an extension expected, got %q", clip(line))
		}
		b, err := readBlock(line[len(blockHead):])
		if err != nil {
			return nil, err
		}
		b.Text, rest = after, ""
		if strings.HasPrefix(after, blockHead) {
			b.Text, rest = "", after
		} else if i := strings.Index(after, "\n"+blockHead); i >= 0 {
			b.Text, rest = after[:i+1], after[i+1:]
		}
		l.Blocks = append(l.Blocks, b)
	}
	return l, nil
}

// clip shortens a line for a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func readBlock(line string) (*Block, error) {
	f := strings.Split(line, "\t")
	if len(f) != 8 {
		return nil, fmt.Errorf("the head line of extension %q has %d values, not 8", clip(f[0]), len(f))
	}
	b := &Block{
		Name: f[0], Version: f[1], Schema: f[3], Relocatable: f[4] == "t",
		Requires: strings.Fields(f[5]), Versions: strings.Fields(f[7]),
	}
	for _, w := range strings.Fields(f[2]) {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("extension %s: %q is no major version", b.Name, clip(w))
		}
		b.Majors = append(b.Majors, n)
	}
	n, err := strconv.Atoi(f[6])
	if err != nil || n < 0 || n > maxObjects {
		return nil, fmt.Errorf("extension %s: %q is no number of objects", b.Name, clip(f[6]))
	}
	b.Objects = n
	return b, nil
}

// Find returns the captured extension with the given name: the one for a major
// version of PostgreSQL, else the nearest that there is; nil if there is none.
func (l *Library) Find(name string, major int) *Block {
	var best *Block
	away := func(b *Block) int {
		d := 1 << 30
		for _, m := range b.Majors {
			d = min(d, max(m-major, major-m))
		}
		return d
	}
	for _, b := range l.Blocks {
		if b.Name == name && (best == nil || away(b) < away(best)) {
			best = b
		}
	}
	return best
}

// For reports whether the block was captured on the given major version.
func (b *Block) For(major int) bool { return slices.Contains(b.Majors, major) }

// has reports whether the block has an object in the extension's own schema with
// a name, in a section whose rows begin with OID, schema and name.
func (b *Block) has(class, name string) bool {
	_, text, ok := strings.Cut("\n"+b.Text, "\n== "+class+" oid schema name ")
	if !ok {
		return false
	}
	text, _, _ = strings.Cut(text, "\n== ")
	for {
		_, after, ok := strings.Cut(text, "\t\t"+name+"\t")
		if !ok {
			return false
		}
		row := text[:len(text)-len(after)-len(name)-3]
		if n := strings.LastIndexByte(row, '\n'); strings.Trim(row[n+1:], "0123456789") == "" {
			return true
		}
		text = after
	}
}

// Available returns a block as an extension that can be created.
func (l *Library) Available(b *Block) *catalog.AvailableExtension {
	return &catalog.AvailableExtension{
		Name: b.Name, Version: b.Version, Versions: b.Versions, Schema: b.Schema, Relocatable: b.Relocatable,
		Requires: b.Requires, File: l.Name,
		Load: func(o catalog.ExtensionOIDs) (*catalog.ExtensionObjects, error) {
			out, err := b.load(o)
			if err != nil {
				return nil, fmt.Errorf("extension %s: %w", b.Name, err)
			}
			return out, nil
		},
	}
}

// extensionRead is the reading of a block.
type extensionRead struct {
	schema string
	// local are the catalog's OIDs of the block's own numbers.
	local []pgtype.OID
	texts []catalog.ExtensionText
}

// text keeps SQL to analyse, if there is any.
func (e *extensionRead) text(t catalog.ExtensionText) {
	if t.SQL != "" {
		e.texts = append(e.texts, t)
	}
}

func (b *Block) load(o catalog.ExtensionOIDs) (*catalog.ExtensionObjects, error) {
	parts, err := split(b.Text, extensionHeads())
	if err != nil {
		return nil, err
	}
	ext := &extensionRead{schema: o.Schema, local: make([]pgtype.OID, b.Objects)}
	for i := range ext.local {
		ext.local[i] = o.New()
	}
	for name, s := range parts {
		s.ext = ext
		parts[name] = s
	}
	c := &cursor{section: "refs", text: parts["refs"].text, ext: ext}
	for c.more() {
		c.raw() // the next number
		r := catalog.ExtensionRef{Class: c.str(), Extension: c.str(), Schema: c.str(), Name: c.str(), Types: c.oids()}
		if c.err != nil {
			break
		}
		oid, err := o.Find(r)
		if err != nil {
			return nil, err
		}
		ext.local = append(ext.local, oid)
	}
	if c.err != nil {
		return nil, c.err
	}
	objects, err := readAll(parts)
	if err != nil {
		return nil, err
	}
	for _, t := range objects.Tables {
		for i := range ext.texts {
			if x := &ext.texts[i]; x.Column != nil && slices.Contains(t.Columns, x.Column) || x.Constraint != nil && x.Constraint.Table == t.OID {
				x.Table = t
			}
		}
		for _, x := range t.Indexes {
			for i := range x.Keys {
				x.Keys[i].Name = t.ColumnName(x.Keys[i].Column)
			}
		}
	}
	for _, t := range objects.Types {
		for i := range ext.texts {
			if x := &ext.texts[i]; x.Constraint != nil && slices.Contains(t.Checks, x.Constraint) {
				x.Type = t
			}
		}
	}
	return &catalog.ExtensionObjects{Objects: *objects, Texts: ext.texts}, nil
}
