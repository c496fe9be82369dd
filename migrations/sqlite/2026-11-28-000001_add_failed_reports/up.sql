-- The reports that could not be brought up to date with a source: one row per report and source, none while nothing fails. Like
-- every table here its name does not begin with `report_`: those names belong to the reports' own tables.
CREATE TABLE failed_reports (
    report TEXT NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    error TEXT NOT NULL,
    failed_at TEXT NOT NULL,            -- the first failure with this error; retries that fail alike keep it
    PRIMARY KEY (report, source_id)
) WITHOUT ROWID;
