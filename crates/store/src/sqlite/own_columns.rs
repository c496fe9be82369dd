//! Own columns in SQLite's SQL: the text of one in a JSON object, and the number that a text is.

/// The text in the JSON object `own`; null if it has none of this name.
pub(crate) fn text_in(own: &str, column: &str) -> String {
    format!("json_extract({own}, '$.{column}')")
}

/// The number that a text is; null unless it is one as JSON writes them. A text such as `00123` is none.
pub(crate) fn number_of(text: &str) -> String {
    format!(
        "CASE WHEN json_valid({text}) THEN CASE WHEN json_type({text}) IN ('integer', 'real') THEN CAST({text} AS REAL) END END"
    )
}

/// The SQL before and behind a place whose text is compared as a number. Without the `+` the cast has an affinity, the indexed
/// expression has none, and SQLite scans the whole index.
pub(crate) const AS_NUMBER: (&str, &str) = ("+CAST(", " AS REAL)");

/// The least of all numbers.
pub(crate) const LEAST_NUMBER: &str = "-1e999";

/// A time in seconds since 1970 as RFC 3339.
pub(crate) fn time_text(seconds: &str) -> String {
    format!("strftime('%Y-%m-%dT%H:%M:%SZ', {seconds}, 'unixepoch')")
}

/// The JSON object `own` without a column; null if nothing is left.
pub(crate) fn without_column(column: &str) -> String {
    format!("nullif(json_remove(own, '$.{column}'), '{{}}')")
}
