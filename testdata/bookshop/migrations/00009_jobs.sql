-- +goose Up
CREATE TABLE jobs (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue       text NOT NULL,
    payload     jsonb NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    run_at      timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    finished_at timestamptz,
    last_error  text
);

CREATE INDEX jobs_ready_idx ON jobs (queue, run_at) WHERE finished_at IS NULL;

COMMENT ON TABLE jobs IS 'Work to be done after the transaction that asked for it.';

-- +goose Down
DROP TABLE jobs;
