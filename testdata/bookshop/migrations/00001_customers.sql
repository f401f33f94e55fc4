-- +goose Up
CREATE DOMAIN email_address AS text
    CONSTRAINT email_address_form CHECK (VALUE ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$');

CREATE TABLE customers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id   uuid NOT NULL DEFAULT gen_random_uuid(),
    email       email_address NOT NULL,
    full_name   text NOT NULL CHECK (full_name <> ''),
    phone       text,
    locale      text NOT NULL DEFAULT 'en',
    birth_date  date,
    tags        text[] NOT NULL DEFAULT '{}',
    preferences jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    CONSTRAINT customers_public_id_key UNIQUE (public_id)
);

CREATE UNIQUE INDEX customers_email_lower_key ON customers (lower(email));
CREATE INDEX customers_created_idx ON customers (created_at, id);

COMMENT ON TABLE customers IS 'People who have an account with the shop.';
COMMENT ON COLUMN customers.public_id IS 'The identifier shown outside, in links and mails.';
COMMENT ON COLUMN customers.deleted_at IS 'When the account was closed; NULL while it is open.';

CREATE TABLE addresses (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    kind        text NOT NULL CONSTRAINT addresses_kind_check CHECK (kind IN ('billing', 'shipping')),
    line1       text NOT NULL,
    line2       text,
    city        text NOT NULL,
    postal_code text NOT NULL,
    country     char(2) NOT NULL,
    is_default  boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX addresses_customer_idx ON addresses (customer_id);
CREATE UNIQUE INDEX addresses_default_key ON addresses (customer_id, kind) WHERE is_default;

COMMENT ON COLUMN addresses.country IS 'ISO 3166-1 alpha-2 code.';

-- +goose Down
DROP TABLE addresses;
DROP TABLE customers;
DROP DOMAIN email_address;
