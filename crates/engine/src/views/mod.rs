//! What people and programs are shown: products with their offers, reports with their state.
//!
//! It belongs here if it only reads. Changing anything does not.

mod product;
mod report_summary;

pub(crate) use product::detail;
pub use product::{OfferView, ProductDetail};
pub use report_summary::{ReportState, ReportSummary};
pub(crate) use report_summary::{is_written, summary};
