//! Many rows per statement. diesel prepares its own insert of many rows again each time, and its insert of a single row collects
//! the values again for each row. A statement for a fixed number of rows is prepared once, and its cost is shared. 467,314 inserts
//! into `products` took 0.37 s this way, 0.64 s with diesel's insert of a row, and 0.43 s with a prepared statement for one row
//! through SQLite's C interface.

use std::marker::PhantomData;

use diesel::{
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Binary, Bool, Nullable, Text},
    sqlite::Sqlite,
};

use crate::{
    Error,
    database::bulk::{Bulk, Change, Values},
    database::error::OrCannot,
};

/// Rows that are best written at a time.
pub(crate) const ROWS_AT_A_TIME: usize = 4_096;
/// Rows in a full statement; more gain nothing. A row has few values, and SQLite allows 32,766 per statement.
const ROWS_PER_STATEMENT: usize = 256;
/// Rows in a smaller statement, for the rest.
const ROWS_PER_SMALL_STATEMENT: usize = 16;

/// Writes all rows, and returns how many were written. `describe` describes the writing of some rows, for errors.
pub(crate) fn write_bulk<B: Bulk>(
    connection: &mut SqliteConnection,
    rows: &[B],
    describe: impl Fn(&[B]) -> String,
) -> Result<usize, Error> {
    let (full, rest) = rows.as_chunks::<ROWS_PER_STATEMENT>();
    let (small, rest) = rest.as_chunks::<ROWS_PER_SMALL_STATEMENT>();
    let written = run_each(connection, full, &describe)? + run_each(connection, small, &describe)?;
    Ok(written + run_each(connection, rest.as_chunks::<1>().0, &describe)?)
}

fn run_each<B: Bulk, const N: usize>(
    connection: &mut SqliteConnection,
    statements: &[[B; N]],
    describe: impl Fn(&[B]) -> String,
) -> Result<usize, Error> {
    let mut written = 0;
    for rows in statements {
        written += BulkStatement(rows).execute(connection).or_cannot(|| describe(rows))?;
    }
    Ok(written)
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
        let (after, is_insert) = match B::CHANGE {
            Change::Insert { table, columns, on_conflict, scattered } => {
                out.push_sql(if scattered { "INSERT OR FAIL INTO " } else { "INSERT INTO " });
                out.push_sql(table);
                push_list(&mut out, " (", columns);
                out.push_sql(") VALUES ");
                (on_conflict, true)
            }
            Change::Delete { table, key } => {
                out.push_sql("DELETE FROM ");
                out.push_sql(table);
                push_list(&mut out, " WHERE (", key);
                out.push_sql(") IN (VALUES ");
                (")", false)
            }
        };
        // The shared values stand in the first row, and the others refer to them by their numbers.
        let mut first = Row { out: out.reborrow(), pushed: 0 };
        self.0[0].push(&mut first)?;
        let own = first.pushed;
        self.0[0].push_shared(&mut first)?;
        let all = first.pushed;
        out.push_sql(")");
        for row in &self.0[1..] {
            out.push_sql(",");
            row.push(&mut Row { out: out.reborrow(), pushed: 0 })?;
            (own + 1..=all).for_each(|number| push_number(&mut out, number));
            out.push_sql(")");
        }
        if !after.is_empty() && is_insert {
            out.push_sql(" ");
        }
        out.push_sql(after);
        Ok(())
    }
}

impl<B, const N: usize> RunQueryDsl<SqliteConnection> for BulkStatement<'_, B, N> {}

fn push_list(out: &mut AstPass<'_, '_, Sqlite>, before: &str, names: &[&str]) {
    for (place, name) in names.iter().enumerate() {
        out.push_sql(if place == 0 { before } else { ", " });
        out.push_sql(name);
    }
}

/// The place of a value that was bound before.
fn push_number(out: &mut AstPass<'_, '_, Sqlite>, number: usize) {
    const NUMBERS: [&str; 8] = [",?1", ",?2", ",?3", ",?4", ",?5", ",?6", ",?7", ",?8"];
    match NUMBERS.get(number - 1) {
        Some(sql) => out.push_sql(sql),
        None => out.push_sql(&format!(",?{number}")),
    }
}

/// The values of a row, while the statement is put together.
struct Row<'a, 'b> {
    out: AstPass<'a, 'b, Sqlite>,
    pushed: usize,
}

impl Row<'_, '_> {
    fn next(&mut self) {
        self.out.push_sql(if self.pushed == 0 { "(" } else { "," });
        self.pushed += 1;
    }
}

impl<'b> Values<'b> for Row<'_, 'b> {
    fn text(&mut self, text: &'b str) -> QueryResult<()> {
        self.next();
        self.out.push_bind_param::<Text, _>(text)
    }

    fn optional_text(&mut self, text: Option<&'b str>) -> QueryResult<()> {
        self.next();
        match text {
            Some(text) => self.out.push_bind_param::<Text, _>(text),
            None => self.out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
        }
    }

    fn number(&mut self, number: &'b i64) -> QueryResult<()> {
        self.next();
        self.out.push_bind_param::<BigInt, _>(number)
    }

    fn optional_number(&mut self, number: &'b Option<i64>) -> QueryResult<()> {
        self.next();
        self.out.push_bind_param::<Nullable<BigInt>, _>(number)
    }

    fn flag(&mut self, flag: &'b bool) -> QueryResult<()> {
        self.next();
        self.out.push_bind_param::<Bool, _>(flag)
    }

    fn bytes(&mut self, bytes: &'b [u8]) -> QueryResult<()> {
        self.next();
        self.out.push_bind_param::<Binary, _>(bytes)
    }
}
