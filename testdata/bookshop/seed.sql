-- Fills the tables of the bookshop with made-up data, skewed as real data is:
-- a few heavy customers and best-sellers, statuses that follow age, growth
-- over two years that end at 2026-10-01. Every value comes from a hash of its
-- row number, so two runs load the same rows.
--
-- Run with psql as a superuser in a freshly migrated database; see load.sh.

\set ON_ERROR_STOP on
\set customers 400000
\set authors 25000
\set publishers 900
\set books 60000
\set orders 900000
\set reviews 520000
\set carts 120000
\set events 1000000
\set jobs 150000

SET timezone = 'UTC';
SET session_replication_role = replica;
SET synchronous_commit = off;
SET work_mem = '128MB';
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = warning;

-- u is uniform in [0, 1), given by the series and the row number.
CREATE FUNCTION pg_temp.u(series int, n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, series) & 9007199254740991) / 9007199254740992.0::float8 $$;

-- pick is a number in [1, size], low ranks often; ranks are strewn over the
-- numbers, so that rank and number are not correlated. 7919 is prime.
CREATE FUNCTION pg_temp.pick(series int, n bigint, size bigint, skew float8) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT 1 + (floor(size * pg_temp.u(series, n) ^ skew)::bigint * 7919) % size $$;

CREATE FUNCTION pg_temp.vocabulary() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
SELECT string_to_array('river winter garden shadow house letter summer island stranger mountain silence daughter light road night forest '
  'history war love empire memory child king sister ocean city train mirror bird stone bread salt moon harbour machine glass ghost '
  'teacher music desert border rose iron wolf kitchen journey lantern secret promise orchard bridge thunder clock paper painter '
  'sailor doctor widow thief prophet dream storm valley village market tower library garden window snow spring autumn honey dust '
  'fire cathedral balloon elephant algorithm economy physics genome cuisine grammar philosophy geometry climate democracy railway '
  'violin chess cartography astronomy beekeeping falconry glacier lighthouse archipelago monsoon tapestry labyrinth carousel '
  'telegraph submarine observatory alchemy marionette', ' ') $$;

