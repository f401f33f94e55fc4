-- GetStock returns the stock of an edition in a warehouse.
-- name: GetStock :opt
SELECT on_hand, reserved, on_hand - reserved AS available, counted_on
FROM inventory
WHERE edition_id = @edition_id
  AND warehouse_id = @warehouse_id;

-- ListStock returns where an edition lies.
-- name: ListStock :many
SELECT w.code, w.city, i.on_hand - i.reserved AS available
FROM inventory i
JOIN warehouses w ON w.id = i.warehouse_id
WHERE i.edition_id = @edition_id
  AND i.on_hand > i.reserved
ORDER BY available DESC;

-- LockStock locks the stock of the editions of an order, in one order always.
-- name: LockStock :many
SELECT edition_id, on_hand, reserved
FROM inventory
WHERE warehouse_id = @warehouse_id
  AND edition_id = ANY (@edition_ids)
ORDER BY edition_id
FOR UPDATE;

-- ReserveStock promises pieces if there are enough.
-- name: ReserveStock :execrows
UPDATE inventory
SET reserved = reserved + @quantity,
    updated_at = now()
WHERE edition_id = @edition_id
  AND warehouse_id = @warehouse_id
  AND on_hand - reserved >= @quantity;

-- ReleaseReservations sets all promises back before the nightly recount.
-- name: ReleaseReservations :execrows
UPDATE inventory
SET reserved = 0;

-- SetStock stores a count.
-- name: SetStock :exec
INSERT INTO inventory (warehouse_id, edition_id, on_hand, counted_on)
VALUES (@warehouse_id, @edition_id, @on_hand, CURRENT_DATE)
ON CONFLICT (edition_id, warehouse_id) DO UPDATE
SET on_hand = excluded.on_hand,
    counted_on = excluded.counted_on,
    updated_at = now();

-- ListShortStock returns what a warehouse has to order again.
-- name: ListShortStock :many
SELECT i.edition_id, b.title, e.format, i.on_hand, i.reorder_level
FROM inventory i
JOIN editions e ON e.id = i.edition_id
JOIN books b ON b.id = e.book_id
WHERE i.warehouse_id = @warehouse_id
  AND i.on_hand <= i.reorder_level
  AND e.is_active
ORDER BY i.edition_id
LIMIT 200;

-- StockValue adds up the stock of each warehouse at list price.
-- name: StockValue :many
SELECT w.code, count(*) AS editions, sum(i.on_hand) AS pieces, sum(i.on_hand * e.price) AS value
FROM warehouses w
JOIN inventory i ON i.warehouse_id = w.id
JOIN editions e ON e.id = i.edition_id
GROUP BY w.code
ORDER BY w.code;

-- LoadStockImport stages the lines of a stock file.
-- name: LoadStockImport :execrows
INSERT INTO stock_imports (warehouse_code, isbn13, quantity)
SELECT @warehouse_code, l.isbn13, l.quantity
FROM unnest(@isbns::text[], @quantities::integer[]) AS l (isbn13, quantity);

-- ApplyStockImports books the staged lines.
-- name: ApplyStockImports :execrows
INSERT INTO inventory (warehouse_id, edition_id, on_hand)
SELECT w.id, e.id, sum(s.quantity)
FROM stock_imports s
JOIN warehouses w ON w.code = s.warehouse_code
JOIN editions e ON e.isbn13 = s.isbn13
WHERE s.warehouse_code = @warehouse_code
GROUP BY w.id, e.id
ON CONFLICT (edition_id, warehouse_id) DO UPDATE
SET on_hand = inventory.on_hand + excluded.on_hand;

-- ClearStockImports empties the staging table.
-- name: ClearStockImports :execrows
DELETE FROM stock_imports;
