-- name: CountPerson :one
SELECT count(*)
FROM people
WHERE type = E'`\n';
