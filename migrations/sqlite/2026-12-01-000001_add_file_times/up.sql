-- When the accepted content was applied, RFC 3339, and how it was written, in words; null for contents accepted before this was stored.
ALTER TABLE files ADD COLUMN applied_at TEXT;
ALTER TABLE files ADD COLUMN format TEXT;
-- The header of the latest content if it was rejected because it lacks a column: a JSON list of names.
ALTER TABLE files ADD COLUMN rejected_header TEXT;
-- The same of an upload that failed for that reason; its file is gone by then.
ALTER TABLE documents ADD COLUMN header TEXT;
-- Sums over the files of each source are read from here alone: files are many, and their rows are wide.
CREATE INDEX file_sums ON files (source_id, reader, row_count, results, rejects);
