package plan_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dbgen/dbgen/parser"
	"github.com/dbgen/dbgen/parser/analyze"
	"github.com/dbgen/dbgen/parser/source"
	"github.com/dbgen/dbgen/planner"
)

// statements use what stands above scans and joins.
var statements = []string{
	"SELECT g, count(*) FROM a GROUP BY g",
	"SELECT g, count(*), sum(k) FROM a WHERE id < 100 GROUP BY g HAVING count(*) > 3 ORDER BY 2 DESC, g",
	"SELECT lower(t), max(k) FROM a GROUP BY lower(t) ORDER BY lower(t) LIMIT 5",
	"SELECT x.g, y.g, count(DISTINCT x.k) FROM a x JOIN b y ON x.k = y.k GROUP BY x.g, y.g",
	"SELECT g, k, count(*) FROM a GROUP BY GROUPING SETS ((g, k), (g), ())",
	"SELECT g, k, t, grouping(g), count(*) FROM a WHERE id < 50 GROUP BY ROLLUP (g, k), t",
	"SELECT g, k, count(*) FROM a GROUP BY CUBE (g, k)",
	"SELECT max(id) FROM a",
	"SELECT max(id), min(k) FROM a WHERE k > 5",
	"SELECT count(*) FROM c",
	"SELECT count(*) FROM c WHERE g = 1 AND t LIKE 'z%'",
	"SELECT DISTINCT g FROM a",
	"SELECT DISTINCT g, k FROM a ORDER BY g, k",
	"SELECT DISTINCT ON (g) g, id FROM a ORDER BY g, id DESC",
	"SELECT id FROM a ORDER BY t COLLATE \"C\" DESC NULLS LAST, k LIMIT 10",
	"SELECT id, g FROM c ORDER BY g, k LIMIT 10",
	"SELECT g, id, a FROM c ORDER BY g, a",
	"SELECT row_number() OVER (PARTITION BY g ORDER BY id), t FROM a WHERE k = 4",
	"SELECT sum(k) OVER w, avg(k) OVER (ORDER BY g ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM a WHERE id < 100 WINDOW w AS (PARTITION BY g)",
	"SELECT * FROM (SELECT id, row_number() OVER (ORDER BY k) AS n FROM a) s WHERE n < 4",
	"SELECT g, sum(count(*)) OVER (ORDER BY g) FROM a GROUP BY g",
	"SELECT id FROM a UNION SELECT id FROM b",
	"SELECT id, 'a' FROM a UNION ALL SELECT id, 'b' FROM b",
	"SELECT id FROM a UNION ALL SELECT id FROM b ORDER BY id LIMIT 5",
	"SELECT * FROM (SELECT id, k FROM a UNION ALL SELECT id, k FROM b) u WHERE id = 7",
	"SELECT u.id, count(*) FROM (SELECT id, k FROM a UNION ALL SELECT k, id FROM b) u GROUP BY u.id",
	"SELECT id FROM a INTERSECT SELECT id FROM b",
	"SELECT id, t FROM a EXCEPT ALL SELECT id, \"Odd name\" FROM b",
	"WITH x AS (SELECT * FROM a WHERE k = 3) SELECT * FROM x WHERE g = 2",
	"WITH x AS MATERIALIZED (SELECT id, k FROM a WHERE k = 3) SELECT * FROM x WHERE id = 2",
	"WITH x AS (SELECT g, count(*) AS n FROM a GROUP BY g) SELECT * FROM x x1 JOIN x x2 ON x1.n = x2.n",
	"WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r",
	"WITH RECURSIVE r AS (SELECT id, a FROM c WHERE id = 5 UNION SELECT c.id, c.a FROM c JOIN r ON c.k = r.a) SELECT * FROM r",
	"SELECT a.id, (SELECT count(*) FROM c WHERE c.a = a.id) FROM a WHERE a.k = 3",
	"SELECT a.id, (SELECT max(b.k) FROM b) FROM a WHERE a.k = 3",
	"SELECT a.id FROM a WHERE a.k = (SELECT max(b.k) FROM b WHERE b.g = a.g)",
	"SELECT a.id FROM a WHERE a.k = (SELECT b.k FROM b WHERE b.id = 4) AND a.g > 2",
	"SELECT a.id FROM a WHERE a.k NOT IN (SELECT b.k FROM b)",
	"SELECT a.id FROM a WHERE a.k NOT IN (SELECT b.k FROM b WHERE b.g = a.g)",
	"SELECT a.id, a.k IN (SELECT b.k FROM b) FROM a",
	"SELECT a.id, EXISTS (SELECT 1 FROM c WHERE c.a = a.id) FROM a",
	"SELECT a.id, EXISTS (SELECT 1 FROM c WHERE c.a = a.id) FROM a WHERE a.k = 3",
	"SELECT EXISTS (SELECT 1 FROM c WHERE c.a = 5)",
	"SELECT a.id, ARRAY(SELECT c.id FROM c WHERE c.a = a.id ORDER BY c.k) FROM a WHERE a.id < 5",
	"SELECT a.id FROM a WHERE (SELECT count(*) FROM c WHERE c.a = a.id) > (SELECT avg(g) FROM b)",
	"SELECT a.id FROM a WHERE a.k > ALL (SELECT b.k FROM b WHERE b.g = 1)",
	"SELECT (SELECT (SELECT a.k + b.k FROM d LIMIT 1) FROM b WHERE b.id = a.id) FROM a WHERE id = 3",
	"SELECT a.id, s.n FROM a, LATERAL (SELECT count(*) AS n FROM c WHERE c.a = a.id) s WHERE a.k = 3",
	"SELECT a.id, s.* FROM a LEFT JOIN LATERAL (SELECT c.id, c.k FROM c WHERE c.a = a.id ORDER BY c.k DESC LIMIT 2) s ON true WHERE a.k = 3",
	"SELECT s.g, s.n, a.t FROM (SELECT g, count(*) AS n FROM c GROUP BY g) s JOIN a ON a.id = s.n WHERE s.n > 3",
	"SELECT * FROM (SELECT id, k FROM a ORDER BY k LIMIT 10) s WHERE s.id > 3",
	"SELECT generate_series(1, 3), id FROM a WHERE k = 3",
	"SELECT id, unnest(ARRAY[k, g]) FROM a WHERE k = 3 ORDER BY 2",
	"SELECT 1",
	"SELECT 1 WHERE $1::int = 3",
	"VALUES (1, 'a'), (2, 'b')",
	"SELECT id FROM a WHERE k = 3 FOR UPDATE",
	"SELECT id FROM a WHERE k = 3 ORDER BY t LIMIT 3 FOR UPDATE SKIP LOCKED",
	"SELECT id FROM a ORDER BY id LIMIT $1 OFFSET $2",
	"SELECT id FROM a LIMIT (SELECT count(*) FROM b)",
	"INSERT INTO d VALUES (1, 2, 3)",
	"INSERT INTO d VALUES (1, 2, 3), (4, 5, 6) RETURNING x",
	"INSERT INTO d VALUES (1, 2, 3) ON CONFLICT DO NOTHING",
	"INSERT INTO d VALUES (1, 2, 3) ON CONFLICT (x, y) DO NOTHING",
	"INSERT INTO d AS z VALUES (1, 2, 3) ON CONFLICT (x, y) DO UPDATE SET v = excluded.v WHERE z.v <> excluded.v AND z.x > 3",
	"INSERT INTO d SELECT id, k, g FROM a WHERE k = 4",
	"UPDATE a SET t = 'x' WHERE id = 4",
	"UPDATE a SET t = 'x' WHERE id = 4 RETURNING id, t",
	"UPDATE a AS x SET g = b.g FROM b WHERE b.id = x.id AND b.k = 3",
	"UPDATE a SET g = (SELECT max(g) FROM b WHERE b.k = a.k) WHERE id < 10",
	"DELETE FROM a USING b WHERE a.id = b.id AND b.k = 3",
	"DELETE FROM a WHERE id IN (SELECT b.id FROM b WHERE b.k = 3)",
	"WITH x AS (DELETE FROM d WHERE x = 3 RETURNING *) SELECT count(*) FROM x",
	"MERGE INTO d USING a ON d.x = a.id WHEN MATCHED AND d.v > 3 THEN UPDATE SET v = a.g WHEN NOT MATCHED THEN INSERT VALUES (a.id, a.k, a.g)",
	"SELECT n, count(*) FROM p GROUP BY n",
	"SELECT * FROM p ORDER BY at LIMIT 5",
	"SELECT * FROM p ORDER BY id LIMIT 5",
	"SELECT n, count(*), max(at) FROM p WHERE id < 100 GROUP BY n ORDER BY n",
	"SELECT max(id) FROM p",
	"SELECT x.k, lower(x.t) FROM a x JOIN b y ON lower(x.t) = y.\"Odd name\" ORDER BY lower(x.t)",
	"SELECT count(*) FROM a x JOIN c y ON x.id = y.a WHERE x.g = 2",
	"SELECT x.g, sum(y.k) FROM a x JOIN c y ON x.id = y.a GROUP BY x.g",
	"SELECT string_agg(t, ',' ORDER BY k) FROM a WHERE k < 4",
	"SELECT count(*) FILTER (WHERE g = 2), avg(k) FROM c",
	"SELECT CASE WHEN g = 1 THEN 'one' ELSE 'other' END AS w, count(*) FROM a GROUP BY 1 ORDER BY 1",
	"SELECT coalesce(b.g, 0), count(*) FROM a LEFT JOIN b ON b.id = a.k GROUP BY coalesce(b.g, 0)",
	"SELECT * FROM vw WHERE n > 10",
	"SELECT vw.g, a.id FROM vw JOIN a ON a.g = vw.g WHERE a.id < 10",
	"SELECT a.t FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k) OR a.g IN (SELECT g FROM b WHERE k = 2)",
	"SELECT x.id FROM a x WHERE x.g = (SELECT min(g) FROM b) AND x.k = (SELECT b.k FROM b, c WHERE b.id = c.b AND c.id = 7)",
	"SELECT x.id, (SELECT max(id) FROM c WHERE c.a = x.id) FROM a x WHERE x.k = 3",
	"SELECT 1 FROM a GROUP BY k HAVING k > (SELECT avg(k) FROM b)",
	"SELECT k + 1, count(*) FROM a GROUP BY k + 1 HAVING k + 1 > 3 ORDER BY count(*) DESC LIMIT 3",
	"SELECT id FROM a WHERE v = $1 ORDER BY v",
	"SELECT v FROM a ORDER BY v DESC LIMIT 3",
	"SELECT v, count(*) FROM a GROUP BY v ORDER BY v LIMIT 4",
	"SELECT a.id FROM a JOIN b ON a.v = b.\"Odd name\" AND a.k < b.k",
	"SELECT s.x FROM (SELECT k AS x, k AS x2, g FROM a WHERE id < 20 OFFSET 0) s WHERE s.x > 3 AND s.g IS NOT NULL",
	"SELECT count, count_1 FROM (SELECT count(*), count(k) AS count_1 FROM a GROUP BY g OFFSET 0) s WHERE count > 3",
	"SELECT s.u FROM (SELECT upper(t) AS u, k FROM a OFFSET 0) s JOIN b ON b.k = s.k WHERE s.u <> 'X' ORDER BY s.u",
	"SELECT * FROM (SELECT id, t FROM a UNION ALL SELECT id, \"Odd name\" FROM b) u ORDER BY t, id LIMIT 3",
	"SELECT * FROM (SELECT k, lower(t) AS l FROM a UNION ALL SELECT k, lower(\"Odd name\") FROM b) u WHERE l = 'x'",
	"SELECT l, count(*) FROM (SELECT k, lower(t) AS l FROM a UNION ALL SELECT k, lower(\"Odd name\") FROM b) u GROUP BY l ORDER BY l",
	"SELECT a.id FROM a JOIN (SELECT id, k FROM a UNION ALL SELECT id, k FROM b) u ON u.id = a.id WHERE a.k = 3",
	"SELECT * FROM p x JOIN p y ON x.id = y.id WHERE x.n = 3",
	"SELECT x.n, count(*) FROM p x JOIN a ON a.id = x.id GROUP BY x.n ORDER BY x.n",
	"SELECT at, id FROM p ORDER BY at DESC, id",
	"SELECT rank() OVER (ORDER BY count(*) DESC), g FROM a GROUP BY g ORDER BY 1",
	"SELECT sum(k) OVER (PARTITION BY lower(t) ORDER BY g DESC NULLS LAST) FROM a WHERE id < 100",
	"SELECT lag(k) OVER w, first_value(g) OVER (w ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) FROM a WHERE id < 9 WINDOW w AS (ORDER BY id)",
	"SELECT g, array_agg(DISTINCT k ORDER BY k), percentile_cont(0.5) WITHIN GROUP (ORDER BY k) FROM a GROUP BY g",
	"SELECT count(*) FROM (SELECT DISTINCT g, k FROM a) s",
	"SELECT * FROM a WHERE k IN (SELECT k FROM b WHERE g = 3 GROUP BY k HAVING count(*) > 2)",
	"SELECT * FROM a WHERE (k, g) IN (SELECT k, g FROM b)",
	"SELECT * FROM a WHERE (k, g) NOT IN (SELECT k, g FROM b)",
	"SELECT * FROM a WHERE k = ANY (SELECT k FROM b WHERE b.g = a.g LIMIT 3)",
	"SELECT * FROM a WHERE k < ANY (SELECT k FROM b WHERE b.id < 10)",
	"SELECT a.id, b.id FROM a LEFT JOIN b ON b.id = a.k AND EXISTS (SELECT 1 FROM c WHERE c.b = b.id) WHERE a.g = 2",
	"SELECT f.x, a.t FROM unnest($1::int[], $2::text[]) WITH ORDINALITY f (x, y, n) LEFT JOIN a ON a.id = f.x ORDER BY f.n",
	"SELECT * FROM ROWS FROM (generate_series(1, 3), generate_series(1, 5)) AS r (a, b) WHERE r.a > 1",
	"SELECT (SELECT string_agg(b.\"Odd name\", ',' ORDER BY b.id) FROM b WHERE b.k = a.k), a.* FROM a WHERE a.id = ANY ($1)",
	"SELECT a.*, x.n FROM a CROSS JOIN LATERAL (SELECT a.k + 1 AS n) x WHERE a.id = 3 AND x.n > 2",
	"SELECT a.id, l.s FROM a, LATERAL (SELECT sum(c.k) AS s FROM c WHERE c.a = a.id AND c.k < a.k) l WHERE a.id < 30 AND l.s > a.g",
	"WITH u AS (UPDATE a SET g = 3 WHERE id = 4 RETURNING id, g), i AS (INSERT INTO d SELECT id, g, 1 FROM u RETURNING x) SELECT * FROM i JOIN u ON i.x = u.id",
	"SELECT * FROM p WHERE at > current_date - 20000",
	"SELECT * FROM p WHERE at > now()",
	"SELECT * FROM p WHERE at = (SELECT max(at) FROM p)",
	"SELECT p.* FROM p JOIN b ON p.at = '2020-01-01'::date + b.k WHERE b.id = 5",
	"SELECT * FROM p_1 WHERE at > '2020-03-01'",
	"UPDATE p SET n = 3 WHERE id = 4",
	"INSERT INTO p VALUES (1, '2020-01-01', 3)",
	"SELECT xmin, ctid, tableoid::regclass, a FROM a WHERE id = 3",
	"SELECT a FROM a",
	"SELECT a.* IS NULL, (a).t FROM a WHERE a.* IS NOT NULL",
	"SELECT x.id, y.id FROM a x, a y WHERE x.id = y.k AND y.t || x.t > 'z' ORDER BY x.v, y.v LIMIT 3",
	"SELECT x.id FROM a x WHERE x.k = (SELECT b.k FROM b, c WHERE b.id = c.b AND c.a = 7 LIMIT 1) AND x.g = (SELECT sum(g) FROM b)",
	"SELECT x.id FROM a x WHERE x.k = (SELECT c.k FROM a, c WHERE a.id = c.a AND a.k = x.g LIMIT 1) AND x.g = (SELECT sum(g) FROM b)",
	"WITH x AS MATERIALIZED (SELECT c.k FROM a, c WHERE a.id = c.a AND a.k = 8) SELECT (SELECT sum(g) FROM b), x.* FROM x WHERE k > (SELECT count(*) FROM b)",
	"SELECT (SELECT max(id) FROM a), (SELECT min(c.k) FROM a, c WHERE a.id = c.a AND a.k = 8), (SELECT sum(g) FROM b)",
	"WITH x AS (SELECT k FROM a WHERE id = 1), y AS (SELECT * FROM x UNION ALL SELECT * FROM x) SELECT count(*) FROM y JOIN x ON true",
	"INSERT INTO d (x, y, v) SELECT k, g, count(*) FROM a GROUP BY k, g ON CONFLICT (x, y) DO UPDATE SET v = d.v + excluded.v RETURNING x, (SELECT count(*) FROM b WHERE b.id = d.x)",
	"UPDATE d SET (v, y) = (SELECT count(*), max(k) FROM a WHERE a.g = d.x) WHERE x = 3",
	"DELETE FROM d USING (SELECT x, max(y) AS m FROM d GROUP BY x) s WHERE s.x = d.x AND d.y < s.m",
	"SELECT id FROM a WHERE g = 3 AND k < 50 ORDER BY g, id FOR NO KEY UPDATE OF a NOWAIT",
	"SELECT a.id FROM a JOIN b USING (k) FOR SHARE OF b",
	"SELECT CASE WHEN EXISTS (SELECT 1 FROM b WHERE b.id = a.id) THEN 1 ELSE (SELECT g FROM b WHERE b.id = a.k) END FROM a",
	"SELECT g FROM a WHERE k > 3 GROUP BY g UNION SELECT k FROM b ORDER BY 1 LIMIT 7",
	"(SELECT id FROM a ORDER BY k LIMIT 3) UNION ALL (SELECT id FROM b ORDER BY k LIMIT 3)",
	"SELECT x FROM (VALUES (1), (2), (3)) v (x) WHERE x NOT IN (SELECT id FROM a WHERE k = v.x)",
	"SELECT now(), current_date, (SELECT 1)",
	"SELECT date_trunc('day', at), count(*) FROM p WHERE at BETWEEN '2020-01-05' AND '2020-01-20' GROUP BY 1",
	"SELECT a.id FROM a WHERE a.t LIKE 'xx%' AND a.v LIKE 'v1%' AND lower(a.t) > 'x' ORDER BY lower(a.t) LIMIT 3",
	"SELECT a1.id FROM a a1 WHERE EXISTS (SELECT 1 FROM a a2 WHERE a2.k = a1.g AND EXISTS (SELECT 1 FROM c WHERE c.a = a2.id AND c.k > a1.k))",
}

