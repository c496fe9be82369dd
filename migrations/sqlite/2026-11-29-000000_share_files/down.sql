-- Run it with foreign keys off, as the way up. Files of other readers than feeds and reports go.
CREATE TABLE new_files (
    id INTEGER PRIMARY KEY NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    size_bytes BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    offers BIGINT NOT NULL,
    rejects BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('applied', 'rejected', 'changing')),
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    rank_key TEXT NOT NULL DEFAULT '',
    repaired BIGINT NOT NULL DEFAULT 0,
    replaced BIGINT NOT NULL DEFAULT 0,
    notes TEXT,
    UNIQUE (source_id, path)
);
INSERT INTO new_files
SELECT id, source_id, path, hash, reading, size_bytes, row_count, results, rejects, state, rejected_hash, rejected_reading,
    rejected_reason, rank_key, repaired, unused, notes
FROM files WHERE reader = 'products';

CREATE TABLE reported_files (
    id INTEGER PRIMARY KEY NOT NULL,
    report TEXT NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    path TEXT NOT NULL,
    hash TEXT,
    reading TEXT,
    row_count BIGINT NOT NULL,
    passed_over BIGINT NOT NULL,
    rejects BIGINT NOT NULL,
    "groups" BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('applied', 'rejected')),
    rejected_hash TEXT,
    rejected_reading TEXT,
    rejected_reason TEXT,
    repaired BIGINT NOT NULL DEFAULT 0,
    notes TEXT,
    UNIQUE (report, source_id, path)
);
INSERT INTO reported_files
SELECT id, substr(reader, 8), source_id, path, hash, reading, row_count, unused, rejects, results, state, rejected_hash,
    rejected_reading, rejected_reason, repaired, notes
FROM files WHERE substr(reader, 1, 7) = 'report:';

CREATE TABLE new_partials (
    reported_file_id BIGINT NOT NULL REFERENCES reported_files (id),
    part_no BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (reported_file_id, part_no)
);
INSERT INTO new_partials SELECT file_id, part_no, body FROM partials WHERE file_id IN (SELECT id FROM reported_files);

CREATE TABLE reported_rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    reported_file_id BIGINT NOT NULL REFERENCES reported_files (id),
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL,
    reason TEXT NOT NULL,
    raw TEXT NOT NULL
);
INSERT INTO reported_rejects SELECT * FROM rejects WHERE file_id IN (SELECT id FROM reported_files);

CREATE TABLE new_rejects (
    id INTEGER PRIMARY KEY NOT NULL,
    file_id BIGINT NOT NULL REFERENCES files (id),
    whole_file BOOLEAN NOT NULL,
    line BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL,
    reason TEXT NOT NULL,
    raw TEXT NOT NULL
);
INSERT INTO new_rejects SELECT * FROM rejects WHERE file_id IN (SELECT id FROM new_files);

DROP TABLE partials;
DROP TABLE rejects;
DROP TABLE files;
ALTER TABLE new_files RENAME TO files;
ALTER TABLE new_partials RENAME TO partials;
ALTER TABLE new_rejects RENAME TO rejects;

CREATE INDEX rejects_by_file ON rejects (file_id);
CREATE INDEX reported_rejects_by_file ON reported_rejects (reported_file_id);
CREATE INDEX rejected_files ON files (source_id) WHERE state = 'rejected';
