-- name: CreatePlan :exec
INSERT INTO plans (id, name) VALUES (@id, @name);

-- name: ListPlans :many
SELECT * FROM plans ORDER BY id;

-- CurrentTenant tells whose transaction it runs in, '' for nobody's.
-- name: CurrentTenant :one
SELECT coalesce(current_setting('app.tenant_id', true), '')::text;
