//! The master: the engine with its entrances. [`run`] stays, [`once`] passes over every source once.
//!
//! Everything but HTTP, the command line and the terminal is in `tributary_engine`.
#![warn(missing_docs)]

pub mod cli;
mod http;
mod live;
mod once_progress;
mod once_summary;

pub use live::run;
pub use once_progress::source_progress;
pub use once_summary::SummaryLine;
