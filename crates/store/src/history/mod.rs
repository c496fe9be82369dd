//! Records of what happened, kept up to a bounded number: events for subscribers, how far exchanges of a broker have got, what was
//! written to S3, changes of
//! single products, and amounts per stretch of time. The JSON of events and of changes belongs to the engine.

mod amounts;
mod events;
mod exports;
mod product_changes;
mod published;
mod spans;

pub use amounts::{Amounts, HISTORY_STEPS, HistoryRow, HistoryStep};
pub use events::EventRow;
pub use exports::ExportRow;
pub use product_changes::{ChangeCause, NewProductChange, ProductChangeRow};
pub use spans::HistorySpan;
