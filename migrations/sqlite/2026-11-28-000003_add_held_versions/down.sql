DROP TABLE held_versions;

ALTER TABLE sources ADD COLUMN old_state TEXT NOT NULL DEFAULT 'unknown'
    CHECK (old_state IN ('unknown', 'up', 'down', 'rejected'));
UPDATE sources SET old_state = state WHERE state <> 'held';
ALTER TABLE sources DROP COLUMN state;
ALTER TABLE sources RENAME COLUMN old_state TO state;
