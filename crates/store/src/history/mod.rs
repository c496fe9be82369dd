//! Records of what happened, kept up to a bounded number: events for subscribers, how far exchanges of a broker have got, and amounts
//! per stretch of time. The JSON of an event belongs to the engine.

mod amounts;
mod events;
mod published;

pub use amounts::{Amounts, HISTORY_STEPS, HistoryRow, HistoryStep};
pub use events::EventRow;
