-- Reports: what each file gives to them, and what their tables were written from. The tables themselves, `report_<name>`, follow
-- the configuration and are made by the programs; so that none can bear their names, no table here begins with `report_`.

-- One row a file that a report claims. `hash` and `reading` are the accepted input: the content whose partial is kept, and how it
-- was computed. They are null while no content was ever accepted. The columns `rejected_…` tell of a later content that could not
-- be used: the partial stays meanwhile, and the same content is not computed again.
CREATE TABLE reported_files (
    id INTEGER PRIMARY KEY NOT NULL,
    report TEXT NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    row_count BIGINT NOT NULL,          -- rows in the accepted content, rejects included
    passed_over BIGINT NOT NULL,        -- of those, the ones that the report's filter leaves out
    rejects BIGINT NOT NULL,            -- of those, the ones that could not be used; `reported_rejects` keeps a part of them
    "groups" BIGINT NOT NULL,           -- groups of the partial
    state TEXT NOT NULL CHECK (state IN ('applied', 'rejected')),
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    UNIQUE (report, source_id, path)
);

-- What a file gives to a report: its groups with parts that can be merged, cut into pieces of bounded size so that nobody need hold
-- it whole. What the bytes mean is not the database's affair.
CREATE TABLE partials (
    reported_file_id BIGINT NOT NULL REFERENCES reported_files (id),
    part_no BIGINT NOT NULL,            -- from 0, without gaps
    body BLOB NOT NULL,
    PRIMARY KEY (reported_file_id, part_no)
);

-- As `rejects`, of a file's rows as a report reads them. A number that is given here is never one of `rejects`: in order of the
-- numbers both tables are in order of time.
CREATE TABLE reported_rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    reported_file_id BIGINT NOT NULL REFERENCES reported_files (id),
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,               -- the first line is 1
    byte_offset BIGINT NOT NULL,        -- the first byte is 0
    reason TEXT NOT NULL,
    raw TEXT NOT NULL                   -- cut at 1 KiB
);

CREATE INDEX reported_rejects_by_file ON reported_rejects (reported_file_id);

-- What each `report_<name>` was last written from.
CREATE TABLE reports (
    name TEXT PRIMARY KEY NOT NULL,
    digest TEXT NOT NULL,               -- of the specification
    "groups" BIGINT NOT NULL,           -- rows of the table
    computed_at TEXT NOT NULL,
    standing TEXT NOT NULL              -- JSON: the sources' versions that it stands at
) WITHOUT ROWID;

-- `events` may tell of reports. A CHECK cannot be changed, so the table is made anew; its numbers go on where they were.
CREATE TABLE new_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('applied', 'source', 'edit', 'report')),
    data TEXT NOT NULL                  -- JSON
);
INSERT INTO new_events SELECT id, at, kind, data FROM events;
DELETE FROM sqlite_sequence WHERE name = 'new_events';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_events', seq FROM sqlite_sequence WHERE name = 'events';
DROP TABLE events;
ALTER TABLE new_events RENAME TO events;
