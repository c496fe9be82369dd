//! The tables `report_<name>`: the totals, a row for each group. They are not in the schema, because their columns are what the
//! configuration says; so their statements are put together here, every name quoted and every value bound. Reading them is in
//! `report_rows`.

use diesel::{
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_query,
    sql_types::{BigInt, Double, Text},
    sqlite::Sqlite,
};

use crate::{Error, Store, connection::AnyConnection, error::Doing};

/// What the names of the tables begin with.
const PREFIX: &str = "report_";
/// Values of a statement: fewer cost more calls, more gain nothing, and SQLite takes 32,766.
const VALUES: usize = 1_024;

/// The table of a report. Its columns may be named by anything but a NUL byte; no two may be equal, small and large letters of
/// ASCII alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTable {
    /// The report's name.
    pub name: String,
    /// The columns that are its key, in order; without any the table is one row.
    pub group_by: Vec<String>,
    /// The other columns, in order; at least one.
    pub metrics: Vec<String>,
}

/// One value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportValue {
    /// There was nothing to compute it from.
    Null,
    /// An integer.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// An integer that 64 bits do not hold, as its digits.
    Text(String),
}

/// One group with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// A text for each column of [`ReportTable::group_by`].
    pub group: Vec<String>,
    /// One for each column of [`ReportTable::metrics`].
    pub values: Vec<ReportValue>,
}

impl ReportTable {
    /// The table's name, quoted.
    pub(crate) fn quoted(&self) -> String {
        quoted_table(&self.name)
    }

    /// The key, then the rest.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.group_by.iter().chain(&self.metrics).map(String::as_str)
    }

    /// A column of this table, which must be there: a bare name in quotes that is none is a text to SQLite.
    pub(crate) fn column(&self, name: &str) -> String {
        format!("{}.{}", self.quoted(), quoted(name))
    }

    fn creation(&self) -> String {
        let keys = self.group_by.iter().map(|column| format!("{} TEXT NOT NULL", quoted(column)));
        let columns = list(keys.chain(self.metrics.iter().map(|column| quoted(column))));
        let table = self.quoted();
        if self.group_by.is_empty() {
            return format!("CREATE TABLE {table} ({columns})");
        }
        let key = list(self.group_by.iter().map(|column| quoted(column)));
        format!("CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")
    }
}

impl Store {
    /// Replaces all rows of a report's table, and makes it first if it is not there or has other columns. Returns how many rows it
    /// has now. In order of their groups (bytes) they are written fastest. Belongs into a transaction.
    ///
    /// # Errors
    /// [`Error::Query`], when a group comes twice or a row has not as many values as the table has columns above all.
    pub fn write_report(
        &mut self,
        table: &ReportTable,
        rows: impl IntoIterator<Item = GroupRow>,
    ) -> Result<i64, Error> {
        self.make_report_table(table)?;
        let width = table.group_by.len() + table.metrics.len();
        let insert = format!("INSERT INTO {} ({}) VALUES ", table.quoted(), list(table.columns().map(quoted)));
        let at_once = (VALUES / width.max(1)).max(1);
        let mut rows = rows.into_iter();
        let (mut batch, mut written) = (Vec::with_capacity(at_once), 0);
        loop {
            batch.clear();
            batch.extend(rows.by_ref().take(at_once));
            let Some(first) = batch.first() else { return Ok(written) };
            let statement = Insert::new(&insert, &batch);
            let what = || format!("write {:?} or a group behind it to the report {:?}", first.group, table.name);
            self.connection.run(statement).doing(what)?;
            written += batch.len() as i64;
        }
    }

