//! Many rows per statement: each column is bound as one array, so that a statement has as many values as columns, however many rows there
//! are, and is prepared once. PostgreSQL takes at most 65,535 values per statement.

use std::marker::PhantomData;

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Binary, Bool, Nullable, Text},
};

use super::copy::copy_rows;
use crate::{
    Error,
    database::{
        bulk::{Bulk, Change, Values},
        error::OrCannot,
    },
};

/// Rows that are best written at a time: each `COPY` costs the server a millisecond, besides its rows.
pub(crate) const ROWS_AT_A_TIME: usize = 16_384;
/// Rows in a statement. Its values are held twice in memory, and more gain nothing.
const ROWS_PER_STATEMENT: usize = 8_192;

/// Writes all rows, and returns how many were written. `describe` describes the writing of some rows, for errors.
pub(crate) fn write_bulk<B: Bulk>(
    connection: &mut PgConnection,
    rows: &[B],
    describe: impl Fn(&[B]) -> String,
) -> Result<usize, Error> {
    let mut written = 0;
    if let Some(copied) = copy_rows(connection, rows) {
        return copied.or_cannot(|| describe(rows));
    }
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        let write = || -> QueryResult<usize> {
            let statement = BulkStatement::<B> { columns: Columns::of(rows)?, kind: PhantomData };
            statement.execute(connection)
        };
        written += { write }().or_cannot(|| describe(rows))?;
    }
    Ok(written)
}

/// The first value of a column without rows.
const NO_BYTES: &[u8] = &[];

/// The values of a column.
pub(super) enum Column<'a> {
    Texts(Vec<Option<&'a str>>),
    Numbers(Vec<Option<i64>>),
    Flags(Vec<bool>),
    Bytes(Vec<&'a [u8]>),
}

impl Column<'_> {
    fn sql_type(&self) -> &'static str {
        match self {
            Self::Texts(_) => "text",
            Self::Numbers(_) => "bigint",
            Self::Flags(_) => "boolean",
            Self::Bytes(_) => "bytea",
        }
    }

    /// Pushes all of its values as an array.
    pub(super) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Texts(values) => out.push_bind_param::<Array<Nullable<Text>>, _>(values),
            Self::Numbers(values) => out.push_bind_param::<Array<Nullable<BigInt>>, _>(values),
            Self::Flags(values) => out.push_bind_param::<Array<Bool>, _>(values),
            Self::Bytes(values) => out.push_bind_param::<Array<Binary>, _>(values),
        }
    }

    /// Pushes its first value.
    fn push_first<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Texts(values) => out.push_bind_param::<Nullable<Text>, _>(values.first().unwrap_or(&None)),
            Self::Numbers(values) => out.push_bind_param::<Nullable<BigInt>, _>(values.first().unwrap_or(&None)),
            Self::Flags(values) => out.push_bind_param::<Bool, _>(values.first().unwrap_or(&false)),
            Self::Bytes(values) => out.push_bind_param::<Binary, _>(values.first().unwrap_or(&NO_BYTES)),
        }
    }
}

/// Rows, column by column.
struct Columns<'a> {
    own: Vec<Column<'a>>,
    /// Each with a single value.
    shared: Vec<Column<'a>>,
}

impl<'a> Columns<'a> {
    fn of<B: Bulk>(rows: &'a [B]) -> QueryResult<Self> {
        let mut own = Collector { columns: Vec::new(), place: 0, rows: rows.len() };
        for row in rows {
            own.place = 0;
            row.push(&mut own)?;
        }
        let mut shared = Collector { columns: Vec::new(), place: 0, rows: 1 };
        if let Some(row) = rows.first() {
            row.push_shared(&mut shared)?;
        }
        Ok(Self { own: own.columns, shared: shared.columns })
    }
}

/// Sorts the values of rows into columns.
struct Collector<'a> {
    columns: Vec<Column<'a>>,
    /// The place of the next value in its row.
    place: usize,
    /// The number of rows to come.
    rows: usize,
}

/// Adds a value to the column at the next place, which the first row makes.
macro_rules! collect {
    ($self:ident, $kind:ident, $value:expr) => {{
        if $self.place == $self.columns.len() {
            $self.columns.push(Column::$kind(Vec::with_capacity($self.rows)));
        }
        let column = $self.columns.get_mut($self.place);
        $self.place += 1;
        match column {
            Some(Column::$kind(values)) => values.push($value),
            _ => return Err(diesel::result::Error::QueryBuilderError("a column has values of two types".into())),
        }
        Ok(())
    }};
}

impl<'b> Values<'b> for Collector<'b> {
    fn text(&mut self, text: &'b str) -> QueryResult<()> {
        collect!(self, Texts, Some(text))
    }

    fn optional_text(&mut self, text: Option<&'b str>) -> QueryResult<()> {
        collect!(self, Texts, text)
    }

    fn number(&mut self, number: &'b i64) -> QueryResult<()> {
        collect!(self, Numbers, Some(*number))
    }

    fn optional_number(&mut self, number: &'b Option<i64>) -> QueryResult<()> {
        collect!(self, Numbers, *number)
    }

    fn flag(&mut self, flag: &'b bool) -> QueryResult<()> {
        collect!(self, Flags, *flag)
    }

    fn bytes(&mut self, bytes: &'b [u8]) -> QueryResult<()> {
        collect!(self, Bytes, bytes)
    }
}

/// A statement for some rows; its text is the same for any number of them.
struct BulkStatement<'a, B> {
    columns: Columns<'a>,
    kind: PhantomData<B>,
}

/// Identifies the SQL text of a [`BulkStatement`], so that diesel finds it prepared.
struct StatementId<K>(PhantomData<K>);

impl<B: Bulk> QueryId for BulkStatement<'_, B> {
    type QueryId = StatementId<B::Kind>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<B: Bulk> QueryFragment<Pg> for BulkStatement<'_, B> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Columns { own, shared } = &self.columns;
        match B::CHANGE {
            Change::Insert { table, columns, on_conflict, .. } => {
                out.push_sql(&format!("INSERT INTO {table} ({}) SELECT row.*", columns.join(", ")));
                for column in shared {
                    out.push_sql(", ");
                    column.push_first(&mut out)?;
                    out.push_sql(&format!("::{}", column.sql_type()));
                }
                push_rows(&mut out, own)?;
                out.push_sql(" AS row ");
                out.push_sql(on_conflict);
            }
            Change::Delete { table, key } => {
                out.push_sql(&format!("DELETE FROM {table} WHERE ({}) IN (SELECT row.*", key.join(", ")));
                push_rows(&mut out, own)?;
                out.push_sql(" AS row)");
            }
        }
        Ok(())
    }
}

/// Pushes ` FROM unnest(…)`, whose rows are those of the columns.
pub(super) fn push_rows<'b>(out: &mut AstPass<'_, 'b, Pg>, columns: &'b [Column<'b>]) -> QueryResult<()> {
    for (place, column) in columns.iter().enumerate() {
        out.push_sql(if place == 0 { " FROM unnest(" } else { ", " });
        column.push(out)?;
        out.push_sql(&format!("::{}[]", column.sql_type()));
    }
    out.push_sql(")");
    Ok(())
}

impl<B> RunQueryDsl<PgConnection> for BulkStatement<'_, B> {}
