-- Product feeds and reports read files in the same way, so they share `files` and `rejects`. Run it with foreign keys off: tables
-- that others refer to are replaced. `pages` and `products` keep the ids that they refer to, and are not touched.

-- One row per file and reader. `hash` and `reading` are the accepted input: content and way of reading whose results are kept.
-- They are null while no content was ever accepted. The columns `rejected_…` tell of a later content that could not be used: the
-- accepted results stay meanwhile, and the same content is not read again.
CREATE TABLE new_files (
    id INTEGER PRIMARY KEY NOT NULL,
    reader TEXT NOT NULL,               -- `products`, or `report:` and a name; these words, and the states, are the engine's
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    rank_key TEXT NOT NULL,             -- ranks a file before its path; empty if its path alone does
    size_bytes BIGINT NOT NULL,
    row_count BIGINT NOT NULL,          -- rows in the accepted content, rejects included
    results BIGINT NOT NULL,            -- what they give: distinct skus, or groups
    unused BIGINT NOT NULL,             -- good rows that give nothing: replaced by a later row, or left out by a filter
    rejects BIGINT NOT NULL,            -- rows that could not be used; the table `rejects` keeps at most 1,000 of them
    repaired BIGINT NOT NULL,           -- rows with a stray quote that was read leniently
    notes TEXT,                         -- what was guessed or left out, for people; null if nothing was
    state TEXT NOT NULL,                -- of the latest content
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    UNIQUE (reader, source_id, path)
);

INSERT INTO new_files
SELECT id, 'products', source_id, path, hash, reading, rank_key, size_bytes, row_count, offers, replaced, rejects, repaired, notes,
    state, rejected_hash, rejected_reading, rejected_reason
FROM files ORDER BY id;

-- Files of reports get ids behind those of the feeds. Their sizes were not stored.
INSERT INTO new_files
SELECT id + (SELECT coalesce(max(id), 0) FROM files), 'report:' || report, source_id, path, hash, reading, '', 0, row_count, "groups",
    passed_over, rejects, repaired, notes, state, rejected_hash, rejected_reading, rejected_reason
FROM reported_files ORDER BY id;

-- What a file gives to a report: its groups with parts that can be merged, cut into pieces of bounded size so that nobody need hold
-- it whole. What the bytes mean is not the database's affair.
CREATE TABLE new_partials (
    file_id BIGINT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    part_no BIGINT NOT NULL,            -- from 0, without gaps
    body BLOB NOT NULL,
    PRIMARY KEY (file_id, part_no)
);

INSERT INTO new_partials
SELECT reported_file_id + (SELECT coalesce(max(id), 0) FROM files), part_no, body FROM partials ORDER BY reported_file_id, part_no;

-- Rows that could not be used. `whole_file` tells the rejects of a content that was rejected as a whole from those of the accepted
-- content: both may be there at once, and each is replaced without the other. In order of the ids they are in order of time.
CREATE TABLE new_rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    file_id BIGINT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,               -- the first line is 1
    byte_offset BIGINT NOT NULL,        -- the first byte is 0
    reason TEXT NOT NULL,
    raw TEXT NOT NULL                   -- cut at 1 KiB
);

-- No id is in both tables: they were counted together.
INSERT INTO new_rejects
SELECT id, file_id, whole_file, line, byte_offset, reason, raw FROM rejects
UNION ALL
SELECT id, reported_file_id + (SELECT coalesce(max(id), 0) FROM files), whole_file, line, byte_offset, reason, raw
FROM reported_rejects ORDER BY id;

DROP TABLE partials;
DROP TABLE reported_rejects;
DROP TABLE rejects;
DROP TABLE reported_files;
DROP TABLE files;
ALTER TABLE new_files RENAME TO files;
ALTER TABLE new_partials RENAME TO partials;
ALTER TABLE new_rejects RENAME TO rejects;

CREATE INDEX rejects_by_file ON rejects (file_id);
-- Finds the rejected files of a source without reading the others. Files that are not rejected have no entry in it.
CREATE INDEX rejected_files ON files (reader, source_id) WHERE state = 'rejected';
