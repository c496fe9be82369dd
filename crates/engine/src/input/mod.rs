//! Files that a reader accepted: what to read of a source, what is stored of a file, and when a reader is done with a content.
//!
//! It belongs here if it is the same for every reader. What a reader makes of a file belongs into its own room; this one imports
//! none of them. The list of readers is `crate::readers`.

mod known;
mod plan;
mod reader;
mod update;
mod verdict;

pub(crate) use known::KnownFiles;
pub(crate) use plan::{FileToRead, FilesToRead, Plan, Planner, Rank, plan_aside};
pub use reader::ResultLink;
pub(crate) use reader::{Reader, ResultTables};
pub(crate) use update::{FileUpdate, Findings, reject_row};
pub(crate) use verdict::{Verdict, is_known, verdict};
