//! The database: schema, migrations and queries. The only crate that names diesel. Its API is synchronous; it knows no
//! HTTP, no polars and no rule of the merge: it stores what it is told and gives it back in key order.
//!
//! A [`Store`] is one connection. Writers call [`Lock::acquire`] and [`Store::open`], readers [`Store::open_existing`].
//! Keys are ordered by their bytes, times are RFC 3339 in UTC, counts and sizes are `i64` because databases know no
//! other. Each table has a module of its own; the `*_view` methods join them for people.

mod aggr;
mod bulk;
mod catalog;
mod connection;
mod counts;
mod edits;
mod error;
mod events;
mod files;
mod large;
mod lock;
mod migrate;
mod open;
mod pages;
mod products;
mod reject_views;
mod rejects;
mod report_files;
mod report_rows;
mod report_table;
mod reports;
mod schema;
mod shadowed;
mod sources;
mod state;
mod tally;
mod uploads;
mod url;
mod views;

pub use aggr::AggrRow;
pub use catalog::{AggrOrder, ProductFilter, ProductView};
pub use connection::Store;
pub use counts::Counts;
pub use edits::EditRow;
pub use error::Error;
pub use events::EventRow;
pub use files::{FileOrigin, FileRow, FileState};
pub use lock::Lock;
pub use pages::{PageContent, PageRow};
pub use products::ProductRow;
pub use reject_views::RejectView;
pub use rejects::RejectRow;
pub use report_files::ReportFileRow;
pub use report_rows::ReportOrder;
pub use report_table::{GroupRow, ReportTable, ReportValue};
pub use reports::ReportRow;
pub use shadowed::ShadowedRow;
pub use sources::{SourcePass, SourceRow, SourceState};
pub use state::State;
pub use tally::Tally;
pub use uploads::{UploadRow, UploadState};
pub use url::DatabaseUrl;
pub use views::{FileView, SourceView};
