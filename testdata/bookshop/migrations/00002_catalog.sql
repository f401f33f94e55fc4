-- +goose Up
CREATE TYPE edition_format AS ENUM ('hardcover', 'paperback', 'ebook', 'audiobook');

CREATE DOMAIN isbn AS text
    CONSTRAINT isbn_form CHECK (VALUE ~ '^97[89][0-9]{10}$');

CREATE TABLE publishers (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL CONSTRAINT publishers_name_key UNIQUE,
    country char(2) NOT NULL,
    website text
);

CREATE TABLE authors (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    sort_name  text NOT NULL,
    country    char(2),
    born_on    date,
    bio        text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX authors_sort_name_idx ON authors (sort_name, id);

COMMENT ON TABLE authors IS 'Writers, translators and illustrators.';
COMMENT ON COLUMN authors.sort_name IS 'The name as it is filed: family name first.';

CREATE TABLE books (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    publisher_id integer NOT NULL REFERENCES publishers (id),
    title        text NOT NULL,
    subtitle     text,
    description  text NOT NULL DEFAULT '',
    language     text NOT NULL DEFAULT 'en',
    genres       text[] NOT NULL DEFAULT '{}',
    attributes   jsonb NOT NULL DEFAULT '{}',
    page_count   integer CHECK (page_count > 0),
    published_on date,
    created_at   timestamptz NOT NULL DEFAULT now(),
    search       tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('english'::regconfig, title || ' ' || coalesce(subtitle, '') || ' ' || description)
    ) STORED
);

CREATE INDEX books_publisher_idx ON books (publisher_id, published_on DESC);
CREATE INDEX books_published_idx ON books (published_on DESC, id DESC);
CREATE INDEX books_search_idx ON books USING gin (search);
CREATE INDEX books_genres_idx ON books USING gin (genres);
CREATE INDEX books_attributes_idx ON books USING gin (attributes jsonb_path_ops);

COMMENT ON TABLE books IS 'A work; what is sold are its editions.';
COMMENT ON COLUMN books.attributes IS 'Free facts: series, volume, awards, age.';

CREATE TABLE book_authors (
    book_id   bigint NOT NULL REFERENCES books (id) ON DELETE CASCADE,
    author_id bigint NOT NULL REFERENCES authors (id),
    position  smallint NOT NULL DEFAULT 1,
    role      text NOT NULL DEFAULT 'author',
    PRIMARY KEY (book_id, author_id)
);

CREATE INDEX book_authors_author_idx ON book_authors (author_id, book_id);

CREATE TABLE editions (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    book_id      bigint NOT NULL REFERENCES books (id),
    isbn13       isbn NOT NULL,
    format       edition_format NOT NULL,
    price        numeric(10,2) NOT NULL CONSTRAINT editions_price_check CHECK (price >= 0),
    currency     char(3) NOT NULL DEFAULT 'EUR',
    published_on date,
    is_active    boolean NOT NULL DEFAULT true,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT editions_isbn13_key UNIQUE (isbn13),
    CONSTRAINT editions_book_format_key UNIQUE (book_id, format)
);

CREATE INDEX editions_active_price_idx ON editions (price) INCLUDE (book_id, format) WHERE is_active;

COMMENT ON COLUMN editions.is_active IS 'False once the edition is out of print.';

-- +goose Down
DROP TABLE editions;
DROP TABLE book_authors;
DROP TABLE books;
DROP TABLE authors;
DROP TABLE publishers;
DROP DOMAIN isbn;
DROP TYPE edition_format;
