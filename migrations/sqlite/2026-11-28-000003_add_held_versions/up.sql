-- The versions that wait for a person, because they would take too much away; none for most sources.
CREATE TABLE held_versions (
    source_id BIGINT PRIMARY KEY NOT NULL REFERENCES sources (id),
    digest TEXT NOT NULL,               -- of the skus that would go; empty for a source that is no longer configured
    removes BIGINT NOT NULL,            -- number of these skus
    offers BIGINT NOT NULL,             -- distinct skus that the source offers
    reason TEXT NOT NULL,
    held_since TEXT NOT NULL,
    held_until TEXT,                    -- when it is applied by itself; null: never
    accepted BOOLEAN NOT NULL
);

-- A source may be `held`. The states are the engine's words, so the new column has no CHECK. SQLite cannot drop a CHECK alone.
ALTER TABLE sources ADD COLUMN new_state TEXT NOT NULL DEFAULT 'unknown';
UPDATE sources SET new_state = state;
ALTER TABLE sources DROP COLUMN state;
ALTER TABLE sources RENAME COLUMN new_state TO state;
