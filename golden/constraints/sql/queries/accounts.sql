-- CreateAccount can meet a name or a mail that is taken, and a bad age.
-- name: CreateAccount :one
INSERT INTO accounts (name, email, age) VALUES (@name, @email, @age) RETURNING id;

-- EnsureAccount takes care of the name.
-- name: EnsureAccount :one
INSERT INTO accounts (name, email) VALUES (@name, @email)
ON CONFLICT (name) DO UPDATE SET email = excluded.email RETURNING id;

-- TryAccount takes care of all keys.
-- name: TryAccount :execrows
INSERT INTO accounts (name, email) VALUES (@name, @email) ON CONFLICT DO NOTHING;

-- SetNote can violate nothing.
-- name: SetNote :execrows
UPDATE accounts SET note = @note WHERE id = @id;

-- SetAge can only violate the check.
-- name: SetAge :execrows
UPDATE accounts SET age = @age WHERE id = @id;

-- DeleteAccount is stopped by bookings, and by logins of its sessions.
-- name: DeleteAccount :execrows
DELETE FROM accounts WHERE id = @id;

-- Book writes to a partitioned table.
-- name: Book :exec
INSERT INTO ledger (id, day, account_id, amount) VALUES (@id, @day, @account_id, @amount);

-- Reserve meets an exclusion constraint and a check of the same name as another.
-- name: Reserve :exec
INSERT INTO rooms (id, size, during) VALUES (@id, @size, @during);

-- OpenSession writes in a WITH.
-- name: OpenSession :one
WITH s AS (INSERT INTO sessions (id, account_id) VALUES (@id, @account_id) RETURNING id)
INSERT INTO logins (session_id) SELECT id FROM s RETURNING session_id;

-- NameRoom meets the check of a domain.
-- name: NameRoom :execrows
UPDATE rooms SET code = @code WHERE id = @id;

-- name: AddReceipt :exec
INSERT INTO receipts (ledger_id, ledger_day) VALUES (@id, @day);

-- Unbook is stopped by a receipt.
-- name: Unbook :execrows
DELETE FROM ledger WHERE id = @id AND day = @day;
