-- +goose Up
CREATE TYPE payment_status AS ENUM ('authorised', 'captured', 'failed', 'refunded');

CREATE TABLE payments (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id     bigint NOT NULL REFERENCES orders (id),
    provider     text NOT NULL,
    provider_ref text NOT NULL,
    status       payment_status NOT NULL,
    amount       numeric(12,2) NOT NULL CHECK (amount > 0),
    failure_code text,
    details      jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    captured_at  timestamptz,
    CONSTRAINT payments_provider_ref_key UNIQUE (provider, provider_ref),
    CONSTRAINT payments_captured_check CHECK (status <> 'captured' OR captured_at IS NOT NULL)
);

CREATE INDEX payments_order_idx ON payments (order_id);

COMMENT ON COLUMN payments.details IS 'The answer of the provider, as it came.';

CREATE TABLE shipments (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id        bigint NOT NULL REFERENCES orders (id),
    carrier         text NOT NULL,
    tracking_number text,
    shipped_at      timestamptz NOT NULL,
    delivered_at    timestamptz
);

-- +goose Down
DROP TABLE shipments;
DROP TABLE payments;
DROP TYPE payment_status;
