package soundfuzz

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/pgtype"
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/parser/source"
)

// fault is a difference between the server and what was said.
type fault struct {
	kind string
	// cause tells faults apart that are worth a look of their own.
	cause string
	text  string
}

func (f fault) key() string { return f.kind + ": " + f.cause }

func (w *world) report(kind, cause, text string) {
	w.faults = append(w.faults, fault{kind, cause, text})
}

var (
	quoted  = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	aliases = regexp.MustCompile(`\b[tvqpfwr]\d*(_\d)?(\.\w+)?\b`)
	digits  = regexp.MustCompile(`\d+`)
)

// generic is a text without the names in it.
func generic(s string) string {
	return digits.ReplaceAllString(quoted.ReplaceAllString(s, "_"), "0")
}

// genericWhy is a reason without the names in it.
func genericWhy(s string) string {
	s = aliases.ReplaceAllString(quoted.ReplaceAllString(s, "_"), "_")
	if len(s) > 100 {
		s = s[:100]
	}
	return s
}

// check holds one statement against the servers and returns what differs. rows
// false leaves out its execution.
func (w *world) check(sql string) ([]fault, error) {
	before := w.faults
	w.faults = nil
	err := w.checkOne(sql)
	out := w.faults
	w.faults = before
	return out, err
}

func (w *world) checkOne(sql string) error {
	ctx := context.Background()
	file := source.NewFile("q.sql", sql)
	list, diags := parser.ParseFiles([]*source.File{file}, parser.Queries)
	var a *analyze.Analyzed
	if !diags.HasErrors() && len(list) == 1 {
		var more diag.List
		a, more = analyze.Statement(w.cat, list[0])
		diags.Append(more)
	}
	d, err := w.first().Prepare(ctx, "", sql, nil)
	var bad *pgconn.PgError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	w.stats.Queries++
	switch {
	case bad != nil && bad.Code == "57014" || bad != nil && bad.Code == "54001":
		return nil
	case bad != nil && constant(bad) && (a != nil || firstState(diags) != bad.Code):
		w.stats.Constants++
		return nil
	case bad != nil && a != nil:
		w.report("accepted", bad.Code+" "+generic(bad.Message), bad.Code+" "+bad.Message)
		return nil
	case bad != nil:
		w.stats.Refused++
		if w.stats.Errors == nil {
			w.stats.Errors = map[string]int{}
		}
		w.stats.Errors[bad.Code+" "+generic(bad.Message)]++
		w.compareErrors(bad, diags, file)
		return nil
	case a == nil:
		w.report("refused", generic(firstError(diags)), firstError(diags))
		return nil
	}
	w.stats.Accepted++
	outputs := w.compareTypes(a, d)
	if outputs == nil && len(d.Fields) > 0 {
		return nil
	}
	f := infer.Infer(w.cat, a.Query)
	return w.execute(sql, d, f, outputs)
}

// constant tells that a constant was refused, by an input function or a domain: not
// each type's is known.
func constant(bad *pgconn.PgError) bool {
	return strings.HasPrefix(bad.Code, "22") || strings.HasPrefix(bad.Code, "23") ||
		bad.Message == "input of anonymous composite types is not implemented" || strings.Contains(bad.Message, "jsonpath input") || strings.Contains(bad.Message, " in tsvector") ||
		strings.Contains(bad.Message, " in tsquery")
}

