-- GetReview returns a review.
-- name: GetReview :one
SELECT *
FROM reviews
WHERE id = @id;

-- ListReviewsOfBook returns the newest reviews of a book.
-- name: ListReviewsOfBook :many
SELECT r.id, r.rating, r.title, r.body, r.helpful_count, r.created_at, c.full_name AS author
FROM reviews r
JOIN customers c ON c.id = r.customer_id
WHERE r.book_id = @book_id
ORDER BY r.created_at DESC, r.id DESC
LIMIT 20;

-- ListReviewsOfBookBefore is the next page of ListReviewsOfBook.
-- name: ListReviewsOfBookBefore :many
SELECT r.id, r.rating, r.title, r.body, r.helpful_count, r.created_at, c.full_name AS author
FROM reviews r
JOIN customers c ON c.id = r.customer_id
WHERE r.book_id = @book_id
  AND (r.created_at, r.id) < (@before_created_at, @before_id)
ORDER BY r.created_at DESC, r.id DESC
LIMIT 20;

-- ListReviewsByCustomer returns what a customer has written.
-- name: ListReviewsByCustomer :many
SELECT r.id, b.title AS book, r.rating, r.title, r.created_at
FROM reviews r
JOIN books b ON b.id = r.book_id
WHERE r.customer_id = @customer_id
ORDER BY r.created_at DESC;

-- CountRatings counts the reviews of a book by stars.
-- name: CountRatings :many
SELECT rating, count(*) AS reviews,
       CASE WHEN rating >= 4 THEN 'good' WHEN rating = 3 THEN 'fair' ELSE 'poor' END AS verdict
FROM reviews
WHERE book_id = @book_id
GROUP BY rating
ORDER BY rating DESC;

-- GetBookRating returns the average of a book; none if it has no review.
-- name: GetBookRating :opt
SELECT review_count, average_rating
FROM book_ratings
WHERE book_id = @book_id;

-- ListBestRated returns the best books of a publisher that enough people rated.
-- name: ListBestRated :many
SELECT b.id, b.title, avg(r.rating)::numeric(3,2) AS average, count(*) AS reviews
FROM books b
JOIN reviews r ON r.book_id = b.id
WHERE b.publisher_id = @publisher_id
GROUP BY b.id
HAVING count(*) >= @min_reviews
ORDER BY average DESC, reviews DESC
LIMIT 10;

-- ListReviewableBooks returns what a customer bought and has not reviewed.
-- name: ListReviewableBooks :many
SELECT DISTINCT b.id, b.title
FROM orders o
JOIN order_items i ON i.order_id = o.id
JOIN editions e ON e.id = i.edition_id
JOIN books b ON b.id = e.book_id
WHERE o.customer_id = @customer_id
  AND o.status = 'delivered'
  AND NOT EXISTS (
      SELECT 1 FROM reviews r WHERE r.book_id = b.id AND r.customer_id = o.customer_id
  )
ORDER BY b.title;

-- ListCriticalReviewers returns customers with a bad review of a publisher's
-- books.
-- name: ListCriticalReviewers :many
SELECT c.id, c.email
FROM customers c
WHERE EXISTS (
    SELECT 1
    FROM reviews r
    JOIN books b ON b.id = r.book_id
    WHERE r.customer_id = c.id
      AND r.rating = 1
      AND b.publisher_id = @publisher_id
)
ORDER BY c.id;

-- WriteReview stores a review; a second one of the same customer replaces it.
-- name: WriteReview :one
INSERT INTO reviews (book_id, customer_id, rating, title, body)
VALUES (@book_id, @customer_id, @rating, sqlc.narg('title'), sqlc.narg('body'))
ON CONFLICT ON CONSTRAINT reviews_book_customer_key DO UPDATE
SET rating = excluded.rating,
    title = excluded.title,
    body = excluded.body
RETURNING id, created_at, updated_at;

-- MarkReviewHelpful counts a thumb up.
-- name: MarkReviewHelpful :execrows
UPDATE reviews
SET helpful_count = helpful_count + 1
WHERE id = @id;

-- DeleteReview removes a review of a customer.
-- name: DeleteReview :execrows
DELETE FROM reviews
WHERE id = @id
  AND customer_id = @customer_id;
