-- GetPerson isn't ''quoted''.
--
-- Its comment has a list:
--   - one
--   - two
-- name: GetPerson :one
SELECT * FROM people WHERE id = @id;

-- name: GetArchived :one
SELECT * FROM archive.people WHERE id = $1;

-- name: GetName :one
SELECT type, "func", k FROM (SELECT type, "func", '`' || $$`$$ AS k FROM people) AS x
WHERE type = @type AND "func" = @func;

-- name: ListRows :many
SELECT * FROM get_name_rows;

-- select is a word of Go, and so are its parameters.
-- name: Select :many
SELECT id, id AS "ID", id AS id, 1 + 1, 2 AS "2", id AS id2 FROM people WHERE type = @runtime AND "func" = @string;

-- name: time :one
SELECT now() AS time;

-- name: FindByHint :many
SELECT id FROM people WHERE type = $1 AND id = ANY ($2);

-- name: FindNoHint :one
SELECT $1::int + $2::int AS sum;

-- @param key the key to look for
-- @param kind person
-- @param score numeric?
-- name: ByKey :many
SELECT id, key, score FROM people WHERE key = @key AND kind = @kind AND score IS NOT DISTINCT FROM @score;

-- name: Touch :execrows
UPDATE people SET type = @ctx, "func" = @r, "select" = @p WHERE id = @id;

-- name: Nothing :exec
SELECT 1;

-- AnyOf has one value more than a list of them.
-- name: AnyOf :many
SELECT id FROM people WHERE weird IN (@weird) AND id NOT IN (@ids);