func (w *world) compareErrors(bad *pgconn.PgError, diags diag.List, file *source.File) {
	var d diag.Diagnostic
	for _, x := range diags {
		if x.Severity == diag.Error {
			d = x
			break
		}
	}
	said := fmt.Sprintf("%s %s, not %s %s", bad.Code, bad.Message, d.SQLState, d.Message)
	switch {
	case d.SQLState == "" && d.Code == "unsupported":
	case bad.Code == "42601" && d.SQLState == bad.Code && w.cat.Major != 16:
		// Syntax errors are worded by the grammar of 16.
	case strings.HasPrefix(bad.Code, "XX"):
		// An inconsistency of the server's own.
	case bad.Code == "42601" && bad.Message == "syntax error at end of input" && d.Message == bad.Message:
		// The end of the statement for us, that of the text for the server.
	case bad.Code == "42601" && strings.HasPrefix(bad.Message, `syntax error at or near "$`) && d.SQLState == bad.Code:
		// Our grammar reads on behind a parameter, to what is wrong next.
	case d.SQLState != bad.Code:
		w.report("error code", bad.Code+" "+d.SQLState+" "+generic(bad.Message), said)
	case d.Message != bad.Message && !constant(bad):
		w.report("error message", bad.Code+" "+generic(bad.Message), said)
	case constant(bad):
	case bad.Detail != d.Detail:
		w.report("error detail", bad.Code+" "+generic(bad.Message)+" "+generic(bad.Detail), fmt.Sprintf("%s: %s, not %s", bad.Message, bad.Detail, d.Detail))
	case bad.Hint != "" && bad.Hint != d.Hint:
		w.report("error hint", bad.Code+" "+generic(bad.Message)+" "+generic(bad.Hint), fmt.Sprintf("%s: %s, not %s", bad.Message, bad.Hint, d.Hint))
	case d.Code == "syntax" && d.Span.Start == 0:
		// The grammar of 16 does not say where.
	case bad.Position > 0 && !d.Span.IsZero():
		if at := utf8.RuneCountInString(file.Text[:d.Span.Start]) + 1; at != int(bad.Position) {
			w.report("error position", bad.Code+" "+generic(bad.Message), fmt.Sprintf("%s at %d, not %d", bad.Message, bad.Position, at))
		}
	}
}

// compareTypes holds parameters and columns against what the server describes, and
// returns the output expressions; nil where the columns differ.
func (w *world) compareTypes(a *analyze.Analyzed, d *pgconn.StatementDescription) []*query.TargetEntry {
	if len(a.Params) != len(d.ParamOIDs) {
		w.report("parameters", "count", fmt.Sprintf("%d parameters, not %d", len(d.ParamOIDs), len(a.Params)))
	} else {
		for i, p := range a.Params {
			if want, got := w.serverType(d.ParamOIDs[i]), typeName(w.cat, p.Type); want != got {
				w.report("parameters", "type "+want+" "+got, fmt.Sprintf("$%d is %s, not %s", i+1, want, got))
			}
		}
	}
	list := a.Query.TargetList
	if a.Query.Command != query.CmdSelect {
		list = a.Query.Returning
	}
	var out []*query.TargetEntry
	for _, te := range list {
		if !te.Junk {
			out = append(out, te)
		}
	}
	if len(out) != len(d.Fields) {
		w.report("columns", "count", fmt.Sprintf("%d columns, not %d", len(d.Fields), len(out)))
		return nil
	}
	for i, te := range out {
		field := d.Fields[i]
		typ, mod := w.cat.BaseTypeAndTypmod(te.Expr.ResultType(), te.Expr.ResultTypmod())
		if want, got := w.serverType(field.DataTypeOID), typeName(w.cat, typ); want != got {
			w.report("column type", want+" "+got, fmt.Sprintf("column %d is %s, not %s", i+1, want, got))
			return nil
		}
		if field.TypeModifier != int32(mod) {
			w.report("column modifier", "", fmt.Sprintf("column %d has modifier %d, not %d", i+1, field.TypeModifier, mod))
		}
		if field.Name != te.Name {
			w.report("column name", "", fmt.Sprintf("column %d is named %q, not %q", i+1, field.Name, te.Name))
		}
		origin := ""
		if t := w.cat.Table(te.OrigTable); t != nil {
			origin = t.Name
		}
		if want := w.relations[field.TableOID]; field.TableOID >= uint32(pgtype.FirstNormalOID) && (want != origin || int(field.TableAttributeNumber) != te.OrigColumn&0xffff) {
			w.report("column origin", "", fmt.Sprintf("column %d is %s.%d, not %s.%d", i+1, want, field.TableAttributeNumber, origin, te.OrigColumn))
		}
	}
	return out
}

