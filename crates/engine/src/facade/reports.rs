//! The results of reports.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::{GroupRow, ReportOrder, ReportRange, Store};

use super::{Engine, scoped_rows};
use crate::{
    database::{Batch, Batches},
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
    /// The requested rows, or fewer if their groups take more than 4 MiB; empty until the report's table is written as configured.
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

    pub(super) fn stored(&self) -> ReportRange<'_> {
        let order = match &self.order {
            None => ReportOrder::Key,
            Some(RowOrder { column, descending: false }) => ReportOrder::Ascending(column),
            Some(RowOrder { column, descending: true }) => ReportOrder::Descending(column),
        };
        ReportRange { order, part: self.part.as_deref(), limit: self.limit, offset: self.offset }
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
            detail.rows = store.report_page(&table, range.stored())?;
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
    /// [`TooManyToSort`](super::TooManyToSort).
    pub async fn report_rows(
        &self,
        report: &ReportConfig,
        range: RowRange,
        scope: ReportScope,
    ) -> Result<Batches<GroupRow>> {
        let report = report.clone();
        if scope.source.is_some() || scope.file.is_some() {
            return scoped_rows::read(&self.0.readers, report, range, scope).await;
        }
        let produce = move |store: &mut Store, send: &mut dyn FnMut(Vec<GroupRow>) -> Result<()>| {
            if !is_written(store, &report)? {
                return Ok(());
            }
            let mut batch = Batch::new(send);
            store.each_report_row(&report.table(), range.stored(), |row| batch.push_group(row))?;
            batch.finish()
        };
        self.0.readers.stream(produce).await
    }
}
