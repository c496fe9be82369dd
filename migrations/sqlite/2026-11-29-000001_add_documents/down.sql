DROP TABLE messages;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,
    filename TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('receiving', 'queued', 'complete', 'failed')),
    bytes BIGINT NOT NULL,
    hash TEXT,
    replaces BOOLEAN NOT NULL,
    row_count BIGINT NOT NULL,
    rejects BIGINT NOT NULL,
    error TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT
);
INSERT INTO uploads SELECT id, path, state, bytes, hash, FALSE, row_count, rejects, error, created_at, finished_at FROM documents
WHERE state IN ('receiving', 'queued', 'complete', 'failed');
DROP TABLE documents;
