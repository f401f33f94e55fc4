-- A few rows of everything, for queries that are to find something.
INSERT INTO customers (public_id, email, full_name, phone, locale, birth_date, tags, preferences, created_at, updated_at, loyalty_points) VALUES
    ('00000000-0000-0000-0000-000000000001', 'Ada@example.com', 'Ada Byrne', '+353 1', 'en', '1990-12-10', '{newsletter,"a, b"}', '{"dark": true}', '2025-01-02 03:04:05.678901+00', '2025-01-02 03:04:05+00', 5),
    ('00000000-0000-0000-0000-000000000002', 'bob@example.com', 'Bob', NULL, 'de', NULL, '{}', '{}', '2025-02-02 03:04:05+00', '2025-02-02 03:04:05+00', 0);
INSERT INTO addresses (customer_id, kind, line1, line2, city, postal_code, country, is_default, created_at) VALUES
    (1, 'shipping', '1 Quay', NULL, 'Dublin', 'D01', 'IE', true, '2025-01-03 00:00:00+00'),
    (1, 'billing', '2 Quay', 'floor "2"', 'Dublin', 'D01', 'IE', false, '2025-01-03 00:00:00+00');
INSERT INTO publishers (name, country, website) VALUES ('Harbour Press', 'IE', NULL), ('Verlag Nord', 'DE', 'https://nord.example');
INSERT INTO authors (name, sort_name, country, born_on, created_at) VALUES
    ('Eva Adler', 'Adler, Eva', 'DE', '1960-02-29', '2025-01-01 00:00:00+00'), ('Sam Quinn', 'Quinn, Sam', NULL, NULL, '2025-01-01 00:00:00+00');
INSERT INTO books (publisher_id, title, subtitle, description, language, genres, attributes, page_count, published_on, created_at) VALUES
    (1, 'The Slow Tide', 'A Novel', 'A tide turns slowly.', 'en', '{novel,sea}', '{"series": "Tides", "volume": 1}', 320, '2025-05-01', '2025-01-01 00:00:00+00'),
    (1, 'Maps of the Interior', NULL, '', 'en', '{essay}', '{}', NULL, NULL, '2025-01-01 00:00:00+00'),
    (2, 'Ebbe', NULL, 'Flut', 'de', '{novel}', '{"series": "Tides", "volume": 2}', 99, '2025-06-01', '2025-01-01 00:00:00+00');
INSERT INTO book_authors (book_id, author_id, position, role) VALUES (1, 1, 1, 'author'), (1, 2, 2, 'illustrator'), (2, 2, 1, 'author');
INSERT INTO editions (book_id, isbn13, format, price, published_on, is_active, updated_at) VALUES
    (1, '9780000000001', 'paperback', 12.50, '2025-05-01', true, '2025-01-01 00:00:00+00'),
    (1, '9780000000002', 'ebook', 7.99, NULL, true, '2025-01-01 00:00:00+00'),
    (2, '9780000000003', 'hardcover', 30, '2025-05-01', true, '2025-01-01 00:00:00+00');
INSERT INTO warehouses (code, city, country) VALUES ('DUB', 'Dublin', 'IE'), ('HAM', 'Hamburg', 'DE');
INSERT INTO inventory (warehouse_id, edition_id, on_hand, reserved, counted_on, updated_at) VALUES
    (1, 1, 10, 2, '2025-07-01', '2025-07-01 00:00:00+00'), (1, 3, 3, 0, NULL, '2025-07-01 00:00:00+00'), (2, 1, 1, 0, NULL, '2025-07-01 00:00:00+00');
INSERT INTO stock_imports (warehouse_code, isbn13, quantity) VALUES ('DUB', '9780000000001', 4), ('DUB', '9780000000002', 6);
INSERT INTO orders (number, customer_id, shipping_address_id, status, total, coupon, note, placed_at, updated_at) VALUES
    ('B-1', 1, 1, 'delivered', 42.50, 'SPRING', 'leave at the door', '2025-08-01 10:00:00+00', '2025-08-01 10:00:00+00'),
    ('B-2', 1, NULL, 'pending', 7.99, NULL, NULL, '2025-08-02 11:00:00.5+00', '2025-08-02 11:00:00+00'),
    ('B-3', 2, NULL, 'cancelled', 0, NULL, NULL, '2025-08-03 12:00:00+00', '2025-08-03 12:00:00+00');
INSERT INTO order_items (order_id, line_no, edition_id, quantity, unit_price, discount) VALUES (1, 1, 1, 1, 12.50, NULL), (1, 2, 3, 1, 30, 0), (2, 1, 2, 1, 7.99, 0.5);
INSERT INTO payments (order_id, provider, provider_ref, status, amount, failure_code, details, created_at, captured_at) VALUES
    (1, 'card', 'ref-1', 'captured', 42.50, NULL, '{"ok": true}', '2025-08-01 10:01:00+00', '2025-08-01 10:02:00+00'),
    (2, 'card', 'ref-2', 'captured', 7.99, NULL, NULL, '2025-08-02 10:01:00+00', '2025-08-02 10:02:00+00'),
    (2, 'card', 'ref-3', 'failed', 7.99, 'declined', NULL, '2025-08-02 09:01:00+00', NULL);
INSERT INTO shipments (order_id, carrier, tracking_number, shipped_at, delivered_at) VALUES (1, 'Post', NULL, '2025-08-02 00:00:00+00', '2025-08-03 00:00:00+00');
INSERT INTO carts (id, customer_id, created_at, expires_at) VALUES ('00000000-0000-0000-0000-0000000000ca', 1, '2025-08-01 00:00:00+00', '2025-08-05 00:00:00+00');
INSERT INTO cart_items (cart_id, edition_id, quantity, added_at) VALUES ('00000000-0000-0000-0000-0000000000ca', 1, 2, '2025-08-01 00:00:00+00');
INSERT INTO reviews (book_id, customer_id, rating, title, body, helpful_count, created_at, updated_at) VALUES
    (1, 1, 5, 'Wet', 'Very', 3, '2025-09-01 00:00:00+00', '2025-09-01 00:00:00+00'), (1, 2, 1, NULL, NULL, 0, '2025-09-02 00:00:00+00', '2025-09-02 00:00:00+00');
INSERT INTO events (customer_id, session_id, kind, payload, occurred_at) VALUES
    (1, '00000000-0000-0000-0000-0000000005e5', 'view_book', '{"book_id": "1", "source": "mail"}', '2026-09-25 10:00:00+00'),
    (NULL, '00000000-0000-0000-0000-0000000005e5', 'view_book', '{"book_id": "1"}', '2026-09-26 10:00:00+00'),
    (1, '00000000-0000-0000-0000-0000000005e5', 'complaint', '{}', '2026-08-01 10:00:00+00');
INSERT INTO jobs (queue, payload, run_at) VALUES ('mail', '{"to": 1}', '2025-01-01 00:00:00+00');
