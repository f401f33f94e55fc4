package ddl_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/source"
)

// manyTables is the schema of a large application, of n tables: keys, foreign
// keys to tables before, CHECKs, indexes of several kinds, comments, views over
// joins, and the changes that migrations make afterwards.
func manyTables(n int) string {
	var b strings.Builder
	b.WriteString("CREATE TYPE status AS ENUM ('new', 'open', 'done');\nCREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');\n")
	for i := range n {
		fmt.Fprintf(&b, `CREATE TABLE app_%d (
  id bigserial PRIMARY KEY,
  parent_id bigint REFERENCES app_%d (id) ON DELETE CASCADE,
  name varchar(100) NOT NULL,
  contact email,
  state status NOT NULL DEFAULT 'new',
  amount numeric(12,2) NOT NULL DEFAULT 0 CHECK (amount >= 0),
  tags text[],
  doc jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (parent_id, name)
);
CREATE INDEX ON app_%d (created_at DESC, name);
CREATE INDEX app_%d_open ON app_%d (lower(name)) WHERE state = 'open';
CREATE INDEX ON app_%d USING gin (doc);
COMMENT ON TABLE app_%d IS 'table %d';
`, i, max(0, i-7), i, i, i, i, i, i)
		switch i % 10 {
		case 3:
			fmt.Fprintf(&b, "CREATE VIEW view_%d AS SELECT a.id, a.name, b.amount FROM app_%d a JOIN app_%d b ON b.id = a.parent_id WHERE a.state <> 'done';\n", i, i, i-1)
		case 5:
			fmt.Fprintf(&b, "ALTER TABLE app_%d ADD COLUMN owner_id bigint NOT NULL REFERENCES app_0;\nALTER TABLE app_%d ALTER COLUMN name TYPE text;\n", i, i)
		case 7:
			fmt.Fprintf(&b, "ALTER TABLE app_%d DROP COLUMN tags;\nALTER TABLE app_%d RENAME COLUMN doc TO document;\n", i, i)
		case 9:
			fmt.Fprintf(&b, "CREATE TABLE old_%d (LIKE app_%d INCLUDING ALL);\nDROP TABLE old_%d;\n", i, i, i)
		}
	}
	return b.String()
}

// BenchmarkApply measures the loading of schemas of growing size; the time for a
// table must not grow with them.
func BenchmarkApply(b *testing.B) {
	base, err := builtin.Load(16)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{250, 500, 1000, 2000} {
		list, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", manyTables(n))}, parser.Schema)
		if len(diags) > 0 {
			b.Fatal(diags[0].Error())
		}
		b.Run(fmt.Sprintf("tables=%d", n), func(b *testing.B) {
			before := cpuTime(b)
			for b.Loop() {
				for _, d := range ddl.Apply(catalog.New(base), list) {
					b.Fatal(d.Error())
				}
			}
			b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N*n), "cpu-ns/table")
		})
	}
}

// cpuTime is the time that the process has had of the processors, its garbage
// collection included.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
