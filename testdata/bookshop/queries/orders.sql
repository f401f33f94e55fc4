-- GetOrder returns an order.
-- name: GetOrder :one
SELECT *
FROM orders
WHERE id = @id;

-- GetOrderByNumber finds an order by the number on the invoice.
-- name: GetOrderByNumber :opt
SELECT sqlc.embed(o), sqlc.embed(c)
FROM orders o
JOIN customers c ON c.id = o.customer_id
WHERE o.number = @number;

-- GetOrderByLegacyNumber finds an order by the number the old shop gave it,
-- which its exports write as a decimal.
-- name: GetOrderByLegacyNumber :opt
SELECT id, number, status, total, placed_at
FROM orders
WHERE id = @legacy_number::numeric;

-- OrderExists tells whether a customer has ever bought something.
-- name: OrderExists :one
SELECT EXISTS (
    SELECT 1 FROM orders WHERE customer_id = @customer_id AND status <> 'cancelled'
) AS found;

-- ListCustomerOrders returns the latest orders of a customer.
-- name: ListCustomerOrders :many
SELECT id, number, status, total, currency, placed_at
FROM orders
WHERE customer_id = @customer_id
ORDER BY placed_at DESC
LIMIT @max_rows;

-- ListCustomerOrdersBefore is the next page of ListCustomerOrders.
-- name: ListCustomerOrdersBefore :many
SELECT id, number, status, total, currency, placed_at
FROM orders
WHERE customer_id = @customer_id
  AND placed_at < @before
ORDER BY placed_at DESC
LIMIT 20;

-- ListOrdersPage is the table of the back office.
-- name: ListOrdersPage :many
SELECT o.id, o.number, o.status, o.total, o.placed_at, c.full_name
FROM orders o
JOIN customers c ON c.id = o.customer_id
ORDER BY o.placed_at DESC, o.id DESC
LIMIT @page_size OFFSET @page_offset;

-- ListOrdersOfDay returns the orders of a calendar day.
-- name: ListOrdersOfDay :many
SELECT id, number, status, total
FROM orders
WHERE date(placed_at) = @day
ORDER BY id;

-- ListPendingOrders returns orders that wait for money since before a time.
-- name: ListPendingOrders :many
SELECT id, number, customer_id, total, placed_at
FROM orders
WHERE status = 'pending'
  AND placed_at < @placed_before
ORDER BY placed_at
LIMIT 200;

-- ListOrdersWithCoupon returns the use of a coupon since a time.
-- name: ListOrdersWithCoupon :many
SELECT id, number, total, placed_at
FROM orders
WHERE coupon = @coupon
  AND placed_at >= @since
ORDER BY placed_at DESC
LIMIT 500;

-- ListOrderItems returns the lines of an order with what the invoice prints.
-- name: ListOrderItems :many
SELECT i.line_no, b.title, e.format, e.isbn13, i.quantity, i.unit_price,
       i.quantity * i.unit_price - coalesce(i.discount, 0) AS amount
FROM order_items i
JOIN editions e ON e.id = i.edition_id
JOIN books b ON b.id = e.book_id
WHERE i.order_id = @order_id
ORDER BY i.line_no;

-- GetOrderSheet returns an order with all that packing needs, a row a line.
-- name: GetOrderSheet :many
SELECT o.number, o.placed_at, c.full_name, a.line1, a.city, a.country, i.line_no, i.quantity, e.isbn13
FROM orders o
JOIN customers c ON c.id = o.customer_id
LEFT JOIN addresses a ON a.id = o.shipping_address_id
JOIN order_items i ON i.order_id = o.id
JOIN editions e ON e.id = i.edition_id
WHERE o.id = @order_id
ORDER BY i.line_no;

-- GetOrderSummary returns an order with the number of its lines and its last
-- payment.
-- name: GetOrderSummary :one
SELECT o.id, o.number, o.status, o.total,
       (SELECT count(*) FROM order_items i WHERE i.order_id = o.id) AS lines,
       (SELECT p.status FROM payments p WHERE p.order_id = o.id ORDER BY p.created_at DESC LIMIT 1) AS payment
FROM orders o
WHERE o.id = @id;

-- ListCustomerShipments returns where the parcels of a customer are.
-- name: ListCustomerShipments :many
SELECT o.number, s.carrier, s.tracking_number, s.shipped_at, s.delivered_at
FROM orders o
JOIN shipments s ON s.order_id = o.id
WHERE o.customer_id = @customer_id
ORDER BY s.shipped_at DESC;

-- ListOrderHistory numbers the orders of a customer and adds up what was spent.
-- name: ListOrderHistory :many
SELECT id, placed_at, total,
       row_number() OVER w AS nth,
       sum(total) OVER w AS spent_so_far
FROM orders
WHERE customer_id = @customer_id
  AND status NOT IN ('cancelled', 'refunded')
WINDOW w AS (ORDER BY placed_at)
ORDER BY placed_at;

