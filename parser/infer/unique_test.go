package infer_test

import (
	"testing"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/catalog"
	"github.com/dbgen/dbgen/parser/catalog/builtin"
	"github.com/dbgen/dbgen/parser/ddl"
	"github.com/dbgen/dbgen/parser/infer"
	"github.com/dbgen/dbgen/parser/source"
)

// TestUniqueKeys bounds rows by unique indexes on expressions, by partial ones
// and by groups, and does not where a proof is missing.
func TestUniqueKeys(t *testing.T) {
	t.Parallel()
	base, err := builtin.Load(16)
	if err != nil {
		t.Fatal(err)
	}
	cat := catalog.New(base)
	schema, diags := parser.ParseFiles([]*source.File{source.NewFile("schema.sql", `
CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, kind text NOT NULL, main boolean NOT NULL, code text, name text COLLATE "C");
CREATE UNIQUE INDEX ON people (lower(email));
CREATE UNIQUE INDEX ON people (kind) WHERE main;
CREATE UNIQUE INDEX ON people (code) WHERE code IS NOT NULL;
CREATE TABLE votes (person int NOT NULL, item int NOT NULL, stars int NOT NULL);
CREATE VIEW counts AS SELECT person, item, count(*) AS n FROM votes GROUP BY person, item;
CREATE VIEW total AS SELECT count(*) AS n FROM votes;
`)}, parser.Schema)
	diags.Append(ddl.Apply(cat, schema))
	if diags.HasErrors() {
		t.Fatal(diags[0].Error())
	}
	tests := []struct {
		sql  string
		want infer.Cardinality
	}{
		{"SELECT id FROM people WHERE lower(email) = lower($1)", infer.AtMostOne},
		{"SELECT id FROM people p WHERE $1 = lower(p.email)", infer.AtMostOne},
		{"SELECT id FROM people WHERE upper(email) = $1", infer.Many},
		{"SELECT id FROM people WHERE lower(email) = $1 COLLATE \"C\"", infer.Many},
		{"SELECT id FROM people WHERE lower(email) > $1", infer.Many},
		{"SELECT id FROM people WHERE lower(email) = $1 OR id = 1", infer.Many},
		{"SELECT p.id FROM people p JOIN people q ON lower(p.email) = lower(q.email) WHERE q.id = $1", infer.AtMostOne},
		{"SELECT p.id FROM people p JOIN people q ON lower(p.email) = lower(q.email)", infer.Many},
		{"SELECT q.id FROM people q LEFT JOIN people p ON lower(p.email) = q.kind WHERE q.id = $1", infer.AtMostOne},
		{"SELECT id FROM people WHERE kind = $1 AND main", infer.AtMostOne},
		{"SELECT id FROM people WHERE kind = $1", infer.Many},
		{"SELECT id FROM people WHERE kind = $1 AND NOT main", infer.Many},
		{"SELECT id FROM people WHERE code = $1", infer.AtMostOne},
		{"SELECT id FROM people WHERE code IS NOT NULL", infer.Many},
		{"SELECT id FROM people WHERE id = (random() * 10)::int", infer.Many},
		{"SELECT n FROM counts WHERE person = $1 AND item = $2", infer.AtMostOne},
		{"SELECT n FROM counts WHERE person = $1", infer.Many},
		{"SELECT n FROM counts WHERE n = $1", infer.Many},
		{"SELECT n FROM (SELECT person, sum(stars) AS n FROM votes GROUP BY person) s WHERE person = 3", infer.AtMostOne},
		{"SELECT n FROM (SELECT person, sum(stars) AS n FROM votes GROUP BY ROLLUP (person)) s WHERE person = 3", infer.Many},
		{"SELECT n FROM total WHERE n > 3", infer.AtMostOne},
	}
	for _, tt := range tests {
		list, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", tt.sql)}, parser.Queries)
		if diags.HasErrors() {
			t.Fatal(diags[0].Error())
		}
		a, diags := analyze.Statement(cat, list[0])
		if a == nil {
			t.Fatal(diags[0].Error())
		}
		if f := infer.Infer(cat, a.Query); f.Cardinality != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.sql, f.Cardinality, f.CardinalityWhy, tt.want)
		}
	}
}
