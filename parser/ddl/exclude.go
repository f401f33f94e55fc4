package ddl

import (
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// exclusionOperator resolves the operator of one element of an EXCLUDE: it must
// commute and be in the operator family of the key (ComputeIndexAttrs,
// indexcmds.c). 0 where the key's operator class is not known.
func (a *applier) exclusionOperator(t *catalog.Table, k *catalog.IndexKey, name []string) pgtype.OID {
	typ := k.Type
	if c := t.Attr(k.Column); c != nil {
		typ = c.Type
	} else if k.Expr != nil {
		typ = k.Expr.ResultType()
	}
	if k.Family == 0 {
		return 0
	}
	o, err := analyze.Operator(a.cat, name, typ, typ)
	a.check(err, noLoc)
	shown := o.Name + "(" + a.typeWord(o.Left) + "," + a.typeWord(o.Right) + ")"
	if o.Commutator != o.OID {
		a.failMore("42809", noLoc, "Only commutative operators can be used in exclusion constraints.", "",
			"operator %s is not commutative", shown)
	}
	if a.cat.OpFamilyStrategy(o.OID, k.Family) == 0 {
		family := ""
		if f := a.cat.OpFamily(k.Family); f != nil {
			family = f.Name
		}
		a.failMore("42809", noLoc, "The exclusion operator must be related to the index operator class for the constraint.", "",
			"operator %s is not a member of operator family %q", shown, family)
	}
	return o.OID
}
