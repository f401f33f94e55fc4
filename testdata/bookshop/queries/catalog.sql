-- name: GetBook :one
-- GetBook returns a book with its publisher.
SELECT b.id, b.title, b.subtitle, b.description, b.language, b.genres, b.attributes, b.page_count, b.published_on,
       p.name AS publisher
FROM books b
JOIN publishers p ON p.id = b.publisher_id
WHERE b.id = @id;

-- GetEditionByISBN finds what the scanner at the till has read.
-- name: GetEditionByISBN :opt
SELECT sqlc.embed(e), b.title, b.subtitle
FROM editions e
JOIN books b ON b.id = e.book_id
WHERE e.isbn13 = @isbn13;

-- ListEditionsOfBook returns the editions of a book, cheapest first.
-- name: ListEditionsOfBook :many
SELECT id, isbn13, format, price, currency, published_on, is_active
FROM editions
WHERE book_id = @book_id
ORDER BY price;

-- ListEditions returns the editions with the given IDs, for the cart.
-- name: ListEditions :many
SELECT e.id, e.price, e.is_active, b.title
FROM editions e
JOIN books b ON b.id = e.book_id
WHERE e.id = ANY ($1::bigint[]);

-- ListBooksByAuthor returns what an author had a hand in, newest first.
-- name: ListBooksByAuthor :many
SELECT b.id, b.title, b.subtitle, b.published_on, ba.role
FROM book_authors ba
JOIN books b ON b.id = ba.book_id
WHERE ba.author_id = @author_id
ORDER BY b.published_on DESC NULLS LAST, b.id;

-- ListAuthorsOfBooks returns the authors of several books, in their order.
-- name: ListAuthorsOfBooks :many
SELECT ba.book_id, a.id, a.name, ba.role
FROM book_authors ba
JOIN authors a ON a.id = ba.author_id
WHERE ba.book_id IN (@book_ids)
ORDER BY ba.book_id, ba.position;

-- ListAuthorsAfter pages through the index of authors.
-- name: ListAuthorsAfter :many
SELECT id, name, sort_name, born_on
FROM authors
WHERE (sort_name, id) > (@after_sort_name, @after_id)
ORDER BY sort_name, id
LIMIT @page_size;

-- SearchBooks is the search box of the shop.
-- name: SearchBooks :many
SELECT b.id, b.title, b.subtitle, ts_rank(b.search, q) AS rank
FROM books b, websearch_to_tsquery('english', @query) AS q
WHERE b.search @@ q
ORDER BY rank DESC, b.id
LIMIT 20;

-- CountSearchHits tells how many books a search has found in a language.
-- name: CountSearchHits :one
SELECT count(*)
FROM books
WHERE search @@ websearch_to_tsquery('english', @query)
  AND language = @language;

-- ListBooksOfGenres returns the newest books that have all the genres.
-- name: ListBooksOfGenres :many
SELECT id, title, genres, published_on
FROM books
WHERE genres @> @genres
ORDER BY published_on DESC NULLS LAST
LIMIT 40;

-- ListBooksWithAttributes returns books by facts such as series or award.
-- name: ListBooksWithAttributes :many
SELECT id, title, attributes ->> 'series' AS series, (attributes ->> 'volume')::integer AS volume
FROM books
WHERE attributes @> @attributes
ORDER BY series, volume;

-- ListNewReleases returns what came out in a span of days.
-- name: ListNewReleases :many
SELECT id, title, language, published_on
FROM books
WHERE published_on BETWEEN @first_day AND @last_day
ORDER BY published_on DESC, id DESC
LIMIT @max_rows;

-- FilterBooks narrows by whatever is given.
-- name: FilterBooks :many
SELECT id, title, language, page_count, published_on
FROM books
WHERE publisher_id = @publisher_id
  AND (sqlc.narg('language')::text IS NULL OR language = sqlc.narg('language'))
  AND (sqlc.narg('max_pages')::integer IS NULL OR page_count <= sqlc.narg('max_pages'))
ORDER BY published_on DESC
LIMIT 50;

-- ListCheapestEditions returns the cheapest edition of each book of a publisher
-- that can be bought.
-- name: ListCheapestEditions :many
SELECT DISTINCT ON (b.id) b.id, b.title, e.format, e.price
FROM books b
JOIN editions e ON e.book_id = b.id
WHERE b.publisher_id = @publisher_id
  AND e.is_active
ORDER BY b.id, e.price;

-- ListBargains returns the cheapest editions up to a price.
-- name: ListBargains :many
SELECT book_id, format, price
FROM editions
WHERE is_active
  AND price <= @max_price
ORDER BY price
LIMIT 100;

-- StreamCatalog streams the entries behind an edition for the search feed.
-- name: StreamCatalog :iter
SELECT edition_id, title, isbn13, format, price, publisher
FROM catalog_entries
WHERE edition_id > @after_edition_id
ORDER BY edition_id
LIMIT 10000;

-- ListPublishersOfLanguage returns the publishers with books in a language.
-- name: ListPublishersOfLanguage :many
SELECT p.id, p.name
FROM publishers p
WHERE p.id IN (SELECT b.publisher_id FROM books b WHERE b.language = @language)
ORDER BY p.name;

-- ListLanguages returns the languages a publisher prints.
-- name: ListLanguages :many
SELECT DISTINCT language
FROM books
WHERE publisher_id = @publisher_id
ORDER BY language;

-- ListProlificAuthors returns the authors of at least min_books books.
-- name: ListProlificAuthors :many
SELECT a.id, a.name, count(*) AS books
FROM authors a
JOIN book_authors ba ON ba.author_id = a.id
GROUP BY a.id
HAVING count(*) >= @min_books
ORDER BY books DESC, a.id;

-- SuggestNames completes what is being typed, over authors and publishers.
-- name: SuggestNames :many
SELECT 'author' AS kind, a.id, a.name
FROM authors a
WHERE a.sort_name >= @prefix AND a.sort_name < @prefix || chr(1114111)
UNION ALL
SELECT 'publisher', p.id, p.name
FROM publishers p
WHERE p.name LIKE @prefix || '%'
LIMIT 12;

-- CreateBook adds a book.
-- name: CreateBook :one
INSERT INTO books (publisher_id, title, subtitle, description, language, genres, attributes, page_count, published_on)
VALUES (@publisher_id, @title, sqlc.narg('subtitle'), @description, @language, @genres, @attributes, sqlc.narg('page_count'), sqlc.narg('published_on'))
RETURNING id, created_at;

-- AddBookAuthors credits several authors with a book, in the order given.
-- name: AddBookAuthors :execrows
INSERT INTO book_authors (book_id, author_id, position, role)
SELECT @book_id, a.author_id, a.n, a.role
FROM unnest(@author_ids::bigint[], @roles::text[]) WITH ORDINALITY AS a (author_id, role, n)
ON CONFLICT DO NOTHING;

-- ChangePrice sets the price of an edition.
-- name: ChangePrice :execrows
UPDATE editions
SET price = @price
WHERE id = @id
  AND price <> @price;
