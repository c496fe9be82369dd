DROP VIEW catalog;
DROP TABLE catalog_settings;
ALTER TABLE products DROP COLUMN changed_at;
ALTER TABLE products DROP COLUMN first_seen;
ALTER TABLE edits DROP COLUMN own;
ALTER TABLE shadowed DROP COLUMN own;
ALTER TABLE products DROP COLUMN own;
