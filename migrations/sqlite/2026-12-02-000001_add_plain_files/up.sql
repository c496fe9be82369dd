-- Whether any CSV reader reads an object of a bucket alike. Whoever reads an object for a report notes it, so that executors of a cluster
-- can read the same content for another report, and this master need not.
CREATE TABLE plain_files (
    source_id BIGINT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    way TEXT NOT NULL,                  -- digest of the format in which the file was read
    hash TEXT NOT NULL,                 -- of the content
    answer TEXT NOT NULL,               -- JSON, as the last line of POST /plain
    PRIMARY KEY (source_id, path, way)
) WITHOUT ROWID;
