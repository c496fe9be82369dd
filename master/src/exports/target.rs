//! The lists and reports that are written, and the keys that consumers rely on.

use tributary_config::{CatalogConfig, ReportConfig};
use tributary_report::MetricKind;

use super::parquet::{Column, Kind};

/// Something that is written as a whole.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// The list of products.
    Products(CatalogColumns),
    /// The number of products per name.
    Aggr,
    /// The rows of a report.
    Report(Box<ReportConfig>),
}

/// Names of the own columns.
pub(super) type CatalogColumns = Vec<String>;

impl Target {
    /// The products of a catalog.
    pub(super) fn products(catalog: &CatalogConfig) -> Self {
        Self::Products(catalog.columns.iter().map(|column| column.name.clone()).collect())
    }

    /// Its name in the database, in answers and on pages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Products(_) => "products".to_owned(),
            Self::Aggr => "aggr".to_owned(),
            Self::Report(report) => format!("reports/{}", report.name),
        }
    }

    /// The keys of its files, CSV first. A report's name has small letters, digits and `_`.
    pub(super) fn keys(&self) -> Vec<String> {
        let name = self.name();
        let endings: &[&str] = if matches!(self, Self::Report(_)) { &["csv", "parquet"] } else { &["csv"] };
        endings.iter().map(|ending| format!("{name}.{ending}")).collect()
    }

    /// A text that differs where the columns do.
    pub(super) fn header(&self) -> String {
        let names: Vec<&String> = match self {
            Self::Products(own) => own.iter().collect(),
            Self::Aggr => Vec::new(),
            Self::Report(report) => report.group_by.iter().chain(&report.metrics).collect(),
        };
        serde_json::Value::from_iter(names.into_iter().map(String::as_str)).to_string()
    }
}

/// The columns of a report in a Parquet file.
pub(super) fn columns(report: &ReportConfig) -> Vec<Column> {
    let groups = report.group_by.iter().map(|name| Column { name: name.clone(), kind: Kind::Text });
    let metrics = report.metrics.iter().zip(report.plan.metric_kinds()).map(|(name, kind)| {
        let kind = match kind {
            MetricKind::Count => Kind::Count,
            MetricKind::Mean => Kind::Mean,
            MetricKind::Sum | MetricKind::Least | MetricKind::Greatest => Kind::Number,
        };
        Column { name: name.clone(), kind }
    });
    groups.chain(metrics).collect()
}
