CREATE TABLE old_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('applied', 'source', 'edit', 'report')),
    data TEXT NOT NULL                  -- JSON
);
INSERT INTO old_events SELECT id, at, kind, data FROM events WHERE kind IN ('applied', 'source', 'edit', 'report');
DELETE FROM sqlite_sequence WHERE name = 'old_events';
INSERT INTO sqlite_sequence (name, seq) SELECT 'old_events', seq FROM sqlite_sequence WHERE name = 'events';
DROP TABLE events;
ALTER TABLE old_events RENAME TO events;
