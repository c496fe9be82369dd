-- What happened, for those who follow it; the last 10,000 are kept. A number is never given twice, so that who comes back
-- with the last one it saw is told whether something was missed.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('applied', 'source', 'edit')),
    data TEXT NOT NULL                  -- JSON
);

-- How many rows `products` and `aggr` have: one row, moved in the transaction that moves them. Counting five million rows
-- for every look at a page would read the whole table each time.
CREATE TABLE tally (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    products BIGINT NOT NULL CHECK (products >= 0),
    names BIGINT NOT NULL CHECK (names >= 0)
);

INSERT INTO tally (id, products, names)
VALUES (1, (SELECT count(*) FROM products), (SELECT count(*) FROM aggr));
