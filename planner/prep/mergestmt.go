package prep

import (
	"github.com/dbgen/dbgen/parser/query"
	"github.com/dbgen/dbgen/planner/rel"
)

// mergeToJoin makes MERGE a join of the target with the source: an outer one
// where rows of the source without a match are inserted
// (transform_MERGE_to_join, prepjointree.c of 15 and 16).
func mergeToJoin(root *rel.PlannerInfo) {
	parse := root.Parse
	if parse.Command != query.CmdMerge || parse.MergeJoinCondition == nil || len(parse.JoinTree.List) != 1 {
		return
	}
	if root.Global.Version(17) {
		// Since 17 the target is the nullable side from the start, and the
		// condition is checked again.
		root.Global.Approximate("MERGE is planned as in PostgreSQL 16")
	}
	typ := query.JoinInner
	for _, a := range parse.MergeActions {
		if a.Command == query.CmdInsert {
			typ = query.JoinRight
		}
	}
	parse.RangeTable = append(parse.RangeTable, &query.RangeTblEntry{
		Kind: query.RTEJoin, JoinType: typ, ERef: &query.Alias{Name: "*MERGE*"}, InFrom: true,
	})
	parse.JoinTree.List = []query.JoinNode{&query.JoinExpr{
		Type: typ, Left: &query.RangeTblRef{Index: parse.ResultRelation}, Right: parse.JoinTree.List[0],
		Quals: parse.MergeJoinCondition, Index: len(parse.RangeTable),
	}}
	parse.MergeJoinCondition = nil
}
