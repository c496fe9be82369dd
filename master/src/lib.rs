//! The master: the engine with its entrances. [`run`] serves them until it is stopped.
//!
//! Everything but HTTP, the command line and the terminal is in `tributary_engine`.
#![warn(missing_docs)]

mod accept;
mod amqp;
pub mod cli;
mod exports;
mod grpc;
mod http;
mod live;
mod new_token;
mod once_progress;
mod once_summary;
mod reload;
mod role;
mod sales;

pub use accept::accept;
pub use http::DEMO_STEPS;
pub use live::{Start, run};
pub use new_token::print_new_token;
pub use once_progress::source_progress;
pub use once_summary::SummaryLine;
