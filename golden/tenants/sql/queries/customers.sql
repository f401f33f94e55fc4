-- name: CreateCustomer :one
INSERT INTO customers (name) VALUES (@name) RETURNING id;

-- name: ListCustomers :many
SELECT * FROM customers ORDER BY id;

-- ListCustomersOf asks for a tenant's customers by the tenant's own id.
-- name: ListCustomersOf :many
SELECT * FROM customers WHERE tenant_id = @tenant_id ORDER BY id;

-- name: RenameCustomer :execrows
UPDATE customers SET name = @name WHERE id = @id;

-- name: ListBalances :many
SELECT * FROM balances ORDER BY id;
