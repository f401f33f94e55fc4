CREATE DOMAIN code AS text CONSTRAINT code_form CHECK (VALUE ~ '^[A-Z]+$');

CREATE TABLE accounts (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  text NOT NULL UNIQUE,
    email text NOT NULL,
    age   integer CONSTRAINT positive CHECK (age > 0),
    note  text DEFAULT ''
);

CREATE UNIQUE INDEX accounts_email_key ON accounts (lower(email));

CREATE TABLE rooms (
    id     integer PRIMARY KEY,
    code   code,
    size   integer CONSTRAINT positive CHECK (size > 0),
    during int4range,
    EXCLUDE USING gist (during WITH &&)
);

CREATE TABLE ledger (
    id         bigint NOT NULL,
    day        date NOT NULL,
    account_id bigint NOT NULL REFERENCES accounts (id),
    amount     numeric NOT NULL CONSTRAINT ledger_amount_check CHECK (amount <> 0),
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);

CREATE TABLE ledger_2025 PARTITION OF ledger FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE ledger_2026 PARTITION OF ledger FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);
CREATE TABLE ledger_2026_rest PARTITION OF ledger_2026 DEFAULT;

CREATE TABLE sessions (
    id         bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE
);

CREATE TABLE logins (
    session_id bigint NOT NULL REFERENCES sessions (id) ON DELETE RESTRICT
);

-- A row of a partition that is referenced is reported with a name of the
-- server's own choice.
CREATE TABLE receipts (
    ledger_id  bigint NOT NULL,
    ledger_day date NOT NULL,
    CONSTRAINT receipts_ledger FOREIGN KEY (ledger_id, ledger_day) REFERENCES ledger (id, day)
);
