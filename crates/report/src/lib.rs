//! Reports: declared aggregations over files of any columns and any size. A report is compiled to a [`ReportPlan`]. The
//! plan aggregates each file to a [`Partial`], wherever the file is. A [`Total`] merges the partials of several files.
//!
//! The crate starts threads of its own, but opens no file and reads no clock: files come as a
//! [`Table`](tributary_csv_gate::Table) of the gate. It does not know which files a report covers, nor where partials
//! and totals are stored.
//!
//! The language of conditions also checks the rows of product feeds, see [`RowChecks`].
//!
//! ```
//! use tributary_csv_gate::{Settings, Table};
//! use tributary_protocol::{MetricSpec, ReportSpec};
//! use tributary_report::{ReportPlan, Total};
//!
//! let metric = |name: &str, expression: &str| MetricSpec { name: name.to_owned(), expression: expression.to_owned() };
//! let spec = ReportSpec {
//!     group_by: vec!["shop".into()],
//!     metrics: vec![metric("rows", "count()"), metric("revenue", "sum(price * quantity)")],
//!     ..ReportSpec::default()
//! };
//! let plan = ReportPlan::compile(&spec)?;
//! let file = &b"Shop,Price,Quantity\nnorth,1.10,3\nsouth,x,1\nnorth,0.20,1\n"[..];
//! let table = Table::open_once("a.csv", file.len() as u64, file, &Settings::default())?;
//! let partial = plan.aggregate(table, 2, |_| true)?;
//! assert_eq!(partial.rejects.kept[0].reason.to_string(), "`price` is not a number: `x`");
//!
//! let mut total = Total::new(&plan);
//! partial.each_group(|group| -> Result<(), Box<dyn std::error::Error>> { Ok(total.add(&group)?) })?;
//! let mut rows = Vec::new();
//! total.finish()?.each(&plan, |key, values| -> std::io::Result<()> {
//!     rows.push((key, values.into_iter().map(|value| value.map(|value| value.to_string())).collect::<Vec<_>>()));
//!     Ok(())
//! })?;
//! assert_eq!(rows, [(vec!["north".to_owned()], vec![Some("2".to_owned()), Some("3.5".to_owned())])]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod aggregate;
mod columns;
mod cure;
mod date;
mod file_readings;
mod formula;
mod found;
mod groups;
mod kernel;
mod number;
mod number_format;
mod parse;
mod partial;
mod plain;
mod plan;
mod reading;
mod room;
mod row_checks;
mod signs;
mod sql;
mod style;
mod sum;
mod total;
mod words;

pub use aggregate::{Error, FileFormat, Progress};
pub use groups::SpillFile;
pub use number::Number;
pub use number_format::{NumberFormat, NumberFormatError};
pub use partial::{IncomingError, IncomingPartial, Partial};
pub use plain::plain_line;
pub use plan::{MetricKind, ReportPlan, ReportSetting, SpecError, partial_format};
pub use room::Room;
pub use row_checks::{FileChecks, RowCheckError, RowChecks};
pub use sql::{NotSql, SqlColumn, SqlFile, SqlGroups, SqlPart, SqlPartKind, SqlQuery, SqlRow, SqlState};
pub use sum::Sum;
pub use total::{AddError, Total, TotalGroups, TotalRows};
