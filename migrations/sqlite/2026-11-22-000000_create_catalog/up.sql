-- The catalog: what every source's files offer, what is shown of it, and what people changed.
--
-- All keys are compared byte by byte (SQLite's default BINARY collation), because that is the order in which the
-- programs merge. Times are texts: RFC 3339, UTC. The small tables have an integer key that other tables point to;
-- the large ones are WITHOUT ROWID, which saves a second tree, and are written in key order, which makes the tree append.

-- One row a configured source.
CREATE TABLE sources (
    id INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,          -- its identity; the URL may change
    url TEXT NOT NULL,
    priority BIGINT NOT NULL,           -- higher wins
    position BIGINT NOT NULL,           -- in the configuration; among equal priorities the later wins
    version TEXT,                       -- the last version that was applied as a whole; null before the first
    state TEXT NOT NULL CHECK (state IN ('unknown', 'up', 'down', 'rejected')),
    error TEXT,                         -- why the last pass failed; null when it did not
    last_sensed TEXT,
    last_applied TEXT
);

-- One row a file of a source. `hash` and `reading` are the accepted input: content and way of reading whose rows are
-- in the tables below. They are null while no content was ever accepted. The columns `rejected_…` tell of a later
-- content that could not be used: the accepted rows stay meanwhile, and the same content is not fetched again.
CREATE TABLE files (
    id INTEGER PRIMARY KEY NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    size_bytes BIGINT NOT NULL,
    row_count BIGINT NOT NULL,          -- rows in the accepted content, rejects included
    offers BIGINT NOT NULL,             -- distinct skus that it offers
    rejects BIGINT NOT NULL,            -- all of its rejects; the table `rejects` keeps at most 1,000 of them
    state TEXT NOT NULL CHECK (state IN ('applied', 'rejected', 'changing')),
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    UNIQUE (source_id, path)
);

-- What a file offers, as a sorted list of (sku, content hash) cut into pages. A changed file is compared with its
-- pages: equal digests are passed over, so the cost follows the change. An index over the offers would cost more than
-- all of this on every load. The large columns stand last: reading the digests never touches them.
CREATE TABLE pages (
    file_id BIGINT NOT NULL REFERENCES files (id),
    first_sku TEXT NOT NULL,
    digest BLOB NOT NULL,               -- 16 bytes over `entries`, then 8 over `lines`
    entries BLOB NOT NULL,
    lines BLOB NOT NULL,                -- where in the file the rows stand; a row that only moved changes its page
                                        -- and no product
    PRIMARY KEY (file_id, first_sku)
);

-- What is shown: one row a sku, and nothing else. An offer that is shown as it came lives here and nowhere else:
-- almost every offer is, so keeping all offers beside all products would write everything twice.
CREATE TABLE products (
    sku TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    file_id BIGINT,                     -- the file of the winning offer; null for a product that an edit lets stand
                                        -- alone. Not declared as a reference: checking it costs a look-up a row, and
                                        -- a file is only deleted after its offers
    edited BOOLEAN NOT NULL             -- an edit lies over the offer; the offer itself is then in `shadowed`
) WITHOUT ROWID;

-- The offers that are not shown as they came: another offer, an edit or hiding lies over them, or a `delete`; or they
-- are a `delete` themselves. With the unedited rows of `products` that have a file, this is every offer, each once.
CREATE TABLE shadowed (
    sku TEXT NOT NULL,
    file_id BIGINT NOT NULL,
    deletes BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (sku, file_id)
) WITHOUT ROWID;

-- What people and programs changed: at most one edit a sku, laid over the winner until it is cleared.
CREATE TABLE edits (
    sku TEXT PRIMARY KEY NOT NULL,
    name TEXT,                          -- null: the winner's
    description TEXT,                   -- null: the winner's
    hidden BOOLEAN NOT NULL,
    stands BOOLEAN NOT NULL,            -- shown though no source offers it
    edited_at TEXT NOT NULL
) WITHOUT ROWID;

-- How many products bear a name. Always what a count over `products` would give; a name that nobody bears has no row.
CREATE TABLE aggr (
    name TEXT PRIMARY KEY NOT NULL,
    no_of_products BIGINT NOT NULL CHECK (no_of_products > 0)
) WITHOUT ROWID;

-- Rows that could not be used. `whole_file` tells the rejects of a content that was rejected as a whole from those of
-- the accepted content: both may be there at once, and each is replaced without the other.
CREATE TABLE rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    file_id BIGINT NOT NULL REFERENCES files (id),
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,               -- the first line is 1
    byte_offset BIGINT NOT NULL,        -- the first byte is 0
    reason TEXT NOT NULL,
    raw TEXT NOT NULL                   -- cut at 1 KiB
);

CREATE INDEX rejects_by_file ON rejects (file_id);
