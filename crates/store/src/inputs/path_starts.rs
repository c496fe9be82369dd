//! The beginnings of paths. A path may have 4,096 bytes, but an entry of an index of PostgreSQL at most 2,704: so the index of `files` has
//! the beginnings of paths there, and a digest of those that are longer. A query that looks for a path also compares its beginning: else
//! it would read all files of the source. SQLite needs none of it, and has the whole path in its index.

use diesel::{
    dsl::{And, Eq, sql},
    expression::SqlLiteral,
    prelude::*,
    sql_types::Text,
};

use crate::database::schema::files;

/// Signs of a path in an entry of the index; each takes at most four bytes. The index has the same number.
const START: usize = 600;

/// The beginning of the column `path`, as the index has it.
pub(super) fn path_start() -> SqlLiteral<Text> {
    sql(&format!("substr(files.path, 1, {START})"))
}

/// The beginning of a path.
pub(super) fn start_of(path: &str) -> &str {
    path.char_indices().nth(START).map_or(path, |(end, _)| &path[..end])
}

/// Finds a path by the index.
pub(super) fn path_is(path: &str) -> And<Eq<SqlLiteral<Text>, &str>, Eq<files::path, &str>> {
    path_start().eq(start_of(path)).and(files::path.eq(path))
}
