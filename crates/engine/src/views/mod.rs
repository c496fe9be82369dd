//! Views for people and programs: a product with its offers, a report with its state.
//!
//! It belongs here if it only reads. Changing anything does not belong here.

mod most_frequent;
mod product;
mod product_history;
mod report_chart;
mod report_summary;

pub(crate) use most_frequent::MostFrequent;
pub use product::{EditView, OfferView, OwnColumns, Product, ProductDetail, WinRule};
pub(crate) use product::{ProductViews, detail};
pub(crate) use product_history::product_history;
pub use product_history::{ChangeCause, ColumnChange, ProductChange};
pub(crate) use report_chart::Charts;
pub use report_chart::{PeriodLines, ReportChart};
pub use report_summary::{ReportState, ReportSummary};
pub(crate) use report_summary::{is_written, summary};
