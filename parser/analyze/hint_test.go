package analyze_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dbgen/dbgen/parser/analyze"
)

// TestNameHint checks what parameters without a name are called after.
func TestNameHint(t *testing.T) {
	t.Parallel()
	cat := newCatalog(t, 16)
	apply(t, cat, `
		create table job (id int primary key, owner text, note text, done boolean, at timestamptz, tags text[]);
		create function plan_job(owner_name text, prio int) returns int language sql as 'select 1';`)
	for _, c := range []struct{ sql, want string }{
		// What is compared or stored lends its name, also through an expression.
		{"update job set owner = coalesce(owner, $2), note = case when $3 then $4 else note end where id = $1", "id owner - note"},
		{"select 1 from job where lower(owner) = lower($1) and note ilike '%' || $2 || '%' and at > now() - $3::interval", "owner note at"},
		{"select 1 from job where ($1::text = '' or owner = $1) and id = any($2)", "owner id"},
		{"update job set tags[$2] = $3 where id = $1", "id tags tags"},
		{"update job set done = $2 and id = $3 where id = $1", "id done id"},
		// What is unnested is called as the column that it becomes or fills.
		{"insert into job (id, owner) select * from unnest($1::int[], $2::text[])", "id owner"},
		{"insert into job (id, owner) select unnest($1::int[]), $2", "id owner"},
		{"select x.y from unnest($1::text[], $2::int[]) as x (y, z)", "y z"},
		{"select unnest($1::int[]) as ids", "ids"},
		{"select 1 from job join unnest($1::int[]) as wanted on wanted = job.id", "wanted"},
		{"select * from unnest($1::int[])", "-"},
		// Arguments, keys and functions.
		{"select plan_job($1, prio => $2)", "owner_name prio"},
		{"select jsonb_build_object('size', $1::int, 'a b', $2::text, 'id', id) from job", "size -"},
		{"select 1 from job where pg_try_advisory_lock($1)", "pg_try_advisory_lock"},
		// Of two in one column neither is what it is about.
		{"select $1::int + $2::int as sum", "- -"},
		{"select $1::int + 1 as next limit $2 offset $3", "next limit offset"},
	} {
		r, diags := analyze.Statement(cat, statements(t, c.sql)[0])
		if r == nil {
			t.Errorf("%s: %v", c.sql, diags)
			continue
		}
		var got []string
		for _, p := range r.Params {
			if p.NameHint == "" {
				p.NameHint = "-"
			}
			got = append(got, p.NameHint)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", c.sql, diff)
		}
	}
}
