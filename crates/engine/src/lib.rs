//! The engine of the master: it polls sources, merges what changed, computes reports, takes in documents, and answers through one
//! façade, [`Engine`]. It knows no web server and no terminal; entrances are thin adapters over it.
//!
//! | room | does |
//! | --- | --- |
//! | `source` | asks a source, fetches its bytes |
//! | `poll` | decides when, makes one pass |
//! | `input` | plans what a reader reads, stores what it accepted |
//! | `ingest` | turns product feeds into rows |
//! | `reports` | computes what is declared |
//! | `inbox` | takes in documents |
//! | `documents` | the documents as a source |
//! | `edits` | changes edits, one by one or by the message |
//! | `database` | owns the connections and the event log |
//! | `views` | reads what is shown |
//! | `backup` | saves and restores the database with its documents |
//! | `check` | computes the tables again and compares them |
//! | `facade` | what entrances call |
#![warn(missing_docs)]

mod backup;
mod cache;
mod check;
mod clock;
mod count;
mod database;
mod disk;
mod documents;
mod edits;
mod facade;
mod history;
mod inbox;
mod ingest;
mod input;
mod message_id;
mod metrics;
mod poll;
mod progress;
mod readers;
mod reports;
mod source;
mod supervise;
mod views;

pub use backup::{Restored, Saved, backup, restore};
pub use check::{Checked, check};
pub use database::events::{AcceptedVersion, AppliedVersion, Event, HeldVersion, RemovedDocuments, StoredEvent};
pub use database::{Batches, Busy, OnlyReads, Unwritten, WriteOutage, is_away, is_unwritable};
pub use edits::{
    Author, CannotUndo, EditRequest, EditTerms, Entrance, Expected, Operation, OperationChange, OperationLimits,
    OperationMessage, OperationOutcome, TextError, checked_sku, checked_text,
};
pub use facade::{
    ACCEPT_COMMAND, AcceptError, Acceptance, EditError, Engine, ExportState, ExportStatus, Followed, ListError,
    MAX_SEARCHED_NAMES, MasterRole, Matches, NameSearch, NotComputed, OnceSummary, OperateError, Overview, Prepared,
    ProductPage, ProductQuery, ProductSearch, QueueRole, QueueState, RejectedFile, ReportDetail, ReportScope, Resume,
    RowOrder, RowRange, Running, SourceDetail, SourceHealth, SpoolFile, Today, TooManyToSort, accept_held, acquire,
    lock_holder, once, reader_named,
};
pub use history::HistoryPoint;
pub use inbox::{
    Admitted, Arrived, Document, Inbox, InboxError, MAX_UPLOADS, Offer, Removal, Removed, Stage, Unfinished,
};
pub use ingest::{ChangedValue, NoColumn, WouldDropSources, Written};
pub use input::ResultLink;
pub use poll::{RecentError, RunningPass, SourceStatus};
pub use progress::{MakeObserver, ProgressObserver, Unobserved};
pub use readers::result_links;
pub use reports::EngineCounts;
pub use tributary_store::{
    ActiveMaster, AggrOrder, AggrRow, Amounts, ColumnFilter, Comparison, ExportRow, FileRow, FileState, FileSums,
    FileView, GroupRow, HeldVersionRow, HistorySpan, Lock, MetricFigures, ProductFilter, ProductOrder, ProductPlace,
    QueueRow, RejectFilter, RejectPage, RejectView, RejectedFileView, ReportLine, ReportValue, SkuRange, SourceState,
    SourceView, Tally,
};
pub use views::{
    ChangeCause, ColumnChange, EditView, OfferView, OwnColumns, PeriodLines, Product, ProductChange, ProductDetail,
    ReportChart, ReportState, ReportSummary, WinRule,
};
