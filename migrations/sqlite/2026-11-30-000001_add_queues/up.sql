-- The queues of the broker as the master last saw them.
CREATE TABLE queues (
    name TEXT PRIMARY KEY NOT NULL,
    position BIGINT NOT NULL,           -- in which order they are shown
    role TEXT NOT NULL,                 -- operations, documents or dead letters
    ready BIGINT,                       -- messages that wait; null: never seen
    consumers BIGINT,                   -- null: never seen
    unacknowledged BIGINT,              -- in hand of this master; null: others have them in hand
    set_aside BIGINT NOT NULL,          -- messages of it that the master has made dead letters since its start
    error TEXT,                         -- why the broker cannot be used
    changed_at TEXT NOT NULL            -- when one of these changed, RFC 3339
);

-- The last event that each exchange of a broker has.
CREATE TABLE published_events (
    exchange TEXT PRIMARY KEY NOT NULL,
    event_id BIGINT NOT NULL
);
