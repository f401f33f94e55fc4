// Package ddl applies schema statements to a catalog, as a server would.
//
// [Apply] takes the statements of a schema in order and leaves the catalog as
// pg_catalog would stand: relations with the names that the server chooses for
// their constraints, indexes and sequences, array and row types, partitions with
// the indexes and keys that they inherit. Expressions (defaults, CHECKs, index
// expressions, views) are analysed by parser/analyze and kept as trees.
//
// What the server would refuse is an error with its SQLSTATE at its place; every
// such error of a run is reported. Statements that do not shape queries are
// passed over; what shapes them and is not understood is a warning that begins
// with "not supported yet".
//
// The package imports parser, parser/analyze, parser/catalog, parser/deparse, parser/diag,
// parser/pgtype, parser/query, parser/source and pg_query.
package ddl

import (
	"fmt"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/diag"
	"github.com/dbgen/dbgen/parser/source"
)

// Apply executes statements on cat in their order and returns what is wrong with
// them. A statement with an error changes as much of the catalog as can be told
// in spite of it, so that one mistake does not show up as many.
func Apply(cat *catalog.Catalog, stmts []*parser.Statement) diag.List {
	a := &applier{cat: cat}
	for _, s := range stmts {
		a.stmt = s
		a.try(func() { a.statement(s.Tree.Stmt) })
	}
	a.finish()
	return a.diags
}

// finish ends a run: a search path that a dump left empty is the default again,
// and what functions do is worked out over the whole schema.
func (a *applier) finish() {
	if len(a.cat.SearchPath) == 0 {
		a.cat.SearchPath = []string{"public"}
	}
	a.finishBodies()
	a.finishEffects()
}

// applier is one run over a schema.
type applier struct {
	cat   *catalog.Catalog
	diags diag.List
	stmt  *parser.Statement
	// chosen are names of constraints that the current statement has given out
	// but not entered yet.
	chosen []string
	known  *known
	// wanted are operators that others name as theirs before they are created.
	wanted []wantedOperator
	// notNull are the names that the statement gives to NOT NULL constraints.
	notNull map[*catalog.Column]string
	// retyping are the column types that the current ALTER TABLE changes.
	retyping *retyping
}

// failure ends a statement, or the part of it that [applier.try] encloses.
type failure struct{ d diag.Diagnostic }

// try runs fn and reports whether it came to its end; a failure in it becomes a
// diagnostic.
func (a *applier) try(fn func()) (ok bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			r.d.Hint = analyze.UnknownHint(a.cat, r.d.SQLState, r.d.Message, r.d.Hint)
			if d, tell := a.consequence(r.d); tell {
				a.diags.Add(d)
			}
			ok = false
		default:
			panic(r)
		}
	}()
	fn()
	return true
}

// noLoc is the location of a node that stands nowhere in the text; the whole
// statement is shown.
const noLoc = -1

func (a *applier) failure(state string, loc int, message string) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: "analysis", SQLState: state, Message: message,
		File: a.stmt.File, Span: a.place(loc),
	}
}

// place is where a location of the text stands in the file.
func (a *applier) place(loc int) source.Span {
	if loc < 0 {
		return a.stmt.Span
	}
	return a.stmt.Place(loc)
}

func (a *applier) decl(loc int) catalog.Place {
	return catalog.Place{File: a.stmt.File, Span: a.place(loc)}
}

func (a *applier) fail(state string, loc int, format string, args ...any) {
	panic(failure{a.failure(state, loc, fmt.Sprintf(format, args...))})
}

func (a *applier) failMore(state string, loc int, detail, hint, format string, args ...any) {
	d := a.failure(state, loc, fmt.Sprintf(format, args...))
	d.Detail, d.Hint = detail, hint
	panic(failure{d})
}

// check turns an error of the analyser into a failure.
func (a *applier) check(err *analyze.Error, loc int) {
	if err != nil {
		panic(failure{a.analysis(err, loc)})
	}
}

func (a *applier) analysis(err *analyze.Error, loc int) diag.Diagnostic {
	d := a.failure(err.SQLState, loc, err.Message)
	d.Detail, d.Hint = err.Detail, err.Hint
	if !err.Span.IsZero() {
		d.Span = a.stmt.FileSpan(err.Span)
	}
	if err.SQLState == "" {
		d.Severity, d.Code = diag.Warning, "unsupported"
	}
	return d
}

