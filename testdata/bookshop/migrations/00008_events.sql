-- +goose Up
CREATE TABLE events (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    customer_id bigint,
    session_id  uuid NOT NULL,
    kind        text NOT NULL,
    payload     jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);

CREATE TABLE events_2025q2 PARTITION OF events FOR VALUES FROM ('2025-04-01 00:00:00+00') TO ('2025-07-01 00:00:00+00');
CREATE TABLE events_2025q3 PARTITION OF events FOR VALUES FROM ('2025-07-01 00:00:00+00') TO ('2025-10-01 00:00:00+00');
CREATE TABLE events_2025q4 PARTITION OF events FOR VALUES FROM ('2025-10-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');
CREATE TABLE events_2026q1 PARTITION OF events FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-04-01 00:00:00+00');
CREATE TABLE events_2026q2 PARTITION OF events FOR VALUES FROM ('2026-04-01 00:00:00+00') TO ('2026-07-01 00:00:00+00');
CREATE TABLE events_2026q3 PARTITION OF events FOR VALUES FROM ('2026-07-01 00:00:00+00') TO ('2026-10-01 00:00:00+00');
CREATE TABLE events_later PARTITION OF events DEFAULT;

CREATE INDEX events_customer_idx ON events (customer_id, occurred_at DESC);
CREATE INDEX events_kind_idx ON events (kind, occurred_at);

COMMENT ON TABLE events IS 'What visitors do in the shop, one partition a quarter.';
COMMENT ON COLUMN events.customer_id IS 'NULL for a visitor who has not signed in.';

-- +goose Down
DROP TABLE events;
