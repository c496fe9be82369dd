//! Uploads files to a master, in slices that resume, and follows each upload until its rows are committed. It does not look
//! into the files: the master checks them.
#![warn(missing_docs)]

pub mod cli;

mod body;
mod client;
mod files;
mod identity;
mod outcome;
mod progress;
mod run;
mod status;
mod tries;
mod upload;

pub use files::{LocalFile, local_files};
pub use outcome::{Outcome, RowCounts, Summary};
pub use run::run;
