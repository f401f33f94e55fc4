-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;
-- +goose StatementEnd

CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER editions_touch BEFORE UPDATE ON editions
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER reviews_touch BEFORE UPDATE ON reviews
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE VIEW catalog_entries AS
SELECT e.id AS edition_id,
       b.id AS book_id,
       b.title,
       b.language,
       e.isbn13,
       e.format,
       e.price,
       e.currency,
       p.name AS publisher
FROM editions e
JOIN books b ON b.id = e.book_id
JOIN publishers p ON p.id = b.publisher_id
WHERE e.is_active;

COMMENT ON VIEW catalog_entries IS 'What can be bought now.';

-- +goose Down
DROP VIEW catalog_entries;
DROP TRIGGER reviews_touch ON reviews;
DROP TRIGGER orders_touch ON orders;
DROP TRIGGER editions_touch ON editions;
DROP TRIGGER customers_touch ON customers;
DROP FUNCTION touch_updated_at();
