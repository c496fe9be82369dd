-- What was uploaded and what became of it; the last 1,000 are kept. Only what must outlive the process is here: how far an
-- upload is just now, the master knows.
CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,       -- 32 hex digits
    filename TEXT NOT NULL,             -- the file's path in the source `uploads`
    state TEXT NOT NULL CHECK (state IN ('receiving', 'queued', 'complete', 'failed')),
    bytes BIGINT NOT NULL,              -- of the body; 0 until all of it was there
    hash TEXT,                          -- of the content; null until all of it was there
    replaces BOOLEAN NOT NULL,          -- whether it took the place of a file, which is kept until it is complete
    row_count BIGINT NOT NULL,          -- rows that were read, rejects included
    rejects BIGINT NOT NULL,            -- those that could not be used
    error TEXT,                         -- why it failed; null if it did not
    created_at TEXT NOT NULL,
    finished_at TEXT                    -- null while it is under way
);
