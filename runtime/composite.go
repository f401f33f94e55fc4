package runtime

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Composite returns column i, a composite type, as what scan makes of its
// fields, which it reads as the columns of a row. NULL is an error.
//
// pgx knows no composite that was not registered on the connection, so it
// comes as text, in which types gives the fields' types; 0 stands for a type that
// is not built in.
func Composite[T any](r *Row, i int, types []uint32, scan func(*Row) T) T {
	var zero T
	raw, _, ok := r.cell(i)
	if !ok {
		return zero
	}
	fields := &Row{rows: r.rows, types: r.typeMap()}
	if err := fields.split(raw, r.fields[i].Format, types); err != nil {
		r.fail(i, err)
		return zero
	}
	v := scan(fields)
	if fields.err != nil {
		r.fail(i, fields.err)
		return zero
	}
	return v
}

// split takes a composite value apart.
func (r *Row) split(raw []byte, format int16, types []uint32) error {
	add := func(oid uint32, value []byte) {
		f := pgconn.FieldDescription{DataTypeOID: oid, Format: format}
		r.fields = append(r.fields, f)
		r.kinds = append(r.kinds, r.kindOf(&f))
		r.values = append(r.values, value)
	}
	var err error
	if format == pgtype.BinaryFormatCode {
		s := pgtype.NewCompositeBinaryScanner(r.types, raw)
		for s.Next() {
			add(s.OID(), s.Bytes())
		}
		err = s.Err()
	} else {
		s := pgtype.NewCompositeTextScanner(r.types, raw)
		for n := 0; s.Next() && n < len(types); n++ {
			add(types[n], s.Bytes())
		}
		err = s.Err()
	}
	// Fields that were added later come last and are not asked for.
	if err == nil && len(r.values) < len(types) {
		err = fmt.Errorf("the composite has %d fields where %d were expected", len(r.values), len(types))
	}
	return err
}
