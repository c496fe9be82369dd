ALTER TABLE held_versions DROP COLUMN accepted_at;
ALTER TABLE held_versions DROP COLUMN accepted_by;
ALTER TABLE documents DROP COLUMN sent_by;
ALTER TABLE edits DROP COLUMN edited_by;
