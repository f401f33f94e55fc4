-- RecordEvent stores one event.
-- name: RecordEvent :exec
INSERT INTO events (customer_id, session_id, kind, payload)
VALUES (sqlc.narg('customer_id'), @session_id, @kind, @payload);

-- RecordEvents stores a batch of events of a session.
-- name: RecordEvents :execrows
INSERT INTO events (customer_id, session_id, kind, payload, occurred_at)
SELECT sqlc.narg('customer_id'), @session_id, e.kind, e.payload, e.occurred_at
FROM unnest(@kinds::text[], @payloads::jsonb[], @times::timestamptz[]) AS e (kind, payload, occurred_at);

-- ListCustomerEvents returns the latest events of a customer.
-- name: ListCustomerEvents :many
SELECT id, kind, payload, occurred_at
FROM events
WHERE customer_id = @customer_id
ORDER BY occurred_at DESC
LIMIT 50;

-- ListSessionEvents retraces a session for the support desk.
-- name: ListSessionEvents :many
SELECT id, kind, payload, occurred_at
FROM events
WHERE session_id = @session_id
ORDER BY occurred_at;

-- ListComplaints returns the complaints of the third quarter of 2026.
-- name: ListComplaints :many
SELECT e.id, e.customer_id, c.email, e.occurred_at
FROM events e
LEFT JOIN customers c ON c.id = e.customer_id
WHERE e.kind = 'complaint'
  AND e.occurred_at >= '2026-07-01 00:00:00+00'
  AND e.occurred_at < '2026-10-01 00:00:00+00'
ORDER BY e.occurred_at
LIMIT 100;

-- CountEventsByHour counts the events of a kind in each hour of a span.
-- name: CountEventsByHour :many
SELECT date_trunc('hour', occurred_at) AS hour, count(*) AS events
FROM events
WHERE kind = @kind
  AND occurred_at >= @from_time
  AND occurred_at < @to_time
GROUP BY 1
ORDER BY 1;

-- CountBookViews counts how often a book was looked at, by what led there.
-- name: CountBookViews :many
SELECT payload ->> 'source' AS source, count(*) AS views
FROM events
WHERE kind = 'view_book'
  AND occurred_at >= '2026-09-24 00:00:00+00'
  AND payload ->> 'book_id' = @book_id::text
GROUP BY payload ->> 'source';

-- Enqueue adds a job.
-- name: Enqueue :one
INSERT INTO jobs (queue, payload, run_at)
VALUES (@queue, @payload, coalesce(sqlc.narg('run_at'), now()))
RETURNING id;

-- ClaimJobs takes jobs that are due; other workers pass them over.
-- name: ClaimJobs :many
UPDATE jobs j
SET started_at = now(),
    attempts = j.attempts + 1
WHERE j.id IN (
    SELECT id
    FROM jobs
    WHERE queue = @queue
      AND finished_at IS NULL
      AND run_at <= now()
    ORDER BY run_at
    LIMIT @batch_size
    FOR UPDATE SKIP LOCKED
)
RETURNING j.id, j.payload, j.attempts;

-- FinishJob closes a job.
-- name: FinishJob :exec
UPDATE jobs
SET finished_at = now(),
    last_error = sqlc.narg('last_error')
WHERE id = @id;

-- NextJob looks at the job that is due next.
-- name: NextJob :opt
SELECT id, run_at, attempts
FROM jobs
WHERE queue = @queue
  AND finished_at IS NULL
ORDER BY run_at
LIMIT 1;