-- words is a text of count words, the first of the vocabulary often.
CREATE FUNCTION pg_temp.words(series int, n bigint, count int, skew float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT string_agg((pg_temp.vocabulary())[1 + floor(107 * pg_temp.u(series, n * 64 + i) ^ skew)::int], ' ' ORDER BY i)
FROM generate_series(1, count) i $$;

INSERT INTO customers (public_id, email, full_name, phone, locale, birth_date, tags, preferences, created_at, updated_at, deleted_at, loyalty_points)
SELECT md5('customer' || i)::uuid,
       lower(f) || '.' || lower(l) || i || '@' || (ARRAY['mail.example', 'post.example', 'inbox.example', 'web.example', 'uni.example'])[1 + floor(5 * pg_temp.u(3, i) ^ 2)::int],
       f || ' ' || l,
       CASE WHEN pg_temp.u(4, i) < 0.55 THEN '+49' || (1500000000 + floor(299999999 * pg_temp.u(5, i)))::bigint END,
       (ARRAY['en', 'de', 'fr', 'es', 'nl', 'it', 'pl'])[1 + floor(7 * pg_temp.u(6, i) ^ 2.2)::int],
       CASE WHEN pg_temp.u(7, i) < 0.4 THEN date '1940-01-01' + floor(25000 * pg_temp.u(8, i))::int END,
       CASE WHEN pg_temp.u(9, i) < 0.8 THEN '{}'::text[] WHEN pg_temp.u(9, i) < 0.93 THEN ARRAY['newsletter'] WHEN pg_temp.u(9, i) < 0.98 THEN ARRAY['newsletter', 'club'] ELSE ARRAY['wholesale'] END,
       CASE WHEN pg_temp.u(10, i) < 0.6 THEN '{}'::jsonb ELSE jsonb_build_object('theme', CASE WHEN pg_temp.u(11, i) < 0.7 THEN 'light' ELSE 'dark' END, 'page_size', 20 * (1 + floor(3 * pg_temp.u(12, i))::int)) END,
       c.at,
       c.at + (pg_temp.u(13, i) * (timestamptz '2026-10-01' - c.at)),
       CASE WHEN pg_temp.u(14, i) < 0.03 THEN c.at + (pg_temp.u(15, i) * (timestamptz '2026-10-01' - c.at)) END,
       floor(2000 * pg_temp.u(16, i) ^ 6)::int
FROM generate_series(1, :customers) i,
     LATERAL (SELECT (ARRAY['Anna', 'Ben', 'Clara', 'David', 'Emma', 'Felix', 'Greta', 'Hugo', 'Ida', 'Jan', 'Karla', 'Leo', 'Mia', 'Noah', 'Olga', 'Paul', 'Rosa', 'Sam', 'Tilda', 'Viktor'])[1 + floor(20 * pg_temp.u(1, i))::int],
                     (ARRAY['Abel', 'Berg', 'Costa', 'Dubois', 'Evans', 'Fischer', 'Garcia', 'Hansen', 'Ivanov', 'Jansen', 'Kowalski', 'Lind', 'Martin', 'Novak', 'Olsen', 'Peters', 'Rossi', 'Smith', 'Turner', 'Weber'])[1 + floor(20 * pg_temp.u(2, i) ^ 1.5)::int]
                     || CASE WHEN i % 3 = 0 THEN '-' || (ARRAY['Bauer', 'Clark', 'Diaz', 'Eklund', 'Ferrari', 'Gruber', 'Holm', 'Keller', 'Lopez', 'Moreau'])[1 + floor(10 * pg_temp.u(17, i))::int] ELSE '' END) AS n (f, l),
     LATERAL (SELECT timestamptz '2024-10-01' + ((i::float8 / :customers) ^ 0.8 * interval '729 days') + pg_temp.u(18, i) * interval '6 hours') AS c (at);

INSERT INTO addresses (customer_id, kind, line1, line2, city, postal_code, country, is_default, created_at)
SELECT i, k.kind,
       initcap((pg_temp.vocabulary())[1 + floor(107 * pg_temp.u(20, i * 4 + k.n))::int]) || ' Street ' || (1 + floor(180 * pg_temp.u(21, i * 4 + k.n)))::int,
       CASE WHEN pg_temp.u(22, i * 4 + k.n) < 0.12 THEN 'Flat ' || (1 + floor(40 * pg_temp.u(23, i)))::int END,
       (ARRAY['Berlin', 'London', 'Paris', 'Madrid', 'Hamburg', 'Amsterdam', 'Wien', 'Milano', 'Lyon', 'Leeds', 'Utrecht', 'Warszawa', 'Graz', 'Sevilla', 'Bremen', 'Torino'])[1 + floor(16 * pg_temp.u(24, i) ^ 2)::int],
       lpad(floor(99999 * pg_temp.u(25, i))::int::text, 5, '0'),
       (ARRAY['DE', 'GB', 'FR', 'ES', 'NL', 'AT', 'IT', 'PL'])[1 + floor(8 * pg_temp.u(24, i) ^ 2)::int],
       k.n < 2,
       timestamptz '2024-10-01' + ((i::float8 / :customers) ^ 0.8 * interval '729 days') + interval '7 hours'
FROM generate_series(1, :customers) i,
     LATERAL (SELECT v.n, v.kind FROM (VALUES (0, 'shipping', 0.72), (1, 'billing', 0.30), (2, 'shipping', 0.12)) AS v (n, kind, share)
              WHERE pg_temp.u(26 + v.n, i) < v.share) AS k;

INSERT INTO publishers (name, country, website)
SELECT initcap(pg_temp.words(30, i, 2, 1)) || (ARRAY[' Press', ' Books', ' Verlag', ' House'])[1 + i % 4] || ' ' || i,
       (ARRAY['DE', 'GB', 'US', 'FR', 'ES', 'NL'])[1 + floor(6 * pg_temp.u(31, i) ^ 1.5)::int],
       CASE WHEN pg_temp.u(32, i) < 0.8 THEN 'https://publisher' || i || '.example' END
FROM generate_series(1, :publishers) i;

INSERT INTO authors (name, sort_name, country, born_on, bio, created_at)
SELECT f || ' ' || l, l || ', ' || f,
       CASE WHEN pg_temp.u(42, i) < 0.85 THEN (ARRAY['GB', 'US', 'DE', 'FR', 'IN', 'JP', 'NG', 'BR', 'SE'])[1 + floor(9 * pg_temp.u(43, i) ^ 1.7)::int] END,
       CASE WHEN pg_temp.u(44, i) < 0.6 THEN date '1860-01-01' + floor(50000 * pg_temp.u(45, i))::int END,
       CASE WHEN pg_temp.u(46, i) < 0.5 THEN initcap(pg_temp.words(47, i, 24, 1.2)) || '.' END,
       timestamptz '2024-09-01' + i * interval '40 minutes'
FROM generate_series(1, :authors) i,
     LATERAL (SELECT (ARRAY['Ada', 'Boris', 'Chinua', 'Dora', 'Elif', 'Franz', 'Gita', 'Haruki', 'Isabel', 'Jorge', 'Karin', 'Lars', 'Maya', 'Nadine', 'Orhan', 'Pia', 'Qiu', 'Ruth', 'Selma', 'Toni'])[1 + floor(20 * pg_temp.u(40, i))::int],
                     initcap((pg_temp.vocabulary())[1 + floor(107 * pg_temp.u(41, i))::int]) || (ARRAY['', 'son', 'mann', 'ova', 'ez', 'li'])[1 + i % 6]) AS n (f, l);

INSERT INTO books (publisher_id, title, subtitle, description, language, genres, attributes, page_count, published_on, created_at)
SELECT pg_temp.pick(50, i, :publishers, 2.5)::int,
       initcap('the ' || pg_temp.words(51, i, 2 + (i % 3)::int, 1.3)),
       CASE WHEN pg_temp.u(52, i) < 0.3 THEN initcap('a ' || pg_temp.words(53, i, 4, 1)) END,
       pg_temp.words(54, i, 12 + (i % 30)::int, 1.8),
       (ARRAY['en', 'de', 'fr', 'es', 'it', 'nl', 'sv', 'pl'])[1 + floor(8 * pg_temp.u(55, i) ^ 3)::int],
       CASE WHEN pg_temp.u(56, i) < 0.05 THEN '{}' ELSE (SELECT array_agg(DISTINCT (ARRAY['fiction', 'crime', 'history', 'children', 'science', 'fantasy', 'romance', 'travel', 'cooking', 'poetry', 'art', 'politics', 'comics', 'music', 'religion', 'chess'])[1 + floor(16 * pg_temp.u(57, i * 4 + g) ^ 2)::int])
                                                         FROM generate_series(1, 1 + (i % 3)::int) g) END,
       jsonb_strip_nulls(jsonb_build_object(
           'series', CASE WHEN pg_temp.u(58, i) < 0.25 THEN 'series-' || floor(900 * pg_temp.u(59, i) ^ 2)::int END,
           'volume', CASE WHEN pg_temp.u(58, i) < 0.25 THEN 1 + floor(9 * pg_temp.u(60, i) ^ 2)::int END,
           'award', CASE WHEN pg_temp.u(61, i) < 0.02 THEN (ARRAY['booker', 'hugo', 'goncourt', 'buchpreis'])[1 + i % 4] END,
           'age', CASE WHEN pg_temp.u(62, i) < 0.15 THEN 4 + floor(12 * pg_temp.u(63, i))::int END)),
       CASE WHEN pg_temp.u(64, i) < 0.93 THEN 40 + floor(1100 * pg_temp.u(65, i) ^ 1.6)::int END,
       CASE WHEN pg_temp.u(66, i) < 0.97 THEN date '2026-12-01' - floor(22000 * pg_temp.u(67, i) ^ 3)::int END,
       timestamptz '2024-09-01' + i * interval '18 minutes'
FROM generate_series(1::bigint, :books) i;

INSERT INTO book_authors (book_id, author_id, position, role)
SELECT i, pg_temp.pick(70, i * 4 + p, :authors, 1.8), p,
       CASE WHEN p = 1 THEN 'author' WHEN pg_temp.u(71, i) < 0.5 THEN 'author' WHEN pg_temp.u(71, i) < 0.85 THEN 'translator' ELSE 'illustrator' END
FROM generate_series(1::bigint, :books) i, generate_series(1, 3) p
WHERE p = 1 OR p = 2 AND pg_temp.u(72, i) < 0.32 OR p = 3 AND pg_temp.u(72, i) < 0.06
ON CONFLICT DO NOTHING;

INSERT INTO editions (book_id, isbn13, format, price, published_on, is_active, updated_at)
SELECT b.id, '978' || lpad(((b.id * 4 + f.n) * 38119 % 10000000000)::text, 10, '0'), f.format,
       round((f.base * (0.6 + 1.6 * pg_temp.u(80, b.id) ^ 2))::numeric, 0) - 0.01,
       b.published_on + f.n * 120, pg_temp.u(81, b.id * 4 + f.n) < 0.82,
       b.created_at + pg_temp.u(82, b.id) * interval '90 days'
FROM books b,
     (VALUES (0, 'hardcover'::edition_format, 0.55, 24), (1, 'paperback', 0.75, 13), (2, 'ebook', 0.60, 9), (3, 'audiobook', 0.18, 18)) AS f (n, format, share, base)
WHERE pg_temp.u(83 + f.n, b.id) < f.share OR f.n = 1 AND pg_temp.u(83, b.id) >= 0.55
ORDER BY b.id, f.n;

SELECT count(*) AS editions FROM editions \gset

INSERT INTO warehouses (code, city, country) VALUES
  ('BER1', 'Berlin', 'DE'), ('HAM1', 'Hamburg', 'DE'), ('LHR1', 'London', 'GB'), ('CDG1', 'Paris', 'FR'), ('AMS1', 'Amsterdam', 'NL'), ('MAD1', 'Madrid', 'ES');

INSERT INTO inventory (warehouse_id, edition_id, on_hand, reserved, reorder_level, counted_on, updated_at)
SELECT w.id, e.id, s.on_hand, least(s.on_hand, floor(6 * pg_temp.u(92, s.n) ^ 4)::int), CASE WHEN pg_temp.u(93, s.n) < 0.9 THEN 5 ELSE 20 END,
       CASE WHEN pg_temp.u(94, s.n) < 0.7 THEN date '2026-09-30' - floor(360 * pg_temp.u(95, s.n))::int END,
       timestamptz '2026-09-30' - pg_temp.u(96, s.n) ^ 3 * interval '600 days'
FROM editions e
CROSS JOIN warehouses w,
LATERAL (SELECT e.id * 8 + w.id, 8 + floor(400 * pg_temp.u(91, e.id * 8 + w.id) ^ 5)::int - CASE WHEN pg_temp.u(90, e.id * 8 + w.id) < 0.06 THEN 8 ELSE 0 END) AS s (n, on_hand)
WHERE e.format IN ('hardcover', 'paperback') AND e.is_active AND pg_temp.u(97, s.n) < 0.75 / w.id ^ 0.6;

INSERT INTO stock_imports (warehouse_code, isbn13, quantity, received_at)
SELECT (ARRAY['BER1', 'HAM1', 'LHR1'])[1 + i % 3], e.isbn13, floor(60 * pg_temp.u(98, i) ^ 2)::int, timestamptz '2026-09-29 22:00' + i * interval '20 milliseconds'
FROM generate_series(1, 60000) i
JOIN editions e ON e.id = 1 + (i * 7919::bigint) % :editions
ORDER BY i;

-- The items come before their orders, which take their totals from them.
INSERT INTO order_items (order_id, line_no, edition_id, quantity, unit_price, discount)
SELECT x.o, x.l, e.id, 1 + floor(4 * pg_temp.u(102, x.n) ^ 6)::int, e.price,
       CASE WHEN pg_temp.u(103, x.n) < 0.1 THEN round(e.price * 0.1, 2) WHEN pg_temp.u(103, x.n) < 0.8 THEN 0 END
FROM (SELECT o, l, o * 8 + l AS n, pg_temp.pick(100, o * 8 + l, :editions, 2.6) AS edition
      FROM generate_series(1::bigint, :orders) o, generate_series(1, 1 + floor(5 * pg_temp.u(101, o) ^ 1.5)::int) l) x
JOIN editions e ON e.id = x.edition;

INSERT INTO orders (number, customer_id, shipping_address_id, status, total, coupon, note, placed_at, updated_at)
SELECT 'BS-' || to_char(t.at, 'YYYY') || '-' || lpad(o.id::text, 7, '0'), o.customer_id, a.id,
       (CASE WHEN age < interval '2 days' THEN CASE WHEN s < 0.35 THEN 'pending' WHEN s < 0.75 THEN 'paid' WHEN s < 0.97 THEN 'packed' ELSE 'cancelled' END
             WHEN age < interval '9 days' THEN CASE WHEN s < 0.04 THEN 'pending' WHEN s < 0.14 THEN 'paid' WHEN s < 0.28 THEN 'packed' WHEN s < 0.95 THEN 'shipped' ELSE 'cancelled' END
             ELSE CASE WHEN s < 0.002 THEN 'pending' WHEN s < 0.012 THEN 'shipped' WHEN s < 0.915 THEN 'delivered' WHEN s < 0.97 THEN 'cancelled' ELSE 'refunded' END
        END)::order_status,
       o.total,
       CASE WHEN pg_temp.u(113, o.id) < 0.08 THEN (ARRAY['WELCOME10', 'SPRING25', 'SUMMER26', 'CLUB5', 'XMAS25', 'FRIENDS'])[1 + floor(6 * pg_temp.u(114, o.id) ^ 2)::int] END,
       CASE WHEN pg_temp.u(115, o.id) < 0.04 THEN 'Please leave it at the ' || (pg_temp.vocabulary())[1 + floor(107 * pg_temp.u(116, o.id))::int] END,
       t.at, least(t.at + pg_temp.u(117, o.id) * interval '12 days', timestamptz '2026-10-01')
FROM (SELECT order_id AS id, sum(quantity * unit_price - coalesce(discount, 0)) AS total, pg_temp.pick(110, order_id, :customers, 2.4) AS customer_id
      FROM order_items GROUP BY order_id) o
LEFT JOIN addresses a ON a.customer_id = o.customer_id AND a.kind = 'shipping' AND a.is_default,
LATERAL (SELECT least(timestamptz '2024-10-01' + ((o.id::float8 / :orders) ^ 0.75 * interval '730 days') + (pg_temp.u(111, o.id) - 0.5) * interval '3 hours', timestamptz '2026-09-30 23:59') OFFSET 0) AS t (at),
LATERAL (SELECT timestamptz '2026-10-01' - t.at, pg_temp.u(112, o.id) OFFSET 0) AS r (age, s)
ORDER BY o.id;

INSERT INTO payments (order_id, provider, provider_ref, status, amount, failure_code, details, created_at, captured_at)
SELECT o.id, (ARRAY['card', 'paypal', 'sepa', 'klarna'])[1 + floor(4 * pg_temp.u(120, o.id) ^ 1.8)::int], 'pay_' || lpad(to_hex(o.id * 16 + k.n), 8, '0') || left(md5(o.id || '/' || k.n), 12),
       k.status::payment_status, greatest(o.total, 0.01),
       CASE WHEN k.status = 'failed' THEN (ARRAY['insufficient_funds', 'expired_card', 'declined'])[1 + o.id % 3] END,
       CASE WHEN pg_temp.u(121, o.id) < 0.3 THEN jsonb_build_object('risk', round(pg_temp.u(122, o.id)::numeric, 2), 'country', 'DE') END,
       o.placed_at + interval '30 seconds' * (1 + k.n),
       CASE WHEN k.status IN ('captured', 'refunded') THEN o.placed_at + interval '1 minute' + pg_temp.u(123, o.id) * interval '1 day' END
FROM orders o,
LATERAL (SELECT 0, 'failed' WHERE pg_temp.u(124, o.id) < 0.03
         UNION ALL
         SELECT 1, CASE o.status WHEN 'refunded' THEN 'refunded' WHEN 'paid' THEN 'authorised' WHEN 'packed' THEN 'authorised' ELSE 'captured' END
         WHERE o.status NOT IN ('pending', 'cancelled')) AS k (n, status)
ORDER BY o.id, k.n;

INSERT INTO shipments (order_id, carrier, tracking_number, shipped_at, delivered_at)
SELECT o.id, (ARRAY['DHL', 'UPS', 'DPD', 'PostNL', 'Royal Mail'])[1 + floor(5 * pg_temp.u(130, o.id) ^ 1.6)::int],
       CASE WHEN pg_temp.u(131, o.id) < 0.95 THEN upper(left(md5('t' || o.id), 14)) END,
       o.placed_at + interval '18 hours' + pg_temp.u(132, o.id) * interval '30 hours',
       CASE WHEN o.status <> 'shipped' THEN o.placed_at + interval '3 days' + pg_temp.u(133, o.id) * interval '5 days' END
FROM orders o
WHERE o.status IN ('shipped', 'delivered', 'refunded')
ORDER BY o.placed_at;

INSERT INTO carts (id, customer_id, created_at, expires_at)
SELECT md5('cart' || i)::uuid, CASE WHEN pg_temp.u(140, i) < 0.45 THEN pg_temp.pick(141, i, :customers, 1.5) END, c.at, c.at + interval '30 days'
FROM generate_series(1, :carts) i,
LATERAL (SELECT timestamptz '2026-10-01' - (1 - i::float8 / :carts) * interval '45 days') AS c (at);

INSERT INTO cart_items (cart_id, edition_id, quantity, added_at)
SELECT c.id, pg_temp.pick(142, c.n * 8 + l, :editions, 2.6), 1 + floor(3 * pg_temp.u(143, c.n * 8 + l) ^ 5)::int, c.created_at + l * interval '3 minutes'
FROM (SELECT id, created_at, row_number() OVER (ORDER BY created_at) AS n FROM carts) c,
     generate_series(1, floor(6 * pg_temp.u(144, c.n))::int) l
ON CONFLICT DO NOTHING;

INSERT INTO reviews (book_id, customer_id, rating, title, body, helpful_count, created_at, updated_at)
SELECT pg_temp.pick(150, i, :books, 2.4), pg_temp.pick(151, i, :customers, 2.2),
       CASE WHEN r < 0.46 THEN 5 WHEN r < 0.74 THEN 4 WHEN r < 0.87 THEN 3 WHEN r < 0.94 THEN 2 ELSE 1 END,
       CASE WHEN pg_temp.u(153, i) < 0.6 THEN initcap(array_to_string((pg_temp.vocabulary())[c.w : c.w + 2], ' ')) END,
       CASE WHEN pg_temp.u(155, i) < 0.8 THEN array_to_string((pg_temp.vocabulary())[c.w + 3 : c.w + 6 + i % 25], ' ') END,
       floor(80 * pg_temp.u(157, i) ^ 8)::int, c.at, c.at
FROM generate_series(1, :reviews) i,
LATERAL (SELECT pg_temp.u(152, i), timestamptz '2024-10-02' + (i::float8 / :reviews) ^ 0.75 * interval '728 days',
                1 + floor(70 * pg_temp.u(154, i))::int OFFSET 0) AS c (r, at, w)
ON CONFLICT DO NOTHING;

INSERT INTO events (customer_id, session_id, kind, payload, occurred_at)
SELECT CASE WHEN pg_temp.u(160, i / 6) < 0.35 THEN pg_temp.pick(161, i / 6, :customers, 2.4) END,
       md5('session' || i / 6)::uuid, k.kind,
       CASE WHEN k.kind IN ('view_book', 'add_to_cart') THEN jsonb_build_object('book_id', pg_temp.pick(163, i, :books, 2.6), 'source', (ARRAY['search', 'home', 'mail', 'ad'])[1 + floor(4 * pg_temp.u(164, i) ^ 2)::int])
            WHEN k.kind = 'search' THEN jsonb_build_object('q', pg_temp.words(165, i, 1 + (i % 2)::int, 1.5), 'hits', floor(900 * pg_temp.u(166, i) ^ 3)::int)
            ELSE '{}'::jsonb END,
       timestamptz '2025-04-01' + (i::float8 / :events) ^ 0.8 * interval '547 days' + pg_temp.u(167, i) * interval '2 minutes'
FROM generate_series(1::bigint, :events) i,
LATERAL (SELECT CASE WHEN pg_temp.u(162, i) < 0.58 THEN 'view_book' WHEN pg_temp.u(162, i) < 0.82 THEN 'search' WHEN pg_temp.u(162, i) < 0.92 THEN 'add_to_cart' WHEN pg_temp.u(162, i) < 0.97 THEN 'sign_in' WHEN pg_temp.u(162, i) < 0.995 THEN 'checkout' ELSE 'complaint' END) AS k (kind);

INSERT INTO jobs (queue, payload, attempts, run_at, started_at, finished_at, last_error)
SELECT (ARRAY['mail', 'search', 'invoice', 'export'])[1 + floor(4 * pg_temp.u(170, i) ^ 2)::int], jsonb_build_object('order_id', 1 + floor(:orders * pg_temp.u(171, i))::bigint),
       CASE WHEN i > :jobs * 0.985 THEN 0 ELSE 1 + floor(3 * pg_temp.u(172, i) ^ 8)::int END, j.at,
       CASE WHEN i <= :jobs * 0.985 THEN j.at + interval '2 seconds' END,
       CASE WHEN i <= :jobs * 0.985 AND pg_temp.u(173, i) < 0.997 THEN j.at + interval '2 seconds' + pg_temp.u(174, i) * interval '20 seconds' END,
       CASE WHEN pg_temp.u(172, i) > 0.96 THEN 'connection reset by peer' END
FROM generate_series(1, :jobs) i,
LATERAL (SELECT timestamptz '2026-08-01' + (i::float8 / :jobs) * interval '60 days 23 hours') AS j (at);

DROP FUNCTION pg_temp.words(int, bigint, int, float8), pg_temp.vocabulary(), pg_temp.pick(int, bigint, bigint, float8), pg_temp.u(int, bigint);
RESET session_replication_role;

VACUUM (ANALYZE);
