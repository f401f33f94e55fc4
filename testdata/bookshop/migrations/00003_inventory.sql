-- +goose Up
CREATE TABLE warehouses (
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code    text NOT NULL UNIQUE,
    city    text NOT NULL,
    country char(2) NOT NULL
);

CREATE TABLE inventory (
    warehouse_id  integer NOT NULL REFERENCES warehouses (id),
    edition_id    bigint NOT NULL REFERENCES editions (id),
    on_hand       integer NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    reserved      integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    reorder_level integer NOT NULL DEFAULT 5,
    counted_on    date,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (edition_id, warehouse_id),
    CONSTRAINT inventory_promised_check CHECK (reserved <= on_hand)
);

CREATE INDEX inventory_short_idx ON inventory (warehouse_id, edition_id) WHERE on_hand <= reorder_level;

COMMENT ON COLUMN inventory.reserved IS 'Pieces promised to orders that have not been shipped.';

CREATE TABLE stock_imports (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    warehouse_code text NOT NULL,
    isbn13         text NOT NULL,
    quantity       integer NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE stock_imports IS 'Staging for the stock files of the warehouses, emptied after each load.';

-- +goose Down
DROP TABLE stock_imports;
DROP TABLE inventory;
DROP TABLE warehouses;
