package analyze

// exprKind says where an expression stands (ParseExprKind, parse_node.h).
type exprKind int

const (
	kindNone exprKind = iota
	kindJoinOn
	kindJoinUsing
	kindFromSubselect
	kindFromFunction
	kindWhere
	kindHaving
	kindFilter
	kindWindowPartition
	kindWindowOrder
	kindWindowFrameRange
	kindWindowFrameRows
	kindWindowFrameGroups
	kindSelectTarget
	kindInsertTarget
	kindUpdateSource
	kindUpdateTarget
	kindMergeWhen
	kindGroupBy
	kindOrderBy
	kindDistinctOn
	kindLimit
	kindOffset
	kindReturning
	kindValues
	kindValuesSingle
	kindCheck
	kindDomainCheck
	kindColumnDefault
	kindFunctionDefault
	kindIndexExpression
	kindIndexPredicate
	kindStatsExpression
	kindAlterColTransform
	kindTriggerWhen
	kindPolicy
	kindPartitionBound
	kindPartitionExpression
	kindCallArgument
	kindGenerated
	kindCycleMark
)

// kindInfo is what messages say of an expression kind.
type kindInfo struct {
	// name is ParseExprKindName's.
	name string
	// plural completes "… are not allowed in …" where the server has a message
	// of its own for the kind; "" where it uses name.
	plural string
	// Whether sublinks, aggregates, window functions and set-returning
	// functions may stand there.
	noSubLink               string
	aggs, windows, srfs     bool
	aggPlural, windowPlural string
}

// info describes a kind, from the switches of parse_expr.c, parse_agg.c and
// parse_func.c.
func (k exprKind) info() kindInfo {
	const windowDefs = "window definitions"
	switch k {
	case kindJoinOn:
		return kindInfo{name: "JOIN/ON", plural: "JOIN conditions"}
	case kindJoinUsing:
		return kindInfo{name: "JOIN/USING", plural: "JOIN conditions"}
	case kindFromSubselect:
		return kindInfo{name: "sub-SELECT in FROM", aggPlural: "FROM clause of their own query level"}
	case kindFromFunction:
		return kindInfo{name: "function in FROM", plural: "functions in FROM", srfs: true}
	case kindWhere:
		return kindInfo{name: "WHERE"}
	case kindHaving:
		return kindInfo{name: "HAVING", aggs: true}
	case kindFilter:
		return kindInfo{name: "FILTER"}
	case kindWindowPartition:
		return kindInfo{name: "window PARTITION BY", aggs: true, srfs: true, windowPlural: windowDefs}
	case kindWindowOrder:
		return kindInfo{name: "window ORDER BY", aggs: true, srfs: true, windowPlural: windowDefs}
	case kindWindowFrameRange:
		return kindInfo{name: "window RANGE", plural: windowDefs, aggPlural: "window RANGE"}
	case kindWindowFrameRows:
		return kindInfo{name: "window ROWS", plural: windowDefs, aggPlural: "window ROWS"}
	case kindWindowFrameGroups:
		return kindInfo{name: "window GROUPS", plural: windowDefs, aggPlural: "window GROUPS"}
	case kindSelectTarget:
		return kindInfo{name: "SELECT", aggs: true, windows: true, srfs: true}
	case kindInsertTarget:
		return kindInfo{name: "INSERT", srfs: true}
	case kindUpdateSource, kindUpdateTarget:
		return kindInfo{name: "UPDATE"}
	case kindMergeWhen:
		return kindInfo{name: "MERGE WHEN", plural: "MERGE WHEN conditions"}
	case kindGroupBy:
		return kindInfo{name: "GROUP BY", srfs: true}
	case kindOrderBy:
		return kindInfo{name: "ORDER BY", aggs: true, windows: true, srfs: true}
	case kindDistinctOn:
		return kindInfo{name: "DISTINCT ON", aggs: true, windows: true, srfs: true}
	case kindLimit:
		return kindInfo{name: "LIMIT"}
	case kindOffset:
		return kindInfo{name: "OFFSET"}
	case kindReturning:
		return kindInfo{name: "RETURNING"}
	case kindValues:
		return kindInfo{name: "VALUES"}
	case kindValuesSingle:
		return kindInfo{name: "VALUES", srfs: true}
	case kindCheck, kindDomainCheck:
		return kindInfo{name: "CHECK", plural: "check constraints", noSubLink: "check constraint"}
	case kindColumnDefault, kindFunctionDefault:
		return kindInfo{name: "DEFAULT", plural: "DEFAULT expressions", noSubLink: "DEFAULT expression"}
	case kindIndexExpression:
		return kindInfo{name: "index expression", plural: "index expressions", noSubLink: "index expression"}
	case kindIndexPredicate:
		return kindInfo{name: "index predicate", plural: "index predicates", noSubLink: "index predicate"}
	case kindStatsExpression:
		return kindInfo{name: "statistics expression", plural: "statistics expressions", noSubLink: "statistics expression"}
	case kindAlterColTransform:
		return kindInfo{name: "USING", plural: "transform expressions", noSubLink: "transform expression"}
	case kindTriggerWhen:
		return kindInfo{name: "WHEN", plural: "trigger WHEN conditions", noSubLink: "trigger WHEN condition"}
	case kindPolicy:
		return kindInfo{name: "POLICY", plural: "policy expressions"}
	case kindPartitionBound:
		return kindInfo{name: "partition bound", plural: "partition bound", noSubLink: "partition bound"}
	case kindPartitionExpression:
		return kindInfo{name: "PARTITION BY", plural: "partition key expressions", noSubLink: "partition key expression"}
	case kindCallArgument:
		return kindInfo{name: "CALL", plural: "CALL arguments", noSubLink: "CALL argument"}
	case kindGenerated:
		return kindInfo{name: "GENERATED AS", plural: "column generation expressions", noSubLink: "column generation expression"}
	case kindCycleMark:
		return kindInfo{name: "CYCLE"}
	}
	return kindInfo{name: "invalid expression context", aggs: true, windows: true, srfs: true}
}

func (k exprKind) String() string { return k.info().name }

func firstOf(list ...string) string {
	for _, x := range list {
		if x != "" {
			return x
		}
	}
	return ""
}

// checkAggPlace refuses an aggregate or GROUPING where none may stand.
func (s *state) checkAggPlace(what string, loc int) {
	if i := s.kind.info(); !i.aggs {
		s.fail(errGrouping, loc, "%s are not allowed in %s", what, firstOf(i.aggPlural, i.plural, i.name))
	}
}

// checkWindowPlace refuses a window function where none may stand.
func (s *state) checkWindowPlace(loc int) {
	if i := s.kind.info(); !i.windows {
		s.fail(errWindowing, loc, "window functions are not allowed in %s", firstOf(i.windowPlural, i.plural, i.name))
	}
}

// checkSRFPlace refuses a set-returning function where none may stand, and
// notes it where it may (check_srf_call_placement, parse_func.c).
func (s *state) checkSRFPlace(lastSRF func() bool, loc int) {
	i := s.kind.info()
	if !i.srfs {
		s.fail(errFeatureNotSupported, loc, "set-returning functions are not allowed in %s", firstOf(i.plural, i.name))
	}
	switch s.kind {
	case kindNone:
	case kindFromFunction:
		if lastSRF() {
			s.fail(errFeatureNotSupported, exprLoc(s.lastSRF), "set-returning functions must appear at top level of FROM")
		}
	default:
		s.hasTargetSRFs = true
	}
}
