//! Own columns in PostgreSQL's SQL. The functions `number_in` and `time_text` come with the schema.

/// The text in the JSON object `own`; null if it has none of this name.
pub(crate) fn text_in(own: &str, column: &str) -> String {
    format!("{own}::jsonb ->> '{column}'")
}

/// The number that a text is; null unless it is one as JSON writes them.
pub(crate) fn number_of(text: &str) -> String {
    format!("number_in({text})")
}

/// The SQL before and behind a place whose text is compared as a number.
pub(crate) const AS_NUMBER: (&str, &str) = ("number_in(", ")");

/// The least of all numbers.
pub(crate) const LEAST_NUMBER: &str = "'-Infinity'::double precision";

/// A time in seconds since 1970 as RFC 3339.
pub(crate) fn time_text(seconds: &str) -> String {
    format!("time_text({seconds})")
}

/// The JSON object `own` without a column; null if nothing is left. Its text is written anew, as `write_own` writes it.
pub(crate) fn without_column(column: &str) -> String {
    format!(
        "(SELECT '{{' || string_agg(to_json(key)::text || ':' || value::text, ',' ORDER BY place) || '}}' \
         FROM json_each(own::json) WITH ORDINALITY AS entry (key, value, place) WHERE key <> '{column}')"
    )
}
