//! The results of reports.

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use anyhow::Result;
use futures_util::{StreamExt, stream};
use tributary_config::ReportConfig;
use tributary_store::{GroupRow, ReportOrder, ReportRange, ReportValue, Store};

use super::Engine;
use crate::{
    database::{Batch, Batches},
    reports::rows_of,
    views::{ReportChart, ReportSummary, is_written, summary},
};

/// A column of a report to sort by, and the direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOrder {
    /// A group or a metric, as spelled in the configuration.
    pub column: String,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A range of a report's rows in some order. Nulls come last, and equal rows in order of their groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRange {
    /// `None` sorts by the groups (bytes).
    pub order: Option<RowOrder>,
    /// Only rows with a group that contains this text; upper and lower case differ.
    pub part: Option<String>,
    /// At most this many rows; -1 for all.
    pub limit: i64,
    /// Skip this many rows first.
    pub offset: i64,
}

/// Restricts a report to the files of a source, a path, or both.
#[derive(Debug, Clone, Default)]
pub struct ReportScope {
    /// Only files of the source with this name.
    pub source: Option<String>,
    /// Only files with this path.
    pub file: Option<String>,
}

/// One report in detail, as of one moment.
#[derive(Debug)]
pub struct ReportDetail {
    /// The report without its rows.
    pub summary: ReportSummary,
    /// The requested rows; empty until the report's table is written as configured.
    pub rows: Vec<GroupRow>,
    /// The number of rows in the range, without its limit and its offset.
    pub matches: i64,
    /// The chart of the requested metric; `None` for a report without groups.
    pub chart: Option<Arc<ReportChart>>,
    /// The names of the sources by their ids in [`ReportSummary::files`].
    pub sources: HashMap<i64, String>,
}

impl RowRange {
    /// All rows in order of their groups.
    pub const ALL: RowRange = RowRange { order: None, part: None, limit: -1, offset: 0 };

    fn stored(&self) -> ReportRange<'_> {
        let order = match &self.order {
            None => ReportOrder::Key,
            Some(RowOrder { column, descending: false }) => ReportOrder::Ascending(column),
            Some(RowOrder { column, descending: true }) => ReportOrder::Descending(column),
        };
        ReportRange { order, part: self.part.as_deref(), limit: self.limit, offset: self.offset }
    }

    /// Takes the range from all rows of a report, as [`Store::report_rows`] does.
    fn take_from(&self, report: &ReportConfig, mut rows: Vec<GroupRow>) -> Vec<GroupRow> {
        if let Some(part) = &self.part {
            rows.retain(|row| row.group.iter().any(|text| text.contains(part.as_str())));
        }
        rows.sort_by(|a, b| a.group.cmp(&b.group));
        if let Some(RowOrder { column, descending }) = &self.order {
            let directed = |ordering: Ordering| if *descending { ordering.reverse() } else { ordering };
            if let Some(index) = report.group_by.iter().position(|key| key == column) {
                rows.sort_by(|a, b| directed(a.group[index].cmp(&b.group[index])));
            } else if let Some(index) = report.metrics.iter().position(|metric| metric == column) {
                let value = |row: &GroupRow| row.values.get(index).and_then(ReportValue::approximate);
                rows.sort_by(|a, b| match (value(a), value(b)) {
                    (Some(a), Some(b)) => directed(a.total_cmp(&b)),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                });
            }
        }
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        rows.into_iter().skip(usize::try_from(self.offset).unwrap_or_default()).take(limit).collect()
    }
}

