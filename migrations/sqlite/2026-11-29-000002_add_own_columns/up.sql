-- The own columns of the catalog. Their texts are one JSON object per row, without those that are empty, because which columns there
-- are follows the configuration: see docs/decisions/0017-own-columns-are-json.md. People read them through the view `catalog`.
ALTER TABLE products ADD COLUMN own TEXT;               -- null: none
ALTER TABLE shadowed ADD COLUMN own TEXT;
ALTER TABLE edits ADD COLUMN own TEXT;                  -- also those of columns that the catalog no longer has

-- When a product appeared, and when its texts last changed; seconds since 1970. Null: before this was recorded, or never.
ALTER TABLE products ADD COLUMN first_seen BIGINT;
ALTER TABLE products ADD COLUMN changed_at BIGINT;

-- What was adopted of [catalog] in the configuration: one row, a JSON object.
CREATE TABLE catalog_settings (
    id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    settings TEXT NOT NULL
);
INSERT INTO catalog_settings VALUES (1, '{}');

-- The products with a column for each column of the catalog. It is made again when they change.
CREATE VIEW catalog AS SELECT sku, name, description,
    strftime('%Y-%m-%dT%H:%M:%SZ', first_seen, 'unixepoch') AS first_seen,
    strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(changed_at, first_seen), 'unixepoch') AS changed_at
FROM products;
