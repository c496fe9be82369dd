//! Rows of tables whose columns are only known at run time: writing many per statement, and reading them one after another.

use diesel::{
    connection::DefaultLoadingMode,
    deserialize::{self, FromSql, QueryableByName},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    row::{Field, NamedRow, Row},
    sql_query,
    sql_types::{BigInt, Double, Nullable, Text},
    sqlite::{Sqlite, SqliteType},
};

use crate::{Error, GroupRow, ReportValue, database::error::OrCannot};

/// Inserts rows, of which there is at least one.
pub(crate) fn insert_rows(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &str,
    rows: &[GroupRow],
) -> QueryResult<usize> {
    InsertRows::new(&format!("INSERT INTO {table} ({columns}) VALUES "), rows).execute(connection)
}

/// An insert of several rows. diesel finds it prepared by its text and the types of its values. So a null is bound with the type
/// of the column's other values; where a column has values of several types, the statement is prepared for this use only.
struct InsertRows<'a> {
    /// The statement up to the list of rows.
    before: &'a str,
    rows: &'a [GroupRow],
    /// Per metric, a value of the type to bind its nulls with.
    types: Vec<&'a ReportValue>,
    /// True if all values have those types.
    is_uniform: bool,
}

impl<'a> InsertRows<'a> {
    fn new(before: &'a str, rows: &'a [GroupRow]) -> Self {
        let mut types: Vec<&ReportValue> = Vec::new();
        let mut is_uniform = true;
        for row in rows {
            types.resize(types.len().max(row.values.len()), &ReportValue::Null);
            for (of_column, value) in types.iter_mut().zip(&row.values) {
                match (&**of_column, value) {
                    (_, ReportValue::Null) => {}
                    (ReportValue::Null, value) => *of_column = value,
                    (other, value) => is_uniform &= std::mem::discriminant(other) == std::mem::discriminant(value),
                }
            }
        }
        Self { before, rows, types, is_uniform }
    }
}

impl QueryId for InsertRows<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Sqlite> for InsertRows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.is_uniform {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(self.before);
        for (place, row) in self.rows.iter().enumerate() {
            let mut separator = if place == 0 { "(" } else { ",(" };
            for text in &row.group {
                out.push_sql(separator);
                out.push_bind_param::<Text, _>(text)?;
                separator = ",";
            }
            for (value, of_column) in row.values.iter().zip(&self.types) {
                out.push_sql(separator);
                push_value(&mut out, value, of_column)?;
                separator = ",";
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for InsertRows<'_> {}

fn push_value<'b>(
    out: &mut AstPass<'_, 'b, Sqlite>,
    value: &'b ReportValue,
    of_column: &ReportValue,
) -> QueryResult<()> {
    match (value, of_column) {
        (ReportValue::Integer(number), _) => out.push_bind_param::<BigInt, _>(number),
        (ReportValue::Real(number), _) => out.push_bind_param::<Double, _>(number),
        (ReportValue::Text(digits) | ReportValue::Decimal(digits), _) => out.push_bind_param::<Text, _>(digits),
        (ReportValue::Null, ReportValue::Real(_)) => out.push_bind_param::<Nullable<Double>, _>(&None::<f64>),
        (ReportValue::Null, ReportValue::Text(_)) => out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
        (ReportValue::Null, _) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>),
    }
}

/// Runs a query with a place for each of `texts` and, behind them, `LIMIT ? OFFSET ?`. Passes each row to `take` as soon as it is read,
/// until that returns false. `action` describes the query, for errors.
pub(crate) fn each_dynamic_row<E: From<Error>>(
    connection: &mut SqliteConnection,
    query: String,
    (texts, limit, offset): (&[&str], i64, i64),
    action: impl Fn() -> String,
    mut take: impl FnMut(Vec<ReportValue>) -> Result<bool, E>,
) -> Result<(), E> {
    let query = sql_query(query).into_boxed::<Sqlite>();
    let query = texts.iter().fold(query, |query, text| query.bind::<Text, _>(*text));
    let query = query.bind::<BigInt, _>(limit).bind::<BigInt, _>(offset);
    let rows = query.load_iter::<DynamicRow, DefaultLoadingMode>(connection).or_cannot(&action)?;
    for row in rows {
        if !take(row.or_cannot(&action)?.0)? {
            break;
        }
    }
    Ok(())
}

/// A row as stored.
struct DynamicRow(Vec<ReportValue>);

impl QueryableByName<Sqlite> for DynamicRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        // By position: a column may have any name, and diesel might take one name for another.
        let value = |place: usize| -> deserialize::Result<ReportValue> {
            let field = Row::get(row, place).ok_or("the row has fewer columns than it says")?;
            let Some(value) = field.value() else { return Ok(ReportValue::Null) };
            Ok(match value.value_type() {
                Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                    ReportValue::Integer(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
                }
                Some(SqliteType::Double | SqliteType::Float) => {
                    ReportValue::Real(<f64 as FromSql<Double, Sqlite>>::from_sql(value)?)
                }
                Some(_) => ReportValue::Text(<String as FromSql<Text, Sqlite>>::from_sql(value)?),
                None => ReportValue::Null,
            })
        };
        (0..row.field_count()).map(value).collect::<deserialize::Result<Vec<_>>>().map(DynamicRow)
    }
}