// unsupported warns of something that shapes queries and is not understood.
func (a *applier) unsupported(loc int, format string, args ...any) {
	a.diags.Add(diag.Diagnostic{
		Severity: diag.Warning, Code: "unsupported", Message: "not supported yet: " + fmt.Sprintf(format, args...),
		File: a.stmt.File, Span: a.place(loc),
	})
}

// statement applies one statement.
func (a *applier) statement(n *pg.Node) {
	switch s := n.Node.(type) {
	case *pg.Node_CreateSchemaStmt:
		a.createSchema(s.CreateSchemaStmt)
	case *pg.Node_CreateStmt:
		a.createTable(s.CreateStmt)
	case *pg.Node_CreateForeignTableStmt:
		a.createForeignTable(s.CreateForeignTableStmt)
	case *pg.Node_IndexStmt:
		a.createIndexStmt(s.IndexStmt)
	case *pg.Node_AlterTableStmt:
		a.alterTable(s.AlterTableStmt)
	case *pg.Node_CreateEnumStmt:
		a.createEnum(s.CreateEnumStmt)
	case *pg.Node_AlterEnumStmt:
		a.alterEnum(s.AlterEnumStmt)
	case *pg.Node_CompositeTypeStmt:
		a.createComposite(s.CompositeTypeStmt)
	case *pg.Node_CreateRangeStmt:
		a.createRange(s.CreateRangeStmt)
	case *pg.Node_CreateDomainStmt:
		a.createDomain(s.CreateDomainStmt)
	case *pg.Node_AlterDomainStmt:
		a.alterDomain(s.AlterDomainStmt)
	case *pg.Node_ViewStmt:
		a.createView(s.ViewStmt)
	case *pg.Node_CreateTableAsStmt:
		a.createTableAs(s.CreateTableAsStmt)
	case *pg.Node_CreateSeqStmt:
		a.createSequenceStmt(s.CreateSeqStmt)
	case *pg.Node_AlterSeqStmt:
		a.alterSequence(s.AlterSeqStmt)
	case *pg.Node_CreateFunctionStmt:
		a.createFunction(s.CreateFunctionStmt)
	case *pg.Node_AlterFunctionStmt:
		a.alterFunction(s.AlterFunctionStmt)
	case *pg.Node_CreateTrigStmt:
		a.createTrigger(s.CreateTrigStmt)
	case *pg.Node_CreatePolicyStmt:
		a.createPolicy(s.CreatePolicyStmt)
	case *pg.Node_AlterPolicyStmt:
		a.alterPolicy(s.AlterPolicyStmt)
	case *pg.Node_RuleStmt:
		a.createRule(s.RuleStmt)
	case *pg.Node_DefineStmt:
		a.define(s.DefineStmt)
	case *pg.Node_CreateCastStmt:
		a.createCast(s.CreateCastStmt)
	case *pg.Node_AlterOperatorStmt:
		a.alterOperator(s.AlterOperatorStmt)
	case *pg.Node_CreateOpClassStmt:
		a.createOpClass(s.CreateOpClassStmt)
	case *pg.Node_CreateOpFamilyStmt:
		a.createOpFamily(s.CreateOpFamilyStmt)
	case *pg.Node_AlterOpFamilyStmt:
		a.alterOpFamily(s.AlterOpFamilyStmt)
	case *pg.Node_CallStmt:
		a.callStmt(s.CallStmt)
	case *pg.Node_CreateStatsStmt:
		a.createStatistics(s.CreateStatsStmt)
	case *pg.Node_CommentStmt:
		a.comment(s.CommentStmt)
	case *pg.Node_DropStmt:
		a.drop(s.DropStmt)
	case *pg.Node_RenameStmt:
		a.rename(s.RenameStmt)
	case *pg.Node_AlterObjectSchemaStmt:
		a.setSchema(s.AlterObjectSchemaStmt)
	case *pg.Node_CreateExtensionStmt:
		a.createExtension(s.CreateExtensionStmt)
	case *pg.Node_AlterExtensionStmt:
		a.alterExtension(s.AlterExtensionStmt)
	case *pg.Node_VariableSetStmt:
		a.set(s.VariableSetStmt)
	case *pg.Node_SelectStmt:
		a.selectStmt(s.SelectStmt)
	case *pg.Node_DoStmt:
		a.doBlock(s.DoStmt)
	case *pg.Node_RefreshMatViewStmt:
		a.refresh(s.RefreshMatViewStmt)
	default:
		if what, known := otherStatement(n); !known {
			a.unsupported(noLoc, "%s", what)
		}
	}
}

