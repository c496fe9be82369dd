//! Generated CSV files for demos, tests and benchmarks. The same seed gives the same bytes. A [`Shape`] writes rows into a
//! buffer and does not know about files; [`run()`] is the program around it.
#![warn(missing_docs)]

pub mod cli;
pub mod products;

mod buffer;
mod output;
mod progress;
mod random;
mod run;
mod sales;
mod shape;
mod transactions;
mod words;

pub use buffer::RowBuffer;
pub use run::{StopFlag, run, stop_on_signals};
pub use sales::Sales;
pub use shape::{Shape, write};
pub use transactions::Transactions;
