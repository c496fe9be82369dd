//! The beginnings of paths. A path may have 4,096 bytes, but an entry of an index of PostgreSQL at most 2,704: so the index of `files` has
//! the beginnings of paths there, and a digest of those that are longer. A query that looks for a path also compares its beginning: else
//! it would read all files of the source. SQLite needs none of it, and has the whole path in its index.

use diesel::{dsl::sql, expression::SqlLiteral, sql_types::Text};

/// Signs of a path in an entry of the index; each takes at most four bytes. The index and [`path_start`] have the same number.
const START: usize = 600;

/// The beginning of the column `path`, as the index has it.
pub(super) fn path_start() -> SqlLiteral<Text> {
    sql("substr(files.path, 1, 600)")
}

/// The beginning of a path.
pub(super) fn start_of(path: &str) -> &str {
    path.char_indices().nth(START).map_or(path, |(end, _)| &path[..end])
}