impl Engine {
    /// The configured reports, in order.
    #[must_use]
    pub fn reports(&self) -> Arc<[ReportConfig]> {
        Arc::clone(&self.0.reports.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The state of each configured report.
    ///
    /// # Errors
    /// The database fails.
    pub async fn report_summaries(&self) -> Result<Vec<(ReportConfig, ReportSummary)>> {
        let reports = self.reports();
        let read = move |store: &mut Store| {
            reports.iter().map(|report| Ok((report.clone(), summary(store, report)?))).collect()
        };
        self.read(read).await
    }

    /// A report with a range of its rows, and its chart by `metric`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn report_detail(
        &self,
        report: &ReportConfig,
        range: RowRange,
        metric: Option<String>,
    ) -> Result<ReportDetail> {
        let (report, charts) = (report.clone(), Arc::clone(&self.0.charts));
        let read = move |store: &mut Store| {
            let sources = store.sources()?.into_iter().map(|source| (source.id, source.name)).collect();
            let summary = summary(store, &report)?;
            let mut detail = ReportDetail { matches: summary.groups, summary, rows: Vec::new(), chart: None, sources };
            if !is_written(store, &report)? {
                return Ok(detail);
            }
            let table = report.table();
            detail.rows = store.report_rows(&table, range.stored())?;
            if let Some(part) = &range.part {
                detail.matches = store.count_report_rows(&table, part)?;
            }
            if let Some(metric) = metric.filter(|_| !report.group_by.is_empty())
                && let Some(stored) = store.report(&report.name)?
            {
                detail.chart = Some(charts.get(store, &report, stored, &metric)?);
            }
            Ok(detail)
        };
        self.read(read).await
    }

    /// The rows of a report in batches from one snapshot; none until its table is written as configured. With a scope, only the files
    /// in it are summed.
    ///
    /// # Errors
    /// The database fails before the first row; later failures are items of the stream.
    pub async fn report_rows(
        &self,
        report: &ReportConfig,
        range: RowRange,
        scope: ReportScope,
    ) -> Result<Batches<GroupRow>> {
        let report = report.clone();
        if scope.source.is_some() || scope.file.is_some() {
            let read = move |store: &mut Store| Ok(range.take_from(&report, scoped_rows(store, &report, &scope)?));
            let rows = self.read(read).await?;
            return Ok(stream::iter([Ok(rows)]).boxed());
        }
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<GroupRow>) -> Result<()>| {
            if !is_written(store, &report)? {
                return Ok(());
            }
            let mut batch = Batch::new(send);
            let take = |row: GroupRow| {
                let bytes = row.group.iter().map(String::len).sum();
                batch.push(row, bytes)
            };
            store.each_report_row(&report.table(), range.stored(), take)?;
            batch.finish()
        };
        self.0.readers.stream(produce).await
    }
}

/// The rows of a report over the files of a scope, in order of their groups.
fn scoped_rows(store: &mut Store, report: &ReportConfig, scope: &ReportScope) -> Result<Vec<GroupRow>> {
    let sources = store.sources()?;
    let id_of = |name: &String| sources.iter().find(|known| known.name == *name).map(|known| known.id);
    // An unknown source has no files.
    let wanted_source = scope.source.as_ref().map(id_of);
    rows_of(store, report, |row| {
        wanted_source.is_none_or(|wanted| wanted == Some(row.source_id))
            && scope.file.as_ref().is_none_or(|file| *file == row.path)
    })
}

#[cfg(test)]
mod tests {
    use ReportValue::{Integer, Null, Real, Text};

    use super::*;

    #[test]
    fn rows_that_are_summed_for_a_request_are_ordered_as_those_of_the_table() {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let report =
            ReportConfig::with_columns("sales", texts(&["Department Name"]), texts(&["rows", "total_sales", "avg"]));
        let row = |group: &[&str], values: &[ReportValue]| GroupRow { group: texts(group), values: values.to_vec() };
        let rows = || {
            vec![
                row(&["b"], &[Integer(1), Text("9".repeat(30)), Null]),
                row(&["c"], &[Integer(1), Integer(3), Real(0.5)]),
                row(&["a"], &[Integer(2), Null, Integer(1)]),
            ]
        };
        let check_part = |part: Option<&str>, order: Option<(&str, bool)>, (limit, offset), expect: &str| {
            let order = order.map(|(column, descending)| RowOrder { column: column.to_owned(), descending });
            let range = RowRange { order, part: part.map(str::to_owned), limit, offset };
            let rows = range.take_from(&report, rows());
            assert_eq!(rows.iter().map(|row| row.group[0].as_str()).collect::<String>(), expect, "{range:?}");
        };
        let check = |order, range, expect: &str| check_part(None, order, range, expect);
        check_part(Some("b"), None, (-1, 0), "b");
        check_part(Some("B"), None, (-1, 0), "");
        check(None, (-1, 0), "abc");
        check(Some(("Department Name", true)), (-1, 0), "cba");
        check(Some(("total_sales", false)), (-1, 0), "cba");
        check(Some(("total_sales", true)), (-1, 0), "bca");
        check(Some(("rows", true)), (2, 1), "bc");
    }
}
