//! The database: schema, migrations and queries. The only crate that names diesel, and rusqlite. It is synchronous and knows no HTTP, no
//! polars and no merge rule: callers decide what to write, and read it back in key order.
//!
//! A [`Store`] is one connection. A writer calls [`Lock::acquire`], then [`Store::open`]. A reader calls
//! [`Store::open_existing`], or shares a [`ReaderPool`] if it reads often. Keys are ordered by their bytes, times are RFC 3339
//! in UTC, and counts and sizes are `i64`, the widest integer that databases have.
//!
//! Each table has a module with its row type and its queries, in the room of its subject:
//!
//! | room | tables |
//! | --- | --- |
//! | `catalog` | `products`, `shadowed`, `edits`, `operation_messages`, `aggr`, `tally`, `catalog_settings` |
//! | `inputs` | `sources`, `held_versions`, `files`, `pages`, `plain_files`, `rejects`, `queues` |
//! | `reports` | `reports`, `failed_reports`, `partials`, `report_<name>` |
//! | `documents` | `documents`, `messages` |
//! | `history` | `events`, `published_events`, `exports`, `product_changes`, `history` |
//!
//! A `…Row` is a row as stored. A `…View` joins tables for people: names in place of ids. The room `database`
//! holds what every table needs: connections, transactions, errors; `sqlite` and `postgres` have the ways of their kind.

mod catalog;
mod database;
mod documents;
mod history;
mod inputs;
mod postgres;
mod reports;
mod sqlite;

pub use catalog::{
    AggrOrder, AggrRow, CatalogColumn, CatalogSettings, ColumnFilter, Comparison, EditRow, MAX_PAGE_BYTES,
    ProductFilter, ProductOrder, ProductPlace, ProductRow, ProductView, ShadowedRow, SkuRange, SkuRows, Tally,
    own_edits, read_own, write_own,
};
pub use database::{
    ActiveMaster, Counts, DatabaseUrl, Error, FolderLocks, GroupRow, Lock, LockWatch, ReaderPool, ReportValue, Store,
    open_anew, open_anew_if_unread, spool_path,
};
pub use documents::{DocumentRow, DocumentState, MessageRow, Place};
pub use history::{
    Amounts, ChangeCause, EventRow, ExportRow, HISTORY_STEPS, HistoryRow, HistorySpan, HistoryStep, NewProductChange,
    ProductChangeRow,
};
pub use inputs::{
    FileFilter, FileOrigin, FileRow, FileState, FileSums, FileView, HeldVersionRow, MAX_REJECTED_FILES, PageContent,
    PageRow, PlainFileRow, QueueRow, RejectFilter, RejectPage, RejectRow, RejectView, RejectedFileView, SourcePass,
    SourceRow, SourceState, SourceView,
};
pub use reports::{
    FailedReportRow, LineQuery, MetricFigures, ReportLine, ReportOrder, ReportRange, ReportRow, ReportTable,
    ReportWriter,
};
pub use sqlite::{Snapshot, StandingDocument};