// TestStatements holds the plans of whole statements against the server's, to
// the letter. A plan that does not say that it is exact is not compared.
func TestStatements(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := context.Background()
	for _, sql := range []string{"SET plan_cache_mode = force_generic_plan", "SET jit = off"} {
		if _, err := f.conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	same, all := 0, 0
	for _, sql := range statements {
		stmts, diags := parser.ParseFiles([]*source.File{source.NewFile("q.sql", "-- name: Q :many\n"+sql+";")}, parser.Queries)
		if diags.HasErrors() {
			t.Errorf("%s: %s", sql, diags[0].Message)
			continue
		}
		a, diags := analyze.Statement(f.bound.Catalog, stmts[0])
		if diags.HasErrors() {
			t.Errorf("%s: %s", sql, diags[0].Message)
			continue
		}
		r := planner.Plan(f.bound, a.Query, planner.Options{})
		all++
		if len(r.Reasons) > 0 {
			t.Logf("%s: %s %v", sql, r.Precision, r.Reasons)
			continue
		}
		if diff := cmp.Diff(f.explain(t, sql, "TEXT"), r.Root.Text()); diff != "" {
			t.Errorf("%s\n%s", sql, diff)
			continue
		}
		text, err := json.Marshal(r.Root)
		if err != nil {
			t.Fatal(err)
		}
		var server []struct{ Plan any }
		var got any
		if err := json.Unmarshal([]byte(f.explain(t, sql, "JSON")), &server); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(server[0].Plan, got); diff != "" {
			t.Errorf("%s: JSON\n%s", sql, diff)
			continue
		}
		same++
	}
	t.Logf("%d of %d plans are exact and the server's", same, all)
}
