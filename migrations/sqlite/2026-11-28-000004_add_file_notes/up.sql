-- What ranks a file before its path, by the setting `order`; empty if its path alone does.
ALTER TABLE files ADD COLUMN rank_key TEXT NOT NULL DEFAULT '';
-- Rows of the accepted content with a stray quote that was read leniently, and good rows that a later row of the file replaces.
ALTER TABLE files ADD COLUMN repaired BIGINT NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN replaced BIGINT NOT NULL DEFAULT 0;
-- What was guessed or left out when the accepted content was read, for people; null if nothing was.
ALTER TABLE files ADD COLUMN notes TEXT;
ALTER TABLE reported_files ADD COLUMN repaired BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reported_files ADD COLUMN notes TEXT;
