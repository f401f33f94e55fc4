package ddl

import (
	"fmt"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// declaredType is the type of a column, argument or result. One that is not there
// is told at its place, and a type of that name of which nothing else is known
// takes its part, so that what merely reads and writes the column is understood:
// a warning, once, where an extension was created whose objects are not known, for
// it may be of that; else the server's error.
func (a *applier) declaredType(n *pg.TypeName) (pgtype.OID, pgtype.Typmod) {
	oid, mod, err := analyze.TypeName(a.cat, n)
	if err == nil {
		return oid, mod
	}
	t := a.unknownType(n, err)
	if t == nil {
		a.check(err, int(n.GetLocation()))
	}
	if len(n.Typmods) > 0 {
		mod = pgtype.UnknownTypmod
	} else {
		mod = pgtype.NoTypmod
	}
	if len(n.ArrayBounds) > 0 {
		return t.Array, mod
	}
	return t.OID, mod
}

// unknownType reports a type that is not there and returns what stands for it;
// nil where the error is another one.
func (a *applier) unknownType(n *pg.TypeName, err *analyze.Error) *catalog.Type {
	if n.PctType || len(n.Names) == 0 || len(n.Names) > 2 || err.SQLState != "42704" && err.SQLState != "3F000" {
		return nil
	}
	schema, name := split(n.Names)
	if a.cat.TypeByName(schema, name) != nil {
		return nil
	}
	loc := int(n.GetLocation())
	d := a.analysis(err, loc)
	t := a.cat.UnknownType(schema, name)
	if t == nil {
		t = a.cat.AddUnknownType(schema, name, a.decl(loc))
	}
	if len(a.cat.UnknownExtensions()) > 0 {
		d.Severity, d.Code = diag.Warning, "unsupported"
		d.Message = fmt.Sprintf("type %q is not known: its values can be read and written, no function or operator on them is known", shown(schema, name))
	}
	d.Hint = analyze.UnknownHint(a.cat, err.SQLState, err.Message, err.Hint)
	a.diags.Add(d)
	return t
}

// consequence says what becomes of an error: nothing where it only says once more
// that a type is not there, a warning where an extension whose objects are not
// known may bring what is missing, or a statement that is not followed names it.
func (a *applier) consequence(d diag.Diagnostic) (diag.Diagnostic, bool) {
	extension := len(a.cat.UnknownExtensions()) > 0
	if d.Severity == diag.Error && a.cat.UnknownTypeIn(d.Message) != nil && !extension && !missingType(d.Message) {
		return d, false
	}
	if d.Severity == diag.Error && analyze.MaybeUnfollowed(a.cat, d.SQLState, d.Message) {
		d.Severity, d.Code = diag.Warning, "unsupported"
	}
	if d.Severity == diag.Error && extension && analyze.MaybeExtension(a.cat, d.SQLState, d.Message) {
		d.Severity, d.Code = diag.Warning, "unsupported"
	}
	return d, true
}

// missingType reports whether a message says that a type is not there.
func missingType(message string) bool {
	return strings.HasPrefix(message, "type ") && strings.HasSuffix(message, "does not exist")
}
