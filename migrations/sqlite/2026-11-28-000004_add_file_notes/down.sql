ALTER TABLE files DROP COLUMN rank_key;
ALTER TABLE files DROP COLUMN repaired;
ALTER TABLE files DROP COLUMN replaced;
ALTER TABLE files DROP COLUMN notes;
ALTER TABLE reported_files DROP COLUMN repaired;
ALTER TABLE reported_files DROP COLUMN notes;
