-- GetCustomer returns the customer with the given ID, closed accounts too.
-- name: GetCustomer :one
SELECT *
FROM customers
WHERE id = @id;

-- GetCustomerByPublicID finds an open account by the ID shown in links.
-- name: GetCustomerByPublicID :opt
SELECT id, public_id, email, full_name, locale, created_at
FROM customers
WHERE public_id = @public_id
  AND deleted_at IS NULL;

-- FindCustomerByEmail finds an account whatever the case of the address.
-- name: FindCustomerByEmail :opt
SELECT id, email, full_name, locale, preferences, deleted_at
FROM customers
WHERE lower(email) = lower(@email);

-- ListCustomersByIDs returns the customers with the given IDs.
-- name: ListCustomersByIDs :many
SELECT id, public_id, email, full_name
FROM customers
WHERE id IN (@ids);

-- ListCustomersAfter returns a page of the customers, oldest first, behind the
-- last row of the page before.
-- name: ListCustomersAfter :many
SELECT id, email, full_name, created_at
FROM customers
WHERE (created_at, id) > (@after_created_at, @after_id)
ORDER BY created_at, id
LIMIT @page_size;

-- FindCustomersByName is the search box of the support desk.
-- name: FindCustomersByName :many
SELECT id, email, full_name, phone, created_at
FROM customers
WHERE lower(full_name) = lower(@name)
ORDER BY full_name, id
LIMIT 50;

-- FindCustomerByPhone tells who is calling.
-- name: FindCustomerByPhone :many
SELECT id, full_name, email, loyalty_points
FROM customers
WHERE phone = @phone;

-- ExportCustomers feeds the newsletter service.
-- name: ExportCustomers :many
SELECT id, email, full_name, locale, tags
FROM customers
WHERE deleted_at IS NULL;

-- CountCustomersByLocale leaves out the locales of fewer than min_count people.
-- name: CountCustomersByLocale :many
SELECT locale, count(*) AS customers, count(*) FILTER (WHERE 'newsletter' = ANY (tags)) AS subscribers
FROM customers
WHERE deleted_at IS NULL
GROUP BY locale
HAVING count(*) >= @min_count
ORDER BY customers DESC;

-- CreateCustomer adds an account.
-- name: CreateCustomer :one
INSERT INTO customers (email, full_name, phone, locale, birth_date)
VALUES (@email, @full_name, sqlc.narg('phone'), @locale, sqlc.narg('birth_date'))
RETURNING id, public_id, created_at;

-- UpsertCustomer adds an account, or renames the one with the same address.
-- name: UpsertCustomer :one
INSERT INTO customers (email, full_name)
VALUES (@email, @full_name)
ON CONFLICT (lower(email)) DO UPDATE
SET full_name = excluded.full_name,
    deleted_at = NULL
RETURNING *;

-- UpdateCustomer changes what is given and keeps the rest.
-- name: UpdateCustomer :opt
UPDATE customers
SET full_name = coalesce(sqlc.narg('full_name'), full_name),
    phone = coalesce(sqlc.narg('phone'), phone),
    locale = coalesce(sqlc.narg('locale'), locale)
WHERE id = @id
RETURNING id, full_name, phone, locale, updated_at;

-- MergePreferences lays patch over the preferences of a customer.
-- name: MergePreferences :execrows
UPDATE customers
SET preferences = preferences || @patch
WHERE id = @id
  AND deleted_at IS NULL;

-- AddLoyaltyPoints credits several customers at once.
-- name: AddLoyaltyPoints :execrows
UPDATE customers c
SET loyalty_points = c.loyalty_points + p.points
FROM unnest(@customer_ids::bigint[], @points::integer[]) AS p (customer_id, points)
WHERE c.id = p.customer_id;

-- CloseAccount marks an account as closed.
-- name: CloseAccount :execrows
UPDATE customers
SET deleted_at = now()
WHERE id = @id
  AND deleted_at IS NULL;

-- ListAddresses returns the addresses of a customer, the default ones first.
-- name: ListAddresses :many
SELECT id, kind, line1, line2, city, postal_code, country, is_default
FROM addresses
WHERE customer_id = @customer_id
ORDER BY is_default DESC, id;

-- GetDefaultAddress returns the address an order goes to if nothing else is said.
-- name: GetDefaultAddress :opt
SELECT id, line1, line2, city, postal_code, country
FROM addresses
WHERE customer_id = @customer_id
  AND kind = @kind
  AND is_default;

-- GetAddressOfKind returns an address of a customer for the label printer.
-- name: GetAddressOfKind :one
SELECT a.id, c.full_name, a.line1, a.line2, a.city, a.postal_code, a.country
FROM addresses a
JOIN customers c ON c.id = a.customer_id
WHERE a.customer_id = @customer_id
  AND a.kind = @kind;

-- AddAddress stores an address.
-- name: AddAddress :one
INSERT INTO addresses (customer_id, kind, line1, line2, city, postal_code, country, is_default)
VALUES (@customer_id, @kind, @line1, sqlc.narg('line2'), @city, @postal_code, @country, false)
RETURNING *;

-- DeleteAddress removes an address of a customer and returns what it was.
-- name: DeleteAddress :opt
DELETE FROM addresses
WHERE id = @id
  AND customer_id = @customer_id
RETURNING id, kind, is_default;
