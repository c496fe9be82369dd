-- Documents: what people and programs sent. Each is an immutable file in the folder of uploads, found by its id. This table says
-- which documents a path of the source `uploads` stands for.
CREATE TABLE documents (
    id TEXT PRIMARY KEY NOT NULL,       -- 32 hex digits
    path TEXT NOT NULL,                 -- in the source `uploads`
    state TEXT NOT NULL,                -- the engine's words
    place TEXT,                         -- 'current': accepted; 'next': waits to be read, and its path stands for it meanwhile;
                                        -- null: its file is deleted, or not there yet
    bytes BIGINT NOT NULL,              -- of the body; 0 until all of it was received
    hash TEXT,                          -- of the body; null until all of it was received
    row_count BIGINT NOT NULL,          -- rows that were read, rejects included
    rejects BIGINT NOT NULL,            -- those that could not be used
    error TEXT,                         -- why it failed; null if it did not
    message TEXT,                       -- the message that brought it
    sequence BIGINT,                    -- its number among the documents of its path
    created_at TEXT NOT NULL,
    finished_at TEXT,                   -- null while it is under way
    length BIGINT,                      -- announced length of a body that may come in parts; null for others
    may_replace BOOLEAN NOT NULL DEFAULT FALSE,     -- of such a body: whether it may replace a document
    expires_at TEXT,                    -- of such a body: when it is given up
    UNIQUE (path, place)
) WITHOUT ROWID;

CREATE INDEX documents_by_time ON documents (created_at, id);
-- Finds the documents without a file, of which only the newest are kept.
CREATE INDEX documents_without_place ON documents (created_at, id) WHERE place IS NULL;

-- The files of these uploads have their paths as names. The next start takes them in.
INSERT INTO documents (id, path, state, bytes, hash, row_count, rejects, error, created_at, finished_at)
SELECT id, filename, state, bytes, hash, row_count, rejects, error, created_at, finished_at FROM uploads;
DROP TABLE uploads;

-- The messages that brought or took back documents: a repeated one changes nothing, and the greatest sequence of a path wins.
CREATE TABLE messages (
    no INTEGER PRIMARY KEY NOT NULL,    -- in order of arrival
    id TEXT UNIQUE,                     -- the sender's; null if only a sequence was sent
    path TEXT NOT NULL,
    sequence BIGINT,
    document TEXT,                      -- null if it took a document back
    state TEXT NOT NULL,                -- the last one of its document, which may be forgotten earlier
    received_at TEXT NOT NULL
);

CREATE INDEX messages_by_sequence ON messages (path, sequence) WHERE sequence IS NOT NULL;
