package ddl

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"

	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/pgtype"
)

// Kinds of relations as the table of [command] writes them, beside
// pg_class.relkind: a partitioned table counts as a table, i and I are an index
// and a partitioned one.
const (
	kindIndex            byte = 'i'
	kindPartitionedIndex byte = 'I'
)

// command is what a command of ALTER TABLE is called and the kinds of relations
// that it may be used on (ATPrepCmd and alter_table_type_to_string, tablecmds.c).
// An empty list stands for all of them.
type command struct{ name, kinds string }

func commandOf(c *pg.AlterTableCmd) command {
	switch c.Subtype {
	case pg.AlterTableType_AT_AddColumn:
		return command{"ADD COLUMN", "rcf"}
	case pg.AlterTableType_AT_ColumnDefault:
		return command{"ALTER COLUMN ... SET DEFAULT", "rvf"}
	case pg.AlterTableType_AT_AddIdentity:
		return command{"ALTER COLUMN ... ADD IDENTITY", "rvf"}
	case pg.AlterTableType_AT_SetIdentity:
		return command{"ALTER COLUMN ... SET", "rvf"}
	case pg.AlterTableType_AT_DropIdentity:
		return command{"ALTER COLUMN ... DROP IDENTITY", "rvf"}
	case pg.AlterTableType_AT_DropNotNull:
		return command{"ALTER COLUMN ... DROP NOT NULL", "rf"}
	case pg.AlterTableType_AT_SetNotNull:
		return command{"ALTER COLUMN ... SET NOT NULL", "rf"}
	case pg.AlterTableType_AT_DropExpression:
		return command{"ALTER COLUMN ... DROP EXPRESSION", "rf"}
	case pg.AlterTableType_AT_SetStatistics:
		return command{"ALTER COLUMN ... SET STATISTICS", "rmiIf"}
	case pg.AlterTableType_AT_SetOptions:
		return command{"ALTER COLUMN ... SET", "rmf"}
	case pg.AlterTableType_AT_ResetOptions:
		return command{"ALTER COLUMN ... RESET", "rmf"}
	case pg.AlterTableType_AT_SetStorage:
		return command{"ALTER COLUMN ... SET STORAGE", "rmf"}
	case pg.AlterTableType_AT_SetCompression:
		return command{"ALTER COLUMN ... SET COMPRESSION", "rm"}
	case pg.AlterTableType_AT_DropColumn:
		return command{"DROP COLUMN", "rcf"}
	case pg.AlterTableType_AT_AddConstraint:
		return command{"ADD CONSTRAINT", "rf"}
	case pg.AlterTableType_AT_AlterConstraint:
		return command{"ALTER CONSTRAINT", "r"}
	case pg.AlterTableType_AT_ValidateConstraint:
		return command{"VALIDATE CONSTRAINT", "rf"}
	case pg.AlterTableType_AT_DropConstraint:
		return command{"DROP CONSTRAINT", "rf"}
	case pg.AlterTableType_AT_AlterColumnType:
		return command{"ALTER COLUMN ... SET DATA TYPE", "rcf"}
	case pg.AlterTableType_AT_AlterColumnGenericOptions:
		return command{"ALTER COLUMN ... OPTIONS", "f"}
	case pg.AlterTableType_AT_ClusterOn:
		return command{"CLUSTER ON", "rm"}
	case pg.AlterTableType_AT_DropCluster:
		return command{"SET WITHOUT CLUSTER", "rm"}
	case pg.AlterTableType_AT_SetAccessMethod:
		return command{"SET ACCESS METHOD", "rm"}
	case pg.AlterTableType_AT_SetLogged:
		return command{"SET LOGGED", "rS"}
	case pg.AlterTableType_AT_SetUnLogged:
		return command{"SET UNLOGGED", "rS"}
	case pg.AlterTableType_AT_DropOids:
		return command{"SET WITHOUT OIDS", "rf"}
	case pg.AlterTableType_AT_SetTableSpace:
		return command{"SET TABLESPACE", "rmiI"}
	case pg.AlterTableType_AT_SetRelOptions:
		return command{"SET", "rvmi"}
	case pg.AlterTableType_AT_ResetRelOptions:
		return command{"RESET", "rvmi"}
	case pg.AlterTableType_AT_EnableRule, pg.AlterTableType_AT_EnableAlwaysRule,
		pg.AlterTableType_AT_EnableReplicaRule, pg.AlterTableType_AT_DisableRule:
		return command{"ENABLE RULE", "r"}
	case pg.AlterTableType_AT_AddInherit:
		return command{"INHERIT", "rf"}
	case pg.AlterTableType_AT_DropInherit:
		return command{"NO INHERIT", "rf"}
	case pg.AlterTableType_AT_AddOf:
		return command{"OF", "r"}
	case pg.AlterTableType_AT_DropOf:
		return command{"NOT OF", "r"}
	case pg.AlterTableType_AT_ReplicaIdentity:
		return command{"REPLICA IDENTITY", "rm"}
	case pg.AlterTableType_AT_EnableRowSecurity:
		return command{"ENABLE ROW SECURITY", "r"}
	case pg.AlterTableType_AT_DisableRowSecurity:
		return command{"DISABLE ROW SECURITY", "r"}
	case pg.AlterTableType_AT_ForceRowSecurity:
		return command{"FORCE ROW SECURITY", "r"}
	case pg.AlterTableType_AT_NoForceRowSecurity:
		return command{"NO FORCE ROW SECURITY", "r"}
	case pg.AlterTableType_AT_GenericOptions:
		return command{"OPTIONS", "f"}
	case pg.AlterTableType_AT_AttachPartition:
		return command{"ATTACH PARTITION", "rI"}
	case pg.AlterTableType_AT_DetachPartition:
		return command{"DETACH PARTITION", "r"}
	case pg.AlterTableType_AT_DetachPartitionFinalize:
		return command{"DETACH PARTITION ... FINALIZE", "r"}
	}
	if name, ok := triggerAction(c.Subtype); ok {
		return command{name, "rf"}
	}
	return command{}
}

