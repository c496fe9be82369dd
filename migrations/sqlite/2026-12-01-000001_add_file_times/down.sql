DROP INDEX file_sums;
ALTER TABLE documents DROP COLUMN header;
ALTER TABLE files DROP COLUMN rejected_header;
ALTER TABLE files DROP COLUMN format;
ALTER TABLE files DROP COLUMN applied_at;
