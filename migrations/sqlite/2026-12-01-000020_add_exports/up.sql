-- What was last written to S3 or a folder.
CREATE TABLE exports (
    name TEXT PRIMARY KEY NOT NULL,     -- products, aggr or reports/NAME
    url TEXT NOT NULL,                  -- the place that it was written to
    header TEXT NOT NULL,               -- the names of its columns, as JSON
    event_id BIGINT NOT NULL,           -- what was written has all changes up to this event
    bytes BIGINT NOT NULL,
    written_at TEXT NOT NULL            -- RFC 3339
);
