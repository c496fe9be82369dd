//! Uploads files to a master over its API and follows each until its rows are committed. It knows nothing of what the files
//! hold: the master judges them.
#![warn(missing_docs)]

pub mod cli;

mod board;
mod body;
mod files;
mod job;
mod master;
mod outcome;
mod run;
mod upload;

pub use board::Board;
pub use files::{LocalFile, local_files};
pub use outcome::{Outcome, Summary};
pub use run::run;
