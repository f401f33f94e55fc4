-- +goose Up
CREATE TABLE reviews (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_id       bigint NOT NULL REFERENCES books (id) ON DELETE CASCADE,
    customer_id   bigint NOT NULL REFERENCES customers (id),
    rating        smallint NOT NULL CONSTRAINT reviews_rating_check CHECK (rating BETWEEN 1 AND 5),
    title         text,
    body          text,
    helpful_count integer NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reviews_book_customer_key UNIQUE (book_id, customer_id)
);

CREATE INDEX reviews_book_created_idx ON reviews (book_id, created_at DESC, id DESC);

CREATE VIEW book_ratings AS
SELECT r.book_id,
       count(*) AS review_count,
       avg(r.rating)::numeric(3,2) AS average_rating
FROM reviews r
GROUP BY r.book_id;

COMMENT ON VIEW book_ratings IS 'Number and average of the reviews of each book that has any.';

-- +goose Down
DROP VIEW book_ratings;
DROP TABLE reviews;
