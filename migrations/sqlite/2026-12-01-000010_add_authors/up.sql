-- Who last changed an edit, sent a document or accepted a held version; null: not known.
ALTER TABLE edits ADD COLUMN edited_by TEXT;
ALTER TABLE documents ADD COLUMN sent_by TEXT;
ALTER TABLE held_versions ADD COLUMN accepted_by TEXT;
-- When it was accepted, RFC 3339.
ALTER TABLE held_versions ADD COLUMN accepted_at TEXT;
