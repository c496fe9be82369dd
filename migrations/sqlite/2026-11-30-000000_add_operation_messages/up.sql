-- The messages whose operations became edits: a repeated one changes nothing. Those without an id are not kept.
CREATE TABLE operation_messages (
    no INTEGER PRIMARY KEY NOT NULL,    -- in order of arrival
    id TEXT NOT NULL UNIQUE,            -- the sender's
    received_at TEXT NOT NULL
);
