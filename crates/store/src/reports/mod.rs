//! The reports: the state of each, the partials of its files, and its result table `report_<name>`. The files are in `inputs`.
//! The columns of such a table follow the configuration, so it is not in the schema: `table`, `table_rows` and `figures` write its SQL.
//! The meaning of a partial's bytes and of a report's digest does not belong here; only the caller knows it.

mod failed_reports;
mod figures;
mod partials;
mod report;
mod table;
mod table_rows;

pub use failed_reports::FailedReportRow;
pub use figures::{LineQuery, MetricFigures, ReportLine};
pub use report::ReportRow;
pub use table::{ReportTable, ReportWriter};
pub(crate) use table::{comma_separated, quoted};
pub use table_rows::{ReportOrder, ReportRange};
