//! Many rows per statement. diesel prepares its own insert of many rows again each time, and its insert of a single row collects
//! the values again for each row. A statement for a fixed number of rows is prepared once, and its cost is shared. 467,314 inserts
//! into `products` took 0.37 s this way, 0.64 s with diesel's insert of a row, and 0.43 s with a prepared statement for one row
//! through SQLite's C interface.

use std::marker::PhantomData;

use diesel::{
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Nullable, Text},
    sqlite::Sqlite,
};

use crate::{Error, Store, database::error::OrCannot};

/// Rows in a full statement; more gain nothing. A row has few values, and SQLite allows 32,766 per statement.
const ROWS_PER_STATEMENT: usize = 256;
/// Rows in a smaller statement, for the rest.
const ROWS_PER_SMALL_STATEMENT: usize = 16;

/// The values of a statement, while it is put together.
pub(crate) type ValueList<'a, 'b> = AstPass<'a, 'b, Sqlite>;

/// A row to insert, or the key of a row to delete, of which many are written at once.
pub(crate) trait Bulk {
    /// Distinguishes these statements from those of other types: `Self` without its lifetime.
    type Kind: 'static;
    /// The statement up to the list of rows. Inserts are `OR FAIL` where their rows lie on many pages: SQLite then copies no page to be
    /// able to undo the statement alone. Whoever gets an error rolls the transaction back.
    const BEFORE: &'static str;
    /// The end of the statement, after the list.
    const AFTER: &'static str;

    /// Pushes the values of one row, parenthesised if the statement needs it. The first row of a statement may bind values that the
    /// others refer to.
    fn push<'b>(&'b self, is_first: bool, out: &mut ValueList<'_, 'b>) -> QueryResult<()>;
}

/// Pushes a row of a text and a number.
pub(crate) fn push_pair<'b>(out: &mut ValueList<'_, 'b>, text: &'b str, number: &'b i64) -> QueryResult<()> {
    out.push_sql("(");
    out.push_bind_param::<Text, _>(text)?;
    out.push_sql(",");
    out.push_bind_param::<BigInt, _>(number)?;
    out.push_sql(")");
    Ok(())
}

/// Pushes a text or null.
pub(crate) fn push_optional_text<'b>(out: &mut ValueList<'_, 'b>, text: Option<&'b str>) -> QueryResult<()> {
    match text {
        Some(text) => out.push_bind_param::<Text, _>(text),
        None => out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
    }
}

/// A statement for `N` rows.
struct BulkStatement<'a, B, const N: usize>(&'a [B; N]);

/// Identifies the SQL text of a [`BulkStatement`], so that diesel finds it prepared.
struct StatementId<K, const N: usize>(PhantomData<K>);

impl<B: Bulk, const N: usize> QueryId for BulkStatement<'_, B, N> {
    type QueryId = StatementId<B::Kind, N>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<B: Bulk, const N: usize> QueryFragment<Sqlite> for BulkStatement<'_, B, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(B::BEFORE);
        for (place, row) in self.0.iter().enumerate() {
            if place > 0 {
                out.push_sql(",");
            }
            row.push(place == 0, &mut out)?;
        }
        out.push_sql(B::AFTER);
        Ok(())
    }
}

impl<B, const N: usize> RunQueryDsl<SqliteConnection> for BulkStatement<'_, B, N> {}

impl Store {
    /// Writes all rows, and returns how many the database says it wrote. `action` describes the writing of one row, for errors.
    pub(crate) fn bulk<B: Bulk>(&mut self, rows: &[B], action: impl Fn(&B) -> String) -> Result<usize, Error> {
        let (full, rest) = rows.as_chunks::<ROWS_PER_STATEMENT>();
        let (small, rest) = rest.as_chunks::<ROWS_PER_SMALL_STATEMENT>();
        let written = self.run_each(full, &action)? + self.run_each(small, &action)?;
        Ok(written + self.run_each(rest.as_chunks::<1>().0, &action)?)
    }

    fn run_each<B: Bulk, const N: usize>(
        &mut self,
        statements: &[[B; N]],
        action: impl Fn(&B) -> String,
    ) -> Result<usize, Error> {
        let mut written = 0;
        for rows in statements {
            let describe = || match N {
                1 => action(&rows[0]),
                _ => format!("{}, or one of the {} rows after it", action(&rows[0]), N - 1),
            };
            written += self.connection.run(BulkStatement(rows)).or_cannot(describe)?;
        }
        Ok(written)
    }
}