// otherStatement names a statement that is not applied, and says whether it may
// be passed over because it cannot change what queries mean.
func otherStatement(n *pg.Node) (what string, harmless bool) {
	switch n.Node.(type) {
	case *pg.Node_InsertStmt, *pg.Node_UpdateStmt, *pg.Node_DeleteStmt, *pg.Node_MergeStmt, *pg.Node_CopyStmt,
		*pg.Node_TruncateStmt, *pg.Node_TransactionStmt, *pg.Node_VacuumStmt, *pg.Node_ClusterStmt,
		*pg.Node_ReindexStmt, *pg.Node_LockStmt,
		*pg.Node_ExplainStmt, *pg.Node_VariableShowStmt, *pg.Node_DiscardStmt, *pg.Node_CheckPointStmt,
		*pg.Node_ListenStmt, *pg.Node_UnlistenStmt, *pg.Node_NotifyStmt, *pg.Node_LoadStmt,
		*pg.Node_ConstraintsSetStmt, *pg.Node_PrepareStmt, *pg.Node_ExecuteStmt, *pg.Node_DeallocateStmt,
		*pg.Node_DeclareCursorStmt, *pg.Node_FetchStmt, *pg.Node_ClosePortalStmt,
		*pg.Node_GrantStmt, *pg.Node_GrantRoleStmt, *pg.Node_AlterDefaultPrivilegesStmt, *pg.Node_AlterOwnerStmt,
		*pg.Node_CreateRoleStmt, *pg.Node_AlterRoleStmt, *pg.Node_AlterRoleSetStmt, *pg.Node_DropRoleStmt,
		*pg.Node_ReassignOwnedStmt, *pg.Node_SecLabelStmt,
		*pg.Node_CreatedbStmt, *pg.Node_AlterDatabaseStmt, *pg.Node_AlterDatabaseSetStmt, *pg.Node_DropdbStmt,
		*pg.Node_AlterSystemStmt, *pg.Node_AlterDatabaseRefreshCollStmt,
		*pg.Node_CreateTableSpaceStmt, *pg.Node_DropTableSpaceStmt, *pg.Node_AlterTableSpaceOptionsStmt,
		*pg.Node_AlterTableMoveAllStmt,
		*pg.Node_CreateEventTrigStmt, *pg.Node_AlterEventTrigStmt, *pg.Node_CreatePlangStmt,
		*pg.Node_CreatePublicationStmt, *pg.Node_AlterPublicationStmt, *pg.Node_CreateSubscriptionStmt,
		*pg.Node_AlterSubscriptionStmt, *pg.Node_DropSubscriptionStmt,
		*pg.Node_CreateFdwStmt, *pg.Node_AlterFdwStmt, *pg.Node_CreateForeignServerStmt,
		*pg.Node_AlterForeignServerStmt, *pg.Node_CreateUserMappingStmt, *pg.Node_AlterUserMappingStmt,
		*pg.Node_DropUserMappingStmt, *pg.Node_AlterObjectDependsStmt,
		*pg.Node_AlterExtensionContentsStmt, *pg.Node_AlterCollationStmt,
		// Statistics objects are the statistics file's to know.
		*pg.Node_AlterStatsStmt:
		return "", true
	case *pg.Node_AlterTsdictionaryStmt, *pg.Node_AlterTsconfigurationStmt, *pg.Node_CreateConversionStmt,
		*pg.Node_CreateTransformStmt:
		return "", true
	case *pg.Node_AlterTypeStmt:
		return "ALTER TYPE … SET", false
	case *pg.Node_DropOwnedStmt:
		return "DROP OWNED", false
	case *pg.Node_ImportForeignSchemaStmt:
		return "IMPORT FOREIGN SCHEMA", false
	case *pg.Node_CreateAmStmt:
		return "CREATE ACCESS METHOD", false
	}
	name := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", n.Node), "*pg_query.Node_"), "Stmt")
	return name, false
}

// objectWord is an object type as SQL writes it.
func objectWord(t pg.ObjectType) string {
	s := strings.TrimPrefix(t.String(), "OBJECT_")
	switch t {
	case pg.ObjectType_OBJECT_MATVIEW:
		return "MATERIALIZED VIEW"
	case pg.ObjectType_OBJECT_OPCLASS:
		return "OPERATOR CLASS"
	case pg.ObjectType_OBJECT_OPFAMILY:
		return "OPERATOR FAMILY"
	case pg.ObjectType_OBJECT_STATISTIC_EXT:
		return "STATISTICS"
	}
	return strings.ReplaceAll(s, "_", " ")
}
