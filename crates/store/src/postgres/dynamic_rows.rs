//! Rows of the tables of reports: writing many per statement, and reading them one after another.

use diesel::{
    data_types::PgNumeric,
    deserialize::{self, FromSql, QueryableByName},
    pg::{Pg, PgConnection, PgRowByRowLoadingMode},
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    row::{Field, NamedRow, Row},
    sql_query,
    sql_types::{Array, BigInt, Double, Nullable, Numeric, Text},
};

use super::number::{from_numeric, to_numeric};
use crate::{Error, GroupRow, ReportValue, database::error::OrCannot};

/// Inserts rows, of which there is at least one.
pub(crate) fn insert_rows(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    rows: &[GroupRow],
) -> QueryResult<usize> {
    let [first, ..] = rows else { return Ok(0) };
    let (keys, metrics) = (first.group.len(), first.values.len());
    if rows.iter().any(|row| row.group.len() != keys || row.values.len() != metrics) {
        return Err(diesel::result::Error::QueryBuilderError("the rows have different numbers of values".into()));
    }
    let texts = (0..keys).map(|key| rows.iter().map(|row| row.group[key].as_str()).collect()).collect();
    let numbers = (0..metrics).map(|metric| rows.iter().map(|row| to_numeric(&row.values[metric])).collect()).collect();
    InsertRows { before: format!("INSERT INTO {table} ({columns}) SELECT *"), texts, numbers }.execute(connection)
}

/// An insert of rows, each column of which is an array. diesel finds it prepared by its text.
struct InsertRows<'a> {
    /// The statement up to `FROM`.
    before: String,
    texts: Vec<Vec<&'a str>>,
    numbers: Vec<Vec<Option<String>>>,
}

impl QueryId for InsertRows<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for InsertRows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.before);
        let mut separator = " FROM unnest(";
        for texts in &self.texts {
            out.push_sql(separator);
            out.push_bind_param::<Array<Text>, _>(texts)?;
            separator = ", ";
        }
        for numbers in &self.numbers {
            out.push_sql(separator);
            out.push_bind_param::<Array<Nullable<Text>>, _>(numbers)?;
            out.push_sql("::numeric[]");
            separator = ", ";
        }
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for InsertRows<'_> {}

/// Runs a query with a place for each of `texts` and, behind them, `LIMIT ? OFFSET ?`. Passes each row to `take` as soon as it is read,
/// until that returns false. `action` describes the query, for errors.
pub(crate) fn each_dynamic_row<E: From<Error>>(
    connection: &mut PgConnection,
    query: &str,
    (texts, limit, offset): (&[&str], i64, i64),
    action: impl Fn() -> String,
    mut take: impl FnMut(Vec<ReportValue>) -> Result<bool, E>,
) -> Result<(), E> {
    // SQLite takes a negative limit for none.
    let limit = if limit < 0 { i64::MAX } else { limit };
    let query = sql_query(numbered(query)).into_boxed::<Pg>();
    let query = texts.iter().fold(query, |query, text| query.bind::<Text, _>(*text));
    let query = query.bind::<BigInt, _>(limit).bind::<BigInt, _>(offset);
    let rows = query.load_iter::<DynamicRow, PgRowByRowLoadingMode>(connection).or_cannot(&action)?;
    for row in rows {
        if !take(row.or_cannot(&action)?.0)? {
            break;
        }
    }
    Ok(())
}

/// A query with `$1`, `$2`… in place of each `?` that is not within a quoted name or text.
fn numbered(query: &str) -> String {
    let (mut out, mut quote, mut number) = (String::with_capacity(query.len() + 16), None, 0);
    for sign in query.chars() {
        match (sign, quote) {
            ('"' | '\'', None) => quote = Some(sign),
            (sign, Some(open)) if sign == open => quote = None,
            ('?', None) => {
                number += 1;
                out += &format!("${number}");
                continue;
            }
            _ => {}
        }
        out.push(sign);
    }
    out
}

/// A row as stored.
struct DynamicRow(Vec<ReportValue>);

/// The numbers of PostgreSQL's own types, from its `pg_type.dat`.
const INT8: u32 = 20;
const INT4: u32 = 23;
const FLOAT8: u32 = 701;
const NUMERIC: u32 = 1_700;

impl QueryableByName<Pg> for DynamicRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        // By position: a column may have any name, and diesel might take one name for another.
        let value = |place: usize| -> deserialize::Result<ReportValue> {
            let field = Row::get(row, place).ok_or("the row has fewer columns than it says")?;
            let Some(value) = field.value() else { return Ok(ReportValue::Null) };
            Ok(match value.get_oid().get() {
                NUMERIC => from_numeric(&<PgNumeric as FromSql<Numeric, Pg>>::from_sql(value)?),
                INT8 => ReportValue::Integer(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?),
                INT4 => ReportValue::Integer(<i32 as FromSql<diesel::sql_types::Integer, Pg>>::from_sql(value)?.into()),
                FLOAT8 => ReportValue::Real(<f64 as FromSql<Double, Pg>>::from_sql(value)?),
                _ => ReportValue::Text(<String as FromSql<Text, Pg>>::from_sql(value)?),
            })
        };
        (0..row.field_count()).map(value).collect::<deserialize::Result<Vec<_>>>().map(DynamicRow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_get_numbers_and_names_keep_their_signs() {
        assert_eq!(
            numbered("SELECT \"a?\"\"\" FROM t WHERE b = '?''' AND c = ? LIMIT ?"),
            "SELECT \"a?\"\"\" FROM t WHERE b = '?''' AND c = $1 LIMIT $2"
        );
    }
}
