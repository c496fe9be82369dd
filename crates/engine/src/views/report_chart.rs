//! The chart of a report: its largest groups by a metric, and its lines over a column of dates. Reading it scans the whole table, so
//! the last ones are kept until their table is written again.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tributary_config::ReportConfig;
use tributary_store::{GroupRow, LineQuery, MetricFigures, ReportLine, ReportOrder, ReportRange, ReportRow, Store};

/// Groups that are drawn as bars.
const MAX_BARS: i64 = 20;
/// Periods of a line, the last ones.
const MAX_PERIODS: i64 = 300;
/// Lines, those of the largest groups.
const MAX_LINES: i64 = 5;
/// Charts that are kept.
const MAX_KEPT: usize = 64;
/// Bytes of the texts of a chart that is kept.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// The chart of a report by one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportChart {
    /// The rows with the greatest values, at most 20.
    pub largest: Vec<GroupRow>,
    /// The metric over all groups; `None` unless its values add up.
    pub figures: Option<MetricFigures>,
    /// The lines; `None` without a column of dates.
    pub lines: Option<PeriodLines>,
}

impl ReportChart {
    /// Bytes of its texts.
    fn text_bytes(&self) -> usize {
        let of_lines = |lines: &PeriodLines| {
            let points = lines.lines.iter().flat_map(|line| line.points.iter().map(|(period, _)| period));
            let groups = lines.lines.iter().flat_map(|line| &line.group);
            lines.periods.iter().chain(points).chain(groups).map(String::len).sum()
        };
        let bars = self.largest.iter().flat_map(|row| &row.group).map(String::len).sum::<usize>();
        bars + self.lines.as_ref().map_or(0, of_lines)
    }
}

/// Lines over the last 300 periods.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodLines {
    /// The periods, in order.
    pub periods: Vec<String>,
    /// Whether there are earlier ones.
    pub has_earlier: bool,
    /// The lines, the largest first.
    pub lines: Vec<ReportLine>,
    /// Whether there are more.
    pub has_more: bool,
}

/// The charts that were read last, the most recent one last.
#[derive(Default)]
pub(crate) struct Charts(Mutex<Vec<(ChartKey, Arc<ReportChart>)>>);

/// The table as it was written, and the metric.
type ChartKey = (ReportRow, String);

impl Charts {
    /// Returns the chart of a report whose table is written as `stored`.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) fn get(
        &self,
        store: &mut Store,
        report: &ReportConfig,
        stored: ReportRow,
        metric: &str,
    ) -> Result<Arc<ReportChart>> {
        let key = (stored, metric.to_owned());
        if let Some(chart) = self.kept(&key) {
            return Ok(chart);
        }
        let chart = Arc::new(read(store, report, metric)?);
        if chart.text_bytes() > MAX_KEPT_BYTES {
            return Ok(chart);
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A chart of an earlier table is never asked for again.
        kept.retain(|((row, metric), _)| (&row.name, metric) != (&key.0.name, &key.1));
        kept.push((key, Arc::clone(&chart)));
        if kept.len() > MAX_KEPT {
            kept.remove(0);
        }
        Ok(chart)
    }

    fn kept(&self, key: &ChartKey) -> Option<Arc<ReportChart>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| other == key)?;
        let found = kept.remove(at);
        let chart = Arc::clone(&found.1);
        kept.push(found);
        Some(chart)
    }
}

fn read(store: &mut Store, report: &ReportConfig, metric: &str) -> Result<ReportChart> {
    let table = report.table();
    let adds_up = report.kind(metric).is_some_and(|kind| kind.adds_up());
    let range = ReportRange { order: ReportOrder::Descending(metric), limit: MAX_BARS, ..ReportRange::ALL };
    Ok(ReportChart {
        largest: store.report_page(&table, range)?,
        figures: if adds_up { Some(store.metric_figures(&table, metric)?) } else { None },
        lines: lines(store, report, (metric, adds_up))?,
    })
}

fn lines(store: &mut Store, report: &ReportConfig, (metric, adds_up): (&str, bool)) -> Result<Option<PeriodLines>> {
    let Some(period) = report.date_group().and_then(|(at, _)| report.group_by.get(at)) else { return Ok(None) };
    let table = report.table();
    let mut periods = store.last_periods(&table, period, MAX_PERIODS + 1)?;
    let has_earlier = periods.len() as i64 > MAX_PERIODS;
    if has_earlier {
        periods.remove(0);
    }
    let Some(from) = periods.first() else { return Ok(None) };
    let query = LineQuery { period, from, metric, adds_up, limit: MAX_LINES + 1 };
    let mut lines = store.report_lines(&table, query)?;
    let has_more = lines.len() as i64 > MAX_LINES;
    lines.truncate(MAX_LINES as usize);
    Ok(Some(PeriodLines { periods, has_earlier, lines, has_more }))
}

#[cfg(test)]
mod tests;
