//! The tables `report_<name>`: the totals, one row per group. Their columns follow the configuration, so their SQL is put together
//! here: every name is quoted, every value bound. `table_rows` reads them.
//!
//! A table holds numbers, so that SQL can compare them. Decimals with more digits than a double has are in it as the nearest
//! double, and with all digits in `exact_<name>`, which exists only while there are such decimals. PostgreSQL's NUMERIC has all digits, and
//! needs no such table.

use diesel::connection::SimpleConnection;

use crate::{
    Error, GroupRow, ReportValue, Store,
    database::{
        connection::Kind,
        dynamic_rows::insert_rows,
        error::OrCannot,
        tables::{TableColumn, table_columns, tables_with_prefix},
    },
    postgres,
};

/// The beginning of each table's name.
const TABLE_PREFIX: &str = "report_";
/// The beginning of the names of the tables with exact decimals.
const EXACT_PREFIX: &str = "exact_";
/// Values in one statement: fewer need more calls, more gain nothing. SQLite allows 32,766.
const VALUES_PER_STATEMENT: usize = 1_024;

/// The table of a report. A column may have any name without a NUL byte. No two names may be equal, ignoring ASCII case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportTable {
    /// The report's name.
    pub name: String,
    /// The columns of its key, in order; without any the table has a single row.
    pub group_by: Vec<String>,
    /// The other columns, in order; at least one.
    pub metrics: Vec<String>,
}

impl ReportTable {
    /// The table's name, quoted.
    pub(crate) fn quoted(&self) -> String {
        quoted_table(&self.name)
    }

    /// The name of the table with its exact decimals.
    pub(crate) fn exact_name(&self) -> String {
        format!("{EXACT_PREFIX}{}", self.name)
    }

    /// The names of all columns, those of the key first.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.group_by.iter().chain(&self.metrics).map(String::as_str)
    }

    /// A column with its table: SQLite takes a quoted name without a table for a text if there is no such column.
    pub(crate) fn column(&self, name: &str) -> String {
        format!("{}.{}", self.quoted(), quoted(name))
    }

    /// The statement that creates `table` with these columns; `of_metrics` follows the name of each metric.
    fn create_statement(&self, table: &str, kind: Kind, of_metrics: &str) -> String {
        let (of_keys, of_metrics) = match kind {
            Kind::Sqlite => (" TEXT NOT NULL", of_metrics),
            Kind::Postgres => postgres::REPORT_TYPES,
        };
        let keys = self.group_by.iter().map(|column| quoted(column) + of_keys);
        let metrics = self.metrics.iter().map(|column| quoted(column) + of_metrics);
        let columns = comma_separated(keys.chain(metrics));
        if self.group_by.is_empty() {
            return format!("CREATE TABLE {table} ({columns})");
        }
        if kind == Kind::Postgres {
            return format!("CREATE TABLE {table} ({columns}); {}", postgres::create_index(self));
        }
        let key = comma_separated(self.group_by.iter().map(|column| quoted(column)));
        format!("CREATE TABLE {table} ({columns}, PRIMARY KEY ({key})) WITHOUT ROWID")
    }
}

impl Store {
    /// Replaces all rows of a report's table, and returns their number. See [`Store::report_writer`].
    ///
    /// # Errors
    /// As [`ReportWriter::push`].
    pub fn write_report(
        &mut self,
        table: &ReportTable,
        rows: impl IntoIterator<Item = GroupRow>,
    ) -> Result<i64, Error> {
        let mut writer = self.report_writer(table)?;
        rows.into_iter().try_for_each(|row| writer.push(row))?;
        writer.finish()
    }

