//! Uploads files to a master, in slices that resume, and follows each upload until its rows are committed. Or publishes them to the queue
//! of a broker, and waits until it confirms them. It does not look into the rows of files: the master checks them.
#![warn(missing_docs)]

pub mod cli;

mod amqp;
mod body;
mod client;
mod files;
mod identity;
mod job;
mod outcome;
mod progress;
mod run;
mod status;
mod tries;
mod upload;

pub use amqp::{Published, publish};
pub use files::{LocalFile, local_files};
pub use job::{Content, Job, PublishJob, UploadJob};
pub use outcome::{Outcome, RowCounts, Summary};
pub use run::run;
