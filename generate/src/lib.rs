//! Generated data: files to show, to test and to measure with. The same seed gives the same bytes. A shape writes rows where
//! it is told to and knows nothing of files; [`run()`] is the program around it.
#![warn(missing_docs)]

pub mod cli;
pub mod products;

mod block;
mod chance;
mod output;
mod progress;
mod run;
mod sales;
mod shape;
mod transactions;
mod words;

pub use block::Block;
pub use run::{Stop, run, stop_on_signals};
pub use sales::Sales;
pub use shape::{Shape, write};
pub use transactions::Transactions;
