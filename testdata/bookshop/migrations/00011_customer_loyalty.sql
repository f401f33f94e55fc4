-- +goose Up
ALTER TABLE customers ADD COLUMN loyalty_points integer NOT NULL DEFAULT 0;
ALTER TABLE customers ADD CONSTRAINT customers_loyalty_points_check CHECK (loyalty_points >= 0);
ALTER TABLE order_items ALTER COLUMN discount SET DEFAULT 0;
CREATE INDEX orders_coupon_idx ON orders (coupon) WHERE coupon IS NOT NULL;

-- +goose Down
DROP INDEX orders_coupon_idx;
ALTER TABLE order_items ALTER COLUMN discount DROP DEFAULT;
ALTER TABLE customers DROP CONSTRAINT customers_loyalty_points_check;
ALTER TABLE customers DROP COLUMN loyalty_points;
