package model

import (
	"fmt"
	"strings"

	"github.com/dbgen/dbgen/parser/annotation"
	"github.com/dbgen/dbgen/parser/infer"
)

// contract says what a caller has to expect, a paragraph an element.
func (b *builder) contract(m *Method) []string {
	var out []string
	cardinality := infer.Many
	if b.query.Facts != nil {
		cardinality = b.query.Facts.Cardinality
	}
	switch m.Command {
	case annotation.One:
		switch cardinality {
		case infer.ExactlyOne:
		case infer.AtMostOne:
			out = append(out, "The error matches pgx.ErrNoRows if there is none.")
		default:
			out = append(out, "The error matches pgx.ErrNoRows if there is none and pgx.ErrTooManyRows if there are several.")
		}
	case annotation.Opt:
		text := "It returns false if there is none."
		if cardinality == infer.Many {
			text += " The error matches pgx.ErrTooManyRows if there are several."
		}
		out = append(out, text)
	case annotation.Iter:
		zero := ""
		if m.Result != nil && m.Result.Struct != nil {
			zero = ", with a zero " + m.Result.Struct.Name
		}
		out = append(out, "The rows are read as the loop advances; the connection is held until the loop ends. "+
			"An error is yielded last"+zero+".")
	}
	var links []string
	for _, e := range b.violated() {
		links = append(links, "["+e.Name+"]")
	}
	switch n := len(links); {
	case n == 1:
		out = append(out, fmt.Sprintf("The error matches %s if that constraint is violated.", links[0]))
	case n > 1:
		out = append(out, fmt.Sprintf("The error matches %s or %s if that constraint is violated.",
			strings.Join(links[:n-1], ", "), links[n-1]))
	}
	return out
}
