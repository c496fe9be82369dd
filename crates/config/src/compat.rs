//! `[compat]`: the REST paths of older systems, and the rows that they and Socket.IO give.

use std::fmt;

use serde::Deserialize;
use toml::Spanned;

use super::{PRODUCTS, ReportConfig};

/// Rows by default.
const DEFAULT_LIMIT: i64 = 10_000;
/// Most rows. All of them are sent to every client after each change.
const MAX_LIMIT: i64 = 100_000;

/// The rows that clients of older systems get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompatConfig {
    /// The table. Default: the products.
    pub data: CompatData,
    /// At most this many rows, the first ones. Default: 10,000.
    pub limit: i64,
}

/// A table whose rows clients of older systems get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CompatData {
    /// The products.
    #[default]
    Products,
    /// The report with this name.
    Report(String),
}

impl fmt::Display for CompatData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Products => f.write_str("the products"),
            Self::Report(name) => write!(f, "the report {name}"),
        }
    }
}

impl Default for CompatConfig {
    fn default() -> Self {
        Self { data: CompatData::default(), limit: DEFAULT_LIMIT }
    }
}

/// `[compat]` as typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompatAsTyped {
    data: Option<Spanned<String>>,
    limit: Option<Spanned<i64>>,
}

/// Checks the section. An error comes with its position in the file.
pub(super) fn compat(typed: &CompatAsTyped, reports: &[ReportConfig]) -> Result<CompatConfig, (usize, String)> {
    let default = CompatConfig::default();
    let data = match &typed.data {
        None => default.data,
        Some(name) => data(name.get_ref(), reports).map_err(|why| (name.span().start, why))?,
    };
    let limit = match &typed.limit {
        None => default.limit,
        Some(limit) if (1..=MAX_LIMIT).contains(limit.get_ref()) => *limit.get_ref(),
        Some(limit) => {
            return Err((
                limit.span().start,
                format!("`limit` must be from 1 to {MAX_LIMIT}, not {}", limit.get_ref()),
            ));
        }
    };
    Ok(CompatConfig { data, limit })
}

fn data(name: &str, reports: &[ReportConfig]) -> Result<CompatData, String> {
    match name {
        PRODUCTS => Ok(CompatData::Products),
        name if reports.iter().any(|report| report.name == name) => Ok(CompatData::Report(name.to_owned())),
        name => {
            let known: String = reports.iter().map(|report| format!(", or `{}`", report.name)).collect();
            Err(format!("there is no report `{name}`; write `{PRODUCTS}`{known}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<CompatConfig, String> {
        let reports = [ReportConfig::with_columns("sales", Vec::new(), vec!["rows".to_owned()])];
        compat(&toml::from_str(text).unwrap(), &reports).map_err(|(_, why)| why)
    }

    #[test]
    fn the_rows_are_those_of_a_table_that_exists() {
        assert_eq!(check(""), Ok(CompatConfig { data: CompatData::Products, limit: 10_000 }));
        assert_eq!(check("data = \"products\"").unwrap().data, CompatData::Products);
        let sales = CompatConfig { data: CompatData::Report("sales".to_owned()), limit: 3 };
        assert_eq!(check("data = \"sales\"\nlimit = 3"), Ok(sales));
        let why = check("data = \"sale\"").unwrap_err();
        assert_eq!(why, "there is no report `sale`; write `products`, or `sales`");
        for limit in ["0", "-1", "100001"] {
            assert!(check(&format!("limit = {limit}")).unwrap_err().contains("from 1 to 100000"), "{limit}");
        }
    }
}
