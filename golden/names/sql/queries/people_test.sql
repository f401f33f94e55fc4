-- name: CountTests :one
SELECT count(*) FROM people;
