//! SQL functions under SQLite's names for them.

diesel::define_sql_function! {
    /// The position of the second text in the first, counted from 1; 0 if it does not occur. Compares bytes, as every query of
    /// the store does.
    fn instr(text: diesel::sql_types::Text, part: diesel::sql_types::Text) -> diesel::sql_types::BigInt;
}
