//! The names that readers of files have in the database, as every program spells them. What a reader does is up to the engine.

/// The reader of product feeds.
pub const PRODUCTS: &str = "products";
/// Begins the name of a report's reader.
const REPORT: &str = "report:";

/// The reader of the report with this name.
#[must_use]
pub fn report_reader(report: &str) -> String {
    format!("{REPORT}{report}")
}

/// The report that a reader belongs to; `None` if it is not that of a report.
#[must_use]
pub fn report_of(reader: &str) -> Option<&str> {
    reader.strip_prefix(REPORT)
}
