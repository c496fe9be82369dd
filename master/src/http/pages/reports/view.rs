//! A view of a report, as the query of its page says, and the links to others.

use serde::Deserialize;
use tributary_config::ReportConfig;
use tributary_engine::{RowOrder, RowRange};

use crate::http::{
    api::reports,
    pages::text::wording::encoded,
    server::{error::ApiError, input},
};

/// Rows per page.
pub(super) const ROWS: i64 = 50;
/// Rows that can be skipped in any order but that of the groups, which alone skips rows without sorting them.
pub(super) const MAX_SORTED_OFFSET: i64 = 2_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    order: Option<String>,
    metric: Option<String>,
    q: Option<String>,
    #[serde(default)]
    offset: i64,
}

/// A view of a report.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// `None`: by the groups.
    pub(super) order: Option<RowOrder>,
    /// The metric of the chart.
    pub(super) metric: Option<String>,
    /// Only rows with a group that contains this text.
    pub(super) part: Option<String>,
    /// Rows to skip.
    pub(super) offset: i64,
}

impl View {
    pub(super) fn new(report: &ReportConfig, query: PageQuery) -> Result<Self, ApiError> {
        let PageQuery { order, metric, q, offset } = query;
        let order = input::unless_blank(order).map(|order| reports::order(report, &order)).transpose()?;
        let is_by_groups = |order: &RowOrder| !order.descending && report.group_by.first() == Some(&order.column);
        let order = order.filter(|order| !is_by_groups(order));
        let most = if order.is_some() { MAX_SORTED_OFFSET } else { i64::MAX };
        let metric = metric_of(report, input::unless_blank(metric))?;
        Ok(Self { order, metric, part: input::unless_blank(q), offset: offset.clamp(0, most) })
    }

    /// The rows of the table.
    pub(super) fn range(&self) -> RowRange {
        RowRange { order: self.order.clone(), part: self.part.clone(), limit: ROWS, offset: self.offset }
    }

    /// The same in another order, from the first row on.
    pub(super) fn sorted(&self, column: &str, descending: bool) -> Self {
        Self { order: Some(RowOrder { column: column.to_owned(), descending }), offset: 0, ..self.clone() }
    }

    /// The same with the chart of another metric.
    pub(super) fn with_metric(&self, metric: &str) -> Self {
        Self { metric: Some(metric.to_owned()), ..self.clone() }
    }

    /// The same with other rows.
    pub(super) fn at(&self, offset: i64) -> Self {
        Self { offset, ..self.clone() }
    }

    /// The order as the query says it.
    pub(super) fn order_text(&self) -> Option<String> {
        let sign = |order: &RowOrder| if order.descending { "-" } else { "" };
        self.order.as_ref().map(|order| format!("{}{}", sign(order), order.column))
    }

    /// The link to this view.
    pub(super) fn link(&self, report: &ReportConfig) -> String {
        let offset = (self.offset > 0).then(|| self.offset.to_string());
        let query = [
            ("order", self.order_text()),
            ("metric", self.metric.clone()),
            ("q", self.part.clone()),
            ("offset", offset),
        ];
        format!("/reports/{}?{}", encoded(&report.name), joined(query))
    }

    /// The link to the rows that the view shows, up to the name of the format; those of all pages if `limit` is `None`.
    pub(super) fn download(&self, report: &ReportConfig, limit: Option<i64>) -> String {
        let part = limit.map(|limit| (limit.to_string(), self.offset.to_string()));
        let (limit, offset) = part.unzip();
        let query =
            joined([("order", self.order_text()), ("q", self.part.clone()), ("limit", limit), ("offset", offset)]);
        let separator = if query.is_empty() { "" } else { "&" };
        format!("/api/v1/reports/{}?{query}{separator}format=", encoded(&report.name))
    }
}

/// The parameters that have a value.
fn joined<const N: usize>(query: [(&str, Option<String>); N]) -> String {
    // `-` is no sign to be encoded.
    let pair = |(name, value): (&str, Option<String>)| Some(format!("{name}={}", encoded(&value?)));
    query.into_iter().filter_map(pair).collect::<Vec<_>>().join("&")
}

/// Returns the metric of the chart.
fn metric_of(report: &ReportConfig, asked: Option<String>) -> Result<Option<String>, ApiError> {
    match asked {
        None => Ok(report.main_metric().map(str::to_owned)),
        Some(asked) if report.metrics.contains(&asked) => Ok(Some(asked)),
        Some(asked) => {
            let metrics = report.metrics.join("`, `");
            Err(ApiError::Invalid(format!("`metric` must be one of `{metrics}`, not `{asked}`")))
        }
    }
}