// execute runs the statement on every variant of the data, in transactions that are
// rolled back.
func (w *world) execute(sql string, d *pgconn.StatementDescription, f *infer.Facts, outputs []*query.TargetEntry) error {
	arrays := make([]bool, len(d.Fields))
	formats := make([]int16, len(d.Fields))
	for i := range d.Fields {
		if t := w.cat.Type(w.cat.BaseType(outputs[i].Expr.ResultType())); t != nil && t.IsArray() {
			arrays[i], formats[i] = true, 1
		}
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(sql))
	g := &generator{Rand: rand.New(rand.NewPCG(hash.Sum64(), 0)), cat: w.cat}
	nulls, elements := make([]bool, len(outputs)), make([]bool, len(outputs))
	total := 0
	for _, i := range w.active {
		c := w.conns[i]
		var params [][]byte
		for _, oid := range d.ParamOIDs {
			t := w.cat.TypeByName("public", w.types[oid])
			if oid < uint32(pgtype.FirstNormalOID) {
				t = w.cat.Type(pgtype.OID(oid))
			}
			if i == 1 || t == nil || !g.usable(t.OID) || g.chance(4) {
				params = append(params, nil)
			} else {
				params = append(params, []byte(g.value(t, true)))
			}
		}
		begin := "BEGIN"
		if f.ReadOnly() && i == 2 {
			begin = "BEGIN READ ONLY"
		}
		rows, err := w.runOn(c, begin, sql, params, formats, func(row [][]byte) {
			for k, v := range row {
				if v == nil {
					nulls[k] = true
					if !f.Columns[k].Nullable {
						w.report("unsound NULL", genericWhy(f.Columns[k].Why),
							fmt.Sprintf("column %d is NULL with data %d and parameters %s (%s)", k+1, i, shown(params), f.Columns[k].Why))
					}
				} else if arrays[k] && hasNull(v) {
					elements[k] = true
					if !f.Columns[k].ElementNullable {
						w.report("unsound element", genericWhy(f.Columns[k].Why)+" "+kindOf(w.cat, outputs[k].Expr),
							fmt.Sprintf("an element of column %d is NULL with data %d and parameters %s (%s)", k+1, i, shown(params), f.Columns[k].Why))
					}
				}
			}
		})
		if err != nil {
			var bad *pgconn.PgError
			if !errors.As(err, &bad) {
				return err
			}
			if bad.Code == "25006" {
				w.report("writes", generic(bad.Message), fmt.Sprintf("%s, with data %d", bad.Message, i))
			}
			w.stats.Failed++
			continue
		}
		w.stats.Executed++
		total += rows
		if len(outputs) == 0 {
			continue
		}
		if k := f.Cardinality; k == infer.None && rows != 0 || k == infer.ExactlyOne && rows != 1 || k == infer.AtMostOne && rows > 1 {
			w.report("cardinality", k.String()+" "+genericWhy(f.CardinalityWhy),
				fmt.Sprintf("%d rows with data %d and parameters %s, not %s (%s)", rows, i, shown(params), k, f.CardinalityWhy))
		}
	}
	w.stats.count(w.cat, f, outputs, arrays, nulls, elements, total)
	return nil
}

func shown(params [][]byte) string {
	var list []string
	for _, p := range params {
		if p == nil {
			list = append(list, "NULL")
		} else {
			list = append(list, "'"+string(p)+"'")
		}
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// runOn runs a statement between begin and ROLLBACK in one round trip.
func (w *world) runOn(c *pgconn.PgConn, begin, sql string, params [][]byte, formats []int16, each func([][]byte)) (int, error) {
	p := c.StartPipeline(context.Background())
	p.SendQueryParams(begin, nil, nil, nil, nil)
	p.SendQueryParams(sql, params, nil, nil, formats)
	if err := p.Sync(); err != nil {
		return 0, err
	}
	p.SendQueryParams("ROLLBACK", nil, nil, nil, nil)
	if err := p.Sync(); err != nil {
		return 0, err
	}
	n := 0
	var first error
	for syncs := 0; syncs < 2; {
		r, err := p.GetResults()
		if err != nil && state(err) == "" {
			return n, errors.Join(err, p.Close())
		}
		if first == nil {
			first = err
		}
		switch r := r.(type) {
		case *pgconn.PipelineSync:
			syncs++
		case *pgconn.ResultReader:
			for r.NextRow() {
				if n++; n <= 5000 {
					each(r.Values())
				}
			}
			if _, err := r.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return n, errors.Join(first, p.Close())
}

// hasNull tells an array in binary form that has a NULL element.
func hasNull(v []byte) bool {
	if len(v) < 12 {
		return false
	}
	dims := int(binary.BigEndian.Uint32(v))
	at := 12 + 8*dims
	for at+4 <= len(v) {
		n := int32(binary.BigEndian.Uint32(v[at:]))
		if n < 0 {
			return true
		}
		at += 4 + int(n)
	}
	return false
}
