-- +goose Up
CREATE TYPE order_status AS ENUM ('pending', 'paid', 'packed', 'shipped', 'delivered', 'cancelled', 'refunded');

CREATE TABLE orders (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number              text NOT NULL,
    customer_id         bigint NOT NULL REFERENCES customers (id),
    shipping_address_id bigint REFERENCES addresses (id) ON DELETE SET NULL,
    status              order_status NOT NULL DEFAULT 'pending',
    total               numeric(12,2) NOT NULL CONSTRAINT orders_total_check CHECK (total >= 0),
    currency            char(3) NOT NULL DEFAULT 'EUR',
    coupon              text,
    note                text,
    placed_at           timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orders_number_key UNIQUE (number)
);

CREATE INDEX orders_customer_idx ON orders (customer_id, placed_at DESC);
CREATE INDEX orders_placed_idx ON orders (placed_at, id) INCLUDE (status, total);
CREATE INDEX orders_pending_idx ON orders (placed_at) WHERE status = 'pending';

COMMENT ON TABLE orders IS 'One purchase of one customer.';
COMMENT ON COLUMN orders.number IS 'The number printed on the invoice.';
COMMENT ON COLUMN orders.total IS 'With tax and discount, in the currency of the order.';

CREATE TABLE order_items (
    order_id   bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    line_no    smallint NOT NULL,
    edition_id bigint NOT NULL REFERENCES editions (id),
    quantity   integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(10,2) NOT NULL,
    discount   numeric(10,2),
    PRIMARY KEY (order_id, line_no)
);

CREATE INDEX order_items_edition_idx ON order_items (edition_id) INCLUDE (quantity, unit_price);

-- +goose Down
DROP TABLE order_items;
DROP TABLE orders;
DROP TYPE order_status;
