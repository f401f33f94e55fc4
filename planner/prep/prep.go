// Package prep prepares a query for the search for paths.
//
// [Preprocess] is what PostgreSQL does to the tree first (subquery_planner,
// prepjointree.c, subselect.c): sublinks become joins or subplans, subqueries
// are pulled up, outer joins are reduced, constants are folded. [Init] is the
// first half of query_planner (initsplan.c, equivclass.c, analyzejoins.c): it
// builds the base relations from catalog and statistics, hands each qual to the
// place where it can first be checked, and works out what equals what, so that
// [GenerateJoinImpliedEqualities] and its kin can tell later steps which join
// clauses follow. [AddOtherRels] expands partitioned tables. Pathkeys, the
// planner's notion of sort order, rest on the same equivalence classes and live
// here, too.
//
// The package imports planner/rel, stats, eval, selectivity and cost.
package prep
