-- +goose Up
CREATE TABLE carts (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id bigint REFERENCES customers (id) ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);

CREATE INDEX carts_customer_idx ON carts (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX carts_expires_idx ON carts (expires_at);

COMMENT ON COLUMN carts.customer_id IS 'NULL until the visitor signs in.';

CREATE TABLE cart_items (
    cart_id    uuid NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    edition_id bigint NOT NULL REFERENCES editions (id),
    quantity   integer NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 99),
    added_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, edition_id)
);

-- +goose Down
DROP TABLE cart_items;
DROP TABLE carts;
