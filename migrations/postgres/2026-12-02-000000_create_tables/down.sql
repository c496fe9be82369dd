DROP VIEW catalog;
DROP FUNCTION time_text(BIGINT);
DROP FUNCTION number_in(TEXT);
DROP FUNCTION instr(TEXT, TEXT);
DROP TABLE active_master, history, product_changes, exports, published_events, events, queues, operation_messages, messages, documents,
    held_versions, failed_reports, reports, partials, rejects, catalog_settings, tally, aggr, edits, shadowed, products, pages, files,
    sources;
