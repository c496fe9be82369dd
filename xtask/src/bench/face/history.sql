-- A year of history of the master and of each source, as if it had been counted all the time. Nobody can be asked to wait for it.
WITH RECURSIVE
    names(source) AS (SELECT '' UNION ALL SELECT name FROM sources),
    steps(step, kept) AS (VALUES (60, 7200), (900, 2 * 86400), (7200, 15 * 86400), (86400, 366 * 86400)),
    spans(step, at, first) AS (
        SELECT step, unixepoch() - unixepoch() % step, unixepoch() - kept FROM steps
        UNION ALL
        SELECT step, at - step, first FROM spans WHERE at - step > first
    )
INSERT OR REPLACE INTO history (
    source, step, at, products, versions, added, updated, removed, rejected, edits, apply_seconds, max_apply_seconds,
    polls, failed_polls, poll_seconds, max_poll_seconds, requests, request_seconds, max_request_seconds
)
SELECT
    source, step, at,
    CASE source WHEN '' THEN (SELECT products FROM tally) - (unixepoch() - at) / 600 END,
    1 + abs(random()) % 5, abs(random()) % 50, abs(random()) % 500, abs(random()) % 20, abs(random()) % 9, abs(random()) % 30,
    0.1 * (1 + abs(random()) % 20), 0.5, step, abs(random()) % 3, 0.01 * step, 0.5, abs(random()) % 1000, 0.5, 0.05
FROM names CROSS JOIN spans;
