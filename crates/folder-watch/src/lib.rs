//! Watches one folder of CSV files and keeps its manifest: the files that have settled, their hashes, and the version that
//! digests them. It knows no HTTP, and looks into a file only to find
//! the last complete record of one that never rests. It needs a Unix file system (inode and ctime).
//!
//! File events are hints that say where to look. A scan is the truth, and one every [`Options::rescan`] finds what no event
//! reported.
#![warn(missing_docs)]

mod content;
mod cut;
mod entries;
mod error;
mod events;
mod folder;
mod hash;
mod history;
mod index;
mod left_out;
mod mounts;
mod offer;
mod open;
mod options;
mod place;
mod publisher;
mod records;
mod scan;
mod shared;
mod snapshot;
mod stat;
mod watcher;

pub use content::Content;
pub use entries::Entries;
pub use error::{Error, OpenError};
pub use folder::Folder;
pub use left_out::{LeftOutFiles, LeftOutReason};
pub use options::{Filter, Options};
pub use shared::Counts;
pub use snapshot::{Entry, Snapshot, State};
pub use stat::Stat;
