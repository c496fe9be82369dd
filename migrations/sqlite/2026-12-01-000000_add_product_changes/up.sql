-- How products have changed, for people: the last 1,000,000 changes. A product that a source adds has no row here; its `first_seen`
-- tells. A version that changes more than 10,000 products has none either.
CREATE TABLE product_changes (
    id INTEGER PRIMARY KEY NOT NULL,    -- in order of time
    sku TEXT NOT NULL,
    at BIGINT NOT NULL,                 -- seconds since 1970
    source TEXT,                        -- whose version it was, as it was called then; null: an edit or the configuration
    file TEXT,                          -- path of its file with the row that counts; null: none has it any more
    entrance TEXT,                      -- how the edit came in; null: it was no edit
    author TEXT,                        -- who made the edit; null: not known
    texts TEXT NOT NULL,                -- JSON by column: [text before, text after]; null: not shown. Null: too long to be kept
    edit TEXT                           -- the same of the edit, with its flags; null: no edit, or too long
);

-- An index ends in the id by itself.
CREATE INDEX product_changes_by_sku ON product_changes (sku);
