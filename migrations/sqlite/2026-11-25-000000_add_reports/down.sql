-- The tables `report_<name>` stay: SQL cannot drop what it cannot name. Drop their reports before.
CREATE TABLE old_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('applied', 'source', 'edit')),
    data TEXT NOT NULL                  -- JSON
);
INSERT INTO old_events SELECT id, at, kind, data FROM events WHERE kind <> 'report';
DELETE FROM sqlite_sequence WHERE name = 'old_events';
INSERT INTO sqlite_sequence (name, seq) SELECT 'old_events', seq FROM sqlite_sequence WHERE name = 'events';
DROP TABLE events;
ALTER TABLE old_events RENAME TO events;

DROP TABLE reports;
DROP TABLE reported_rejects;
DROP TABLE partials;
DROP TABLE reported_files;
