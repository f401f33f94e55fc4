package analyze

import (
	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/query"
)

// jsonExpr refuses the SQL/JSON constructors by name; nil for another node.
func (s *state) jsonExpr(n *pg.Node) query.Expr {
	switch x := n.Node.(type) {
	case *pg.Node_JsonObjectConstructor:
		s.unsupported(int(x.JsonObjectConstructor.Location), "JSON_OBJECT")
	case *pg.Node_JsonArrayConstructor:
		s.unsupported(int(x.JsonArrayConstructor.Location), "JSON_ARRAY")
	case *pg.Node_JsonArrayQueryConstructor:
		s.unsupported(int(x.JsonArrayQueryConstructor.Location), "JSON_ARRAY")
	case *pg.Node_JsonObjectAgg:
		s.unsupported(int(x.JsonObjectAgg.Constructor.GetLocation()), "JSON_OBJECTAGG")
	case *pg.Node_JsonArrayAgg:
		s.unsupported(int(x.JsonArrayAgg.Constructor.GetLocation()), "JSON_ARRAYAGG")
	case *pg.Node_JsonIsPredicate:
		s.unsupported(int(x.JsonIsPredicate.Location), "IS JSON")
	}
	return nil
}
