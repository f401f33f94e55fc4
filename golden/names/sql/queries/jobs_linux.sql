-- name: ListLinux :many
SELECT id FROM people;
