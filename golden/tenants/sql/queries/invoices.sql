-- name: LastNumber :one
SELECT coalesce(max(number), 0)::int FROM invoices;

-- name: AddInvoice :one
INSERT INTO invoices (customer_id, number, total)
VALUES (@customer_id, @number, @total)
RETURNING *;

-- AddInvoiceOf names the tenant, and cannot name another one than its own.
-- name: AddInvoiceOf :exec
INSERT INTO invoices (tenant_id, customer_id, number, total)
VALUES (@tenant_id, @customer_id, @number, @total);

-- name: StreamInvoices :iter
SELECT * FROM invoices ORDER BY number;

-- DeleteInvoices deletes all invoices there are, those of the tenant.
-- name: DeleteInvoices :execrows
DELETE FROM invoices;

-- name: Wait :exec
SELECT pg_sleep(@seconds);
