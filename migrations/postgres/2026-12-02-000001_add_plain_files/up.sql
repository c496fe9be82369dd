-- Whether any CSV reader reads an object of a bucket alike. Whoever reads an object for a report notes it, so that executors of a cluster
-- can read the same content for another report, and this master need not.
CREATE TABLE plain_files (
    source_id BIGINT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    path TEXT COLLATE "C" NOT NULL,
    way TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source_id, path, way)
);
