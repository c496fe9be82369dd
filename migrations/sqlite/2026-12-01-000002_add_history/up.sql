-- What happened per stretch of time: of the master as a whole, and of each source. Every amount is counted in four steps, of a minute,
-- a quarter of an hour, two hours and a day; the finer ones are deleted sooner, so the table is bounded and coarser with age.
CREATE TABLE history (
    source TEXT NOT NULL,               -- its name; empty: the master as a whole
    step BIGINT NOT NULL,               -- seconds that the row spans
    at BIGINT NOT NULL,                 -- when it begins, seconds since 1970, a multiple of the step
    products BIGINT,                    -- products at its end; null: not looked at, or the row of a source
    versions BIGINT NOT NULL,           -- versions that changed anything
    added BIGINT NOT NULL,              -- products, here and below
    updated BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    rejected BIGINT NOT NULL,           -- rejects of the files that were read
    edits BIGINT NOT NULL,
    apply_seconds DOUBLE NOT NULL,      -- from asking for a version to its commit, in all
    max_apply_seconds DOUBLE NOT NULL,  -- the longest of them
    polls BIGINT NOT NULL,              -- passes, good and bad
    failed_polls BIGINT NOT NULL,
    poll_seconds DOUBLE NOT NULL,
    max_poll_seconds DOUBLE NOT NULL,
    requests BIGINT NOT NULL,           -- answers to GET and HEAD
    request_seconds DOUBLE NOT NULL,
    max_request_seconds DOUBLE NOT NULL,
    PRIMARY KEY (source, step, at)
) WITHOUT ROWID;
