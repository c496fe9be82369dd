//! A report as used: what its table is called and which columns it has. How its files are read is not here.

use tributary_store::ReportTable;

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportConfig {
    /// Its identity; the table is `report_<name>`.
    pub name: String,
    /// The columns that rows are grouped by; without any the report is one row.
    pub group_by: Vec<String>,
    /// The names of its metrics, at least one.
    pub metrics: Vec<String>,
}

impl ReportConfig {
    /// Its table in the database.
    pub fn table(&self) -> ReportTable {
        ReportTable { name: self.name.clone(), group_by: self.group_by.clone(), metrics: self.metrics.clone() }
    }

    /// The metric by which the largest groups are told where nobody asks for another.
    pub fn main_metric(&self) -> Option<&str> {
        self.metrics.first().map(String::as_str)
    }
}