    /// Deletes all rows of a report's table, for others to be pushed. Creates the table if it does not exist or has other columns.
    /// Rows in order of their groups (bytes) are written fastest. Call it in a transaction.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_writer<'a>(&'a mut self, table: &'a ReportTable) -> Result<ReportWriter<'a>, Error> {
        self.make_report_table(table)?;
        let width = table.group_by.len() + table.metrics.len();
        let batch = Vec::with_capacity((VALUES_PER_STATEMENT / width.max(1)).max(1));
        Ok(ReportWriter { store: self, table, batch, written: 0 })
    }

    /// Inserts rows, of which there is at least one, into the table of a report or the one of its exact decimals.
    fn insert_rows(&mut self, table: &ReportTable, into: &str, rows: &[GroupRow]) -> Result<(), Error> {
        let columns = comma_separated(table.columns().map(quoted));
        let first = rows.first().map(|row| &row.group);
        let action = || {
            format!(
                "write {:?} or a group after it to the report {:?}",
                first.into_iter().flatten().collect::<Vec<_>>(),
                table.name
            )
        };
        insert_rows(&mut self.connection, into, &columns, rows).or_cannot(action).map(drop)
    }

    /// Whether a report has a table of exact decimals.
    pub(crate) fn has_exact(&mut self, table: &ReportTable) -> Result<bool, Error> {
        if self.connection.kind() == Kind::Postgres {
            return Ok(false);
        }
        let columns = table_columns(&mut self.connection, &table.exact_name());
        Ok(!columns.or_cannot(|| format!("look for the exact decimals of the report {:?}", table.name))?.is_empty())
    }

    /// The columns of a report's table as stored; `None` if there is no such table.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn stored_report(&mut self, name: &str) -> Result<Option<ReportTable>, Error> {
        let columns = table_columns(&mut self.connection, &format!("{TABLE_PREFIX}{name}"))
            .or_cannot(|| format!("read the columns of the report {name:?}"))?;
        if columns.is_empty() {
            return Ok(None);
        }
        let (mut keys, metrics): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| column.pk > 0);
        keys.sort_by_key(|column| column.pk);
        let names = |columns: Vec<TableColumn>| columns.into_iter().map(|column| column.name).collect();
        Ok(Some(ReportTable { name: name.to_owned(), group_by: names(keys), metrics: names(metrics) }))
    }

    /// The names of the reports that have a table.
    pub(crate) fn report_tables(&mut self) -> Result<Vec<String>, Error> {
        let tables = tables_with_prefix(&mut self.connection, TABLE_PREFIX)
            .or_cannot(|| "read the names of the reports' tables")?;
        Ok(tables.into_iter().map(|table| table[TABLE_PREFIX.len()..].to_owned()).collect())
    }

    pub(crate) fn drop_report_table(&mut self, name: &str) -> Result<(), Error> {
        let (table, exact) = (quoted_table(name), quoted(&format!("{EXACT_PREFIX}{name}")));
        self.connection
            .batch_execute(&format!("DROP TABLE IF EXISTS {table}; DROP TABLE IF EXISTS {exact}"))
            .or_cannot(|| format!("drop the table of the report {name:?}"))
    }

    /// Leaves an empty table with these columns.
    fn make_report_table(&mut self, table: &ReportTable) -> Result<(), Error> {
        let action = || format!("create the table of the report {:?}", table.name);
        if self.stored_report(&table.name)?.as_ref() == Some(table) {
            let exact = quoted(&table.exact_name());
            let clear = format!("DELETE FROM {}; DROP TABLE IF EXISTS {exact}", table.quoted());
            return self.connection.batch_execute(&clear).or_cannot(action);
        }
        self.drop_report_table(&table.name)?;
        let create = table.create_statement(&table.quoted(), self.connection.kind(), "");
        self.connection.batch_execute(&create).or_cannot(action)
    }
}

/// Writes the rows of a report's table, some at a time.
pub struct ReportWriter<'a> {
    store: &'a mut Store,
    table: &'a ReportTable,
    batch: Vec<GroupRow>,
    written: i64,
}

impl ReportWriter<'_> {
    /// Writes a row, now or with later ones.
    ///
    /// # Errors
    /// [`Error::Query`], for instance when a group occurs twice, or a row has fewer or more values than the table has columns.
    pub fn push(&mut self, row: GroupRow) -> Result<(), Error> {
        self.batch.push(row);
        if self.batch.len() < self.batch.capacity() { Ok(()) } else { self.write() }
    }

    /// Writes the last rows, and returns the number of all.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self) -> Result<i64, Error> {
        if !self.batch.is_empty() {
            self.write()?;
        }
        Ok(self.written)
    }

    fn write(&mut self) -> Result<(), Error> {
        let Self { store, table, batch, written } = self;
        *written += batch.len() as i64;
        if store.connection.kind() == Kind::Postgres {
            store.insert_rows(table, &table.quoted(), batch)?;
            batch.clear();
            return Ok(());
        }
        let exact: Vec<GroupRow> = batch.iter_mut().filter_map(GroupRow::take_exact).collect();
        store.insert_rows(table, &table.quoted(), batch)?;
        batch.clear();
        if exact.is_empty() {
            return Ok(());
        }
        let name = quoted(&table.exact_name());
        if !store.has_exact(table)? {
            let create = table.create_statement(&name, Kind::Sqlite, " TEXT");
            store.connection.batch_execute(&create).or_cannot(|| format!("create the table {name}"))?;
        }
        store.insert_rows(table, &name, &exact)
    }
}

impl GroupRow {
    /// Puts the nearest double in the place of each decimal that no double tells exactly, and returns the row with those decimals
    /// alone.
    fn take_exact(&mut self) -> Option<GroupRow> {
        let is_decimal = |value: &ReportValue| matches!(value, ReportValue::Decimal(_));
        if !self.values.iter().any(is_decimal) {
            return None;
        }
        let take = |value: &mut ReportValue| match std::mem::replace(value, ReportValue::Null) {
            ReportValue::Decimal(digits) => {
                *value = digits.parse().map_or(ReportValue::Null, ReportValue::Real);
                ReportValue::Text(digits)
            }
            other => {
                *value = other;
                ReportValue::Null
            }
        };
        Some(GroupRow { group: self.group.clone(), values: self.values.iter_mut().map(take).collect() })
    }
}

fn quoted_table(name: &str) -> String {
    quoted(&format!("{TABLE_PREFIX}{name}"))
}

/// A name in SQL's quotes, which allow any name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn comma_separated(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
