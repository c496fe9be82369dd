//! The master: the engine with its entrances. [`run`] stays, [`once`] passes over every source once.
//!
//! Everything but HTTP, the command line and the terminal is in `tributary_engine`.
#![warn(missing_docs)]

mod bars;
pub mod cli;
mod http;
mod live;
mod once_summary;
mod reload;

pub use bars::Bars;
pub use live::run;
pub use once_summary::SummaryLine;
