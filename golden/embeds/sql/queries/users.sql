-- GetUser returns a user with the team, which may be missing.
-- name: GetUser :opt
SELECT sqlc.embed(u), sqlc.embed(t)
FROM users u
LEFT JOIN teams t ON t.id = u.team_id
WHERE u.id = @id;

-- GetTeamMember cannot lack the team: the WHERE would reject the row.
-- name: GetTeamMember :opt
SELECT sqlc.embed(u), sqlc.embed(t)
FROM users u
LEFT JOIN teams t ON t.id = u.team_id
WHERE u.id = @id AND t.name <> '';

-- ListManagers embeds one table twice.
-- name: ListManagers :many
SELECT sqlc.embed(u), sqlc.embed(manager), count(*) OVER () AS total
FROM users u
LEFT JOIN users manager ON manager.id = u.manager
ORDER BY u.id;

-- ListNotes embeds a table without a column that is sure to be there.
-- name: ListNotes :iter
SELECT u.name, sqlc.embed(n)
FROM users u
LEFT JOIN notes n ON n.user_id = u.id
ORDER BY u.id, n.body;

-- ListPairs has both sides in doubt, and nothing else.
-- name: ListPairs :many
SELECT sqlc.embed(u), sqlc.embed(t)
FROM users u
FULL JOIN teams t ON t.lead = u.id
ORDER BY u.id, t.id;

-- ListCounted embeds a CTE, which is no table.
-- name: ListCounted :many
WITH counted AS (SELECT user_id, count(*) AS notes FROM notes GROUP BY user_id)
SELECT sqlc.embed(u), sqlc.embed(counted)
FROM users u
LEFT JOIN counted ON counted.user_id = u.id
ORDER BY u.id;

-- ListBusy returns rows of a view, ListBusyEmbedded the same embedded.
-- name: ListBusy :many
SELECT * FROM busy_users WHERE notes > @more_than ORDER BY id;

-- name: ListBusyEmbedded :many
SELECT sqlc.embed(busy_users) FROM busy_users ORDER BY id;

-- ListJoined has the same column name twice, from a * over a join.
-- name: ListJoined :many
SELECT * FROM users u JOIN teams t ON t.id = u.team_id ORDER BY u.id;

-- ListUsing merges a column.
-- name: ListUsing :many
SELECT * FROM users JOIN teams t USING (id, name) ORDER BY id;

-- MoveUser returns the row as the table has it.
-- name: MoveUser :one
UPDATE users SET team_id = sqlc.narg('team_id') WHERE id = @id RETURNING *;
