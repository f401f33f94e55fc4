-- Plans belong to nobody, all else to a tenant.
CREATE TABLE plans (
    id int PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE customers (
    tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id'),
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    plan_id int REFERENCES plans,
    UNIQUE (tenant_id, name)
);

CREATE TABLE invoices (
    tenant_id text NOT NULL DEFAULT current_setting('app.tenant_id'),
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    number int NOT NULL,
    total numeric(12, 2) NOT NULL CHECK (total >= 0),
    UNIQUE (tenant_id, number)
);

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;

CREATE POLICY own ON customers USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY own ON invoices USING (tenant_id = current_setting('app.tenant_id', true));

CREATE VIEW balances WITH (security_invoker) AS
SELECT c.id, c.name, coalesce(sum(i.total), 0) AS total
FROM customers c
LEFT JOIN invoices i ON i.customer_id = c.id
GROUP BY c.id, c.name;