-- GetCustomerTotals adds up the orders of a customer.
-- name: GetCustomerTotals :one
SELECT count(*) AS orders,
       count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
       coalesce(sum(total) FILTER (WHERE status NOT IN ('cancelled', 'refunded')), 0)::numeric AS spent,
       max(placed_at) AS last_order_at
FROM orders
WHERE customer_id = @customer_id;

-- DailyRevenue returns the revenue of each day of a span.
-- name: DailyRevenue :many
SELECT date_trunc('day', placed_at) AS day, count(*) AS orders, sum(total) AS revenue
FROM orders
WHERE placed_at >= @from_time
  AND placed_at < @to_time
  AND status <> 'cancelled'
GROUP BY day
ORDER BY day;

-- ListTopCustomers returns who spent most since a time.
-- name: ListTopCustomers :many
WITH spending AS (
    SELECT customer_id, sum(total) AS spent, count(*) AS orders
    FROM orders
    WHERE placed_at >= @since
      AND status IN ('shipped', 'delivered')
    GROUP BY customer_id
    HAVING sum(total) >= @min_spent
)
SELECT c.id, c.full_name, c.email, s.spent, s.orders
FROM spending s
JOIN customers c ON c.id = s.customer_id
WHERE c.deleted_at IS NULL
ORDER BY s.spent DESC
LIMIT @max_rows;

-- CreateOrder stores the head of an order.
-- name: CreateOrder :one
INSERT INTO orders (number, customer_id, shipping_address_id, total, coupon, note)
VALUES (@number, @customer_id, sqlc.narg('shipping_address_id'), @total, sqlc.narg('coupon'), sqlc.narg('note'))
RETURNING id, status, placed_at;

-- AddOrderItems stores the lines of an order, numbered as they come.
-- name: AddOrderItems :execrows
INSERT INTO order_items (order_id, line_no, edition_id, quantity, unit_price)
SELECT @order_id::bigint, row_number() OVER (), x.edition_id, x.quantity, e.price
FROM unnest(@edition_ids::bigint[], @quantities::integer[]) AS x (edition_id, quantity)
JOIN editions e ON e.id = x.edition_id;

-- SetOrderStatus moves an order on, if it still is where it was seen.
-- name: SetOrderStatus :execrows
UPDATE orders
SET status = @new_status
WHERE id = @id
  AND status = @old_status;

-- CancelStaleOrders cancels pending orders nobody has paid and returns them.
-- name: CancelStaleOrders :many
WITH stale AS (
    SELECT id
    FROM orders
    WHERE status = 'pending'
      AND placed_at < @placed_before
    ORDER BY placed_at
    LIMIT 100
    FOR UPDATE SKIP LOCKED
)
UPDATE orders o
SET status = 'cancelled'
FROM stale
WHERE o.id = stale.id
RETURNING o.id, o.number, o.customer_id;

-- RecordPayment stores what the provider says; a second call updates the first.
-- name: RecordPayment :one
INSERT INTO payments (order_id, provider, provider_ref, status, amount, details, captured_at)
VALUES (@order_id, @provider, @provider_ref, @status, @amount, sqlc.narg('details'), sqlc.narg('captured_at'))
ON CONFLICT (provider, provider_ref) DO UPDATE
SET status = excluded.status,
    details = excluded.details,
    captured_at = coalesce(payments.captured_at, excluded.captured_at)
RETURNING id, created_at;

-- ListPaymentsOfOrders returns the payments of several orders.
-- name: ListPaymentsOfOrders :many
SELECT id, order_id, provider, status, amount, failure_code, created_at
FROM payments
WHERE order_id IN (@order_ids)
ORDER BY order_id, created_at;

-- MarkOrdersPaid moves pending orders on whose payment has been captured.
-- name: MarkOrdersPaid :many
UPDATE orders o
SET status = 'paid'
FROM payments p
WHERE p.order_id = o.id
  AND p.provider = @provider
  AND p.provider_ref = ANY (@provider_refs)
  AND p.status = 'captured'
  AND o.status = 'pending'
RETURNING o.id, o.number;

-- GetCart returns a cart with its lines; an empty cart has one row.
-- name: GetCart :many
SELECT c.id, c.customer_id, c.expires_at, i.edition_id, i.quantity, e.price
FROM carts c
LEFT JOIN cart_items i ON i.cart_id = c.id
LEFT JOIN editions e ON e.id = i.edition_id
WHERE c.id = @id
ORDER BY i.added_at;

-- PutInCart adds to the quantity of an edition in a cart.
-- name: PutInCart :one
INSERT INTO cart_items (cart_id, edition_id, quantity)
VALUES (@cart_id, @edition_id, @quantity)
ON CONFLICT (cart_id, edition_id) DO UPDATE
SET quantity = least(cart_items.quantity + excluded.quantity, 99)
RETURNING quantity;

-- DeleteExpiredCarts removes carts and returns whose they were.
-- name: DeleteExpiredCarts :many
DELETE FROM carts
WHERE expires_at < @now
RETURNING id, customer_id;