func triggerAction(t pg.AlterTableType) (string, bool) {
	name, ok := map[pg.AlterTableType]string{
		pg.AlterTableType_AT_EnableTrig: "ENABLE TRIGGER", pg.AlterTableType_AT_EnableAlwaysTrig: "ENABLE ALWAYS TRIGGER",
		pg.AlterTableType_AT_EnableReplicaTrig: "ENABLE REPLICA TRIGGER", pg.AlterTableType_AT_DisableTrig: "DISABLE TRIGGER",
		pg.AlterTableType_AT_EnableTrigAll: "ENABLE TRIGGER ALL", pg.AlterTableType_AT_DisableTrigAll: "DISABLE TRIGGER ALL",
		pg.AlterTableType_AT_EnableTrigUser: "ENABLE TRIGGER USER", pg.AlterTableType_AT_DisableTrigUser: "DISABLE TRIGGER USER",
	}[t]
	return name, ok
}

// permitted fails where a command cannot be used on a kind of relation
// (ATSimplePermissions, tablecmds.c).
func (a *applier) permitted(c *pg.AlterTableCmd, kind byte, name string) {
	x := commandOf(c)
	k := kind
	if k == catalog.KindPartitioned {
		k = catalog.KindTable
	}
	if x.kinds == "" || strings.IndexByte(x.kinds, k) >= 0 {
		return
	}
	a.failMore("42809", noLoc, notSupportedFor(kind), "", "ALTER action %s cannot be performed on relation %q", x.name, name)
}

// notSupportedFor is errdetail_relkind_not_supported (pg_class.c).
func notSupportedFor(kind byte) string {
	return "This operation is not supported for " + map[byte]string{
		catalog.KindTable: "tables", kindIndex: "indexes", catalog.KindSequence: "sequences", catalog.KindView: "views",
		catalog.KindMatView: "materialized views", catalog.KindComposite: "composite types",
		catalog.KindForeign: "foreign tables", catalog.KindPartitioned: "partitioned tables",
		kindPartitionedIndex: "partitioned indexes",
	}[kind] + "."
}

// indexKind is i, or I where the index is of a partitioned table.
func (a *applier) indexKind(x *catalog.Index) byte {
	if t := a.cat.Table(x.Table); t != nil && t.Kind == catalog.KindPartitioned {
		return kindPartitionedIndex
	}
	return kindIndex
}

// notSystem refuses changes to the server's own relations.
func (a *applier) notSystem(t *catalog.Table, loc int) {
	if t.OID < pgtype.FirstNormalOID && t.Schema == "pg_catalog" {
		a.fail("42501", loc, "permission denied: %q is a system catalog", t.Name)
	}
}