    /// The columns of a report's table as they are stored; `None` if there is no such table.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn stored_report(&mut self, name: &str) -> Result<Option<ReportTable>, Error> {
        #[derive(QueryableByName)]
        struct Column {
            #[diesel(sql_type = Text)]
            name: String,
            #[diesel(sql_type = BigInt)]
            pk: i64,
        }
        let columns: Vec<Column> = sql_query("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid")
            .bind::<Text, _>(format!("{PREFIX}{name}"))
            .load(&mut self.connection)
            .doing(|| format!("read the columns of the report {name:?}"))?;
        let (mut keys, metrics): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| column.pk > 0);
        keys.sort_by_key(|column| column.pk);
        let names = |columns: Vec<Column>| columns.into_iter().map(|column| column.name).collect();
        let table = ReportTable { name: name.to_owned(), group_by: names(keys), metrics: names(metrics) };
        let is_there = table.columns().next().is_some();
        Ok(is_there.then_some(table))
    }

    /// The names of the reports that have a table.
    pub(crate) fn report_tables(&mut self) -> Result<Vec<String>, Error> {
        #[derive(QueryableByName)]
        struct Table {
            #[diesel(sql_type = Text)]
            name: String,
        }
        let tables: Vec<Table> = sql_query(
            "SELECT substr(name, 8) AS name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) = ?",
        )
        .bind::<Text, _>(PREFIX)
        .load(&mut self.connection)
        .doing(|| "read the names of the reports' tables")?;
        Ok(tables.into_iter().map(|table| table.name).collect())
    }

    pub(crate) fn drop_report_table(&mut self, name: &str) -> Result<(), Error> {
        self.define(&format!("DROP TABLE IF EXISTS {}", quoted_table(name)))
            .doing(|| format!("drop the table of the report {name:?}"))
    }

    /// The table, empty.
    fn make_report_table(&mut self, table: &ReportTable) -> Result<(), Error> {
        let action = || format!("make the table of the report {:?}", table.name);
        if self.stored_report(&table.name)?.as_ref() == Some(table) {
            return self.define(&format!("DELETE FROM {}", table.quoted())).doing(action);
        }
        self.drop_report_table(&table.name)?;
        self.define(&table.creation()).doing(action)
    }

    fn define(&mut self, statement: &str) -> QueryResult<()> {
        match &mut self.connection {
            AnyConnection::Sqlite(sqlite) => sql_query(statement).execute(sqlite).map(drop),
        }
    }
}

/// Rows in one statement. diesel finds it prepared by its text and by the types of its values, so a null is bound with the type that
/// the column has otherwise, and where a column has several, the statement is prepared for this once.
struct Insert<'a> {
    /// The statement up to the list of rows.
    before: &'a str,
    rows: &'a [GroupRow],
    /// For each metric the value whose type its nulls take.
    kinds: Vec<&'a ReportValue>,
    /// Whether all values are of those types.
    is_uniform: bool,
}

impl<'a> Insert<'a> {
    fn new(before: &'a str, rows: &'a [GroupRow]) -> Self {
        let mut kinds: Vec<&ReportValue> = Vec::new();
        let mut is_uniform = true;
        for row in rows {
            kinds.resize(kinds.len().max(row.values.len()), &ReportValue::Null);
            for (kind, value) in kinds.iter_mut().zip(&row.values) {
                match (&**kind, value) {
                    (_, ReportValue::Null) => {}
                    (ReportValue::Null, value) => *kind = value,
                    (kind, value) => is_uniform &= std::mem::discriminant(kind) == std::mem::discriminant(value),
                }
            }
        }
        Self { before, rows, kinds, is_uniform }
    }
}

impl QueryId for Insert<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if !self.is_uniform {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(self.before);
        for (place, row) in self.rows.iter().enumerate() {
            let mut between = if place == 0 { "(" } else { ",(" };
            for text in &row.group {
                out.push_sql(between);
                out.push_bind_param::<Text, _>(text)?;
                between = ",";
            }
            for (value, kind) in row.values.iter().zip(&self.kinds) {
                out.push_sql(between);
                push_value(&mut out, value, kind)?;
                between = ",";
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

fn push_value<'b>(out: &mut AstPass<'_, 'b, Sqlite>, value: &'b ReportValue, kind: &ReportValue) -> QueryResult<()> {
    use diesel::sql_types::Nullable;
    match (value, kind) {
        (ReportValue::Integer(number), _) => out.push_bind_param::<BigInt, _>(number),
        (ReportValue::Real(number), _) => out.push_bind_param::<Double, _>(number),
        (ReportValue::Text(digits), _) => out.push_bind_param::<Text, _>(digits),
        (ReportValue::Null, ReportValue::Real(_)) => out.push_bind_param::<Nullable<Double>, _>(&None::<f64>),
        (ReportValue::Null, ReportValue::Text(_)) => out.push_bind_param::<Nullable<Text>, _>(&None::<String>),
        (ReportValue::Null, _) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>),
    }
}

fn quoted_table(name: &str) -> String {
    quoted(&format!("{PREFIX}{name}"))
}

/// A name as SQL writes any name.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
