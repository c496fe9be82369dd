//! Figures of a report's table for its chart: the total of a metric, how many rows match, and lines over a column of periods. They
//! are doubles, good to 15 digits; the exact values are in the rows.

use super::{
    table::{ReportTable, comma_separated},
    table_rows::condition,
};
use crate::{
    Error, MAX_PAGE_BYTES, ReportValue, Store,
    database::{connection::Kind, dynamic_rows::each_dynamic_row},
};

/// A metric over all groups of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MetricFigures {
    /// The sum of its values.
    pub total: f64,
    /// Whether a value is below zero.
    pub has_negative: bool,
}

/// A line over a column of periods.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportLine {
    /// The texts of the other groups.
    pub group: Vec<String>,
    /// A period and its value, in order of the periods.
    pub points: Vec<(String, f64)>,
}

/// The lines to read.
#[derive(Debug, Clone, Copy)]
pub struct LineQuery<'a> {
    /// The column of periods, one of the key.
    pub period: &'a str,
    /// The first period.
    pub from: &'a str,
    /// The metric.
    pub metric: &'a str,
    /// Whether its values add up: a line is as large as their sum then, else as the greatest of them.
    pub adds_up: bool,
    /// At most this many lines.
    pub limit: i64,
}

impl LineQuery<'_> {
    /// The columns of the key beside that of the periods.
    fn others(&self, table: &ReportTable) -> Vec<String> {
        table.group_by.iter().filter(|key| *key != self.period).map(|key| table.column(key)).collect()
    }
}

impl Store {
    /// Counts the rows with a group that contains `part`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn count_report_rows(&mut self, table: &ReportTable, part: &str) -> Result<i64, Error> {
        let query = format!("SELECT count(*) FROM {}{} LIMIT ? OFFSET ?", table.quoted(), condition(table, Some(part)));
        let texts = vec![part; table.group_by.len()];
        let rows = self.figures(table, query, (&texts, 1))?;
        Ok(match rows.first().and_then(|row| row.first()) {
            Some(ReportValue::Integer(count)) => *count,
            _ => 0,
        })
    }

    /// Sums up a metric over all groups.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn metric_figures(&mut self, table: &ReportTable, metric: &str) -> Result<MetricFigures, Error> {
        let column = table.column(metric);
        // An integer of more than 64 bits is a text, which compares as greater than any number.
        let query = format!(
            "SELECT {}, min(CAST({column} AS DOUBLE PRECISION)) FROM {} LIMIT ? OFFSET ?",
            total(self.connection.kind(), &column),
            table.quoted()
        );
        let rows = self.figures(table, query, (&[], 1))?;
        let [total, least] =
            [0, 1].map(|place| rows.first().and_then(|row| row.get(place)?.approximate()).unwrap_or_default());
        Ok(MetricFigures { total, has_negative: least < 0.0 })
    }

    /// The last periods of a column of the key, at most `limit` of them, in order.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn last_periods(&mut self, table: &ReportTable, column: &str, limit: i64) -> Result<Vec<String>, Error> {
        let column = table.column(column);
        let query = format!("SELECT DISTINCT {column} FROM {} ORDER BY {column} DESC LIMIT ? OFFSET ?", table.quoted());
        let rows = self.figures(table, query, (&[], limit))?;
        Ok(rows.into_iter().rev().filter_map(|row| Some(row.into_iter().next()?.into_text())).collect())
    }

    /// The lines of a metric, those of the largest groups.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn report_lines(&mut self, table: &ReportTable, query: LineQuery<'_>) -> Result<Vec<ReportLine>, Error> {
        let (period, value) = (table.column(query.period), table.column(query.metric));
        let others = query.others(table);
        let groups = self.line_groups(table, query, &others)?;
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let is_group = others.iter().map(|key| format!(" AND {key} = ?")).collect::<String>();
        let any = vec![format!("(TRUE{is_group})"); groups.len()].join(" OR ");
        let columns = comma_separated([period.clone(), value].into_iter().chain(others));
        let from = table.quoted();
        let sql =
            format!("SELECT {columns} FROM {from} WHERE {period} >= ? AND ({any}) ORDER BY {period} LIMIT ? OFFSET ?");
        let texts: Vec<&str> = std::iter::once(query.from).chain(groups.iter().flatten().map(String::as_str)).collect();
        let line = |group: &Vec<String>| ReportLine { group: group.clone(), points: Vec::new() };
        let mut lines: Vec<_> = groups.iter().map(line).collect();
        // A row has the texts of its group, which may be long, so rows are not held.
        self.each_figure(table, sql, (&texts, -1), |row| {
            let mut row = row.into_iter();
            let (Some(period), Some(value)) = (row.next(), row.next()) else { return true };
            let group: Vec<String> = row.map(ReportValue::into_text).collect();
            let line = lines.iter_mut().find(|line| line.group == group);
            if let (Some(line), Some(value)) = (line, value.approximate()) {
                line.points.push((period.into_text(), value));
            }
            true
        })?;
        Ok(lines)
    }

    /// The groups of the other columns that have a line.
    fn line_groups(
        &mut self,
        table: &ReportTable,
        query: LineQuery<'_>,
        others: &[String],
    ) -> Result<Vec<Vec<String>>, Error> {
        if others.is_empty() {
            return Ok(vec![Vec::new()]);
        }
        let (period, value) = (table.column(query.period), table.column(query.metric));
        let size = match query.adds_up {
            true => total(self.connection.kind(), &value),
            false => format!("max(CAST({value} AS DOUBLE PRECISION))"),
        };
        let (others, from) = (others.join(", "), table.quoted());
        let sql = format!(
            "SELECT {others} FROM {from} WHERE {period} >= ? GROUP BY {others} ORDER BY {size} IS NULL, {size} DESC, {others} LIMIT ? OFFSET ?"
        );
        let rows = self.figures(table, sql, (&[query.from], query.limit))?;
        Ok(rows.into_iter().map(|row| row.into_iter().map(ReportValue::into_text).collect()).collect())
    }

    /// Reads rows; fewer if their texts take more than [`MAX_PAGE_BYTES`].
    fn figures(
        &mut self,
        table: &ReportTable,
        query: String,
        texts: (&[&str], i64),
    ) -> Result<Vec<Vec<ReportValue>>, Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        self.each_figure(table, query, texts, |row| {
            bytes += row.iter().map(text_bytes).sum::<usize>();
            rows.push(row);
            bytes < MAX_PAGE_BYTES
        })?;
        Ok(rows)
    }

    fn each_figure(
        &mut self,
        table: &ReportTable,
        query: String,
        (texts, limit): (&[&str], i64),
        mut take: impl FnMut(Vec<ReportValue>) -> bool,
    ) -> Result<(), Error> {
        let action = || format!("read the figures of the report {:?}", table.name);
        each_dynamic_row(&mut self.connection, query, (texts, limit, 0), action, |row| Ok(take(row)))
    }
}

/// The sum of a column as a double; 0 of none.
fn total(kind: Kind, column: &str) -> String {
    match kind {
        // Its `sum` fails if integers get too large.
        Kind::Sqlite => format!("total({column})"),
        Kind::Postgres => format!("CAST(coalesce(sum({column}), 0) AS DOUBLE PRECISION)"),
    }
}

fn text_bytes(value: &ReportValue) -> usize {
    match value {
        ReportValue::Text(text) | ReportValue::Decimal(text) => text.len(),
        ReportValue::Null | ReportValue::Integer(_) | ReportValue::Real(_) => 0,
    }
}
