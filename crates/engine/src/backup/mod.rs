//! Backups: the database and the documents that it names, in one file, and back.
//!
//! A backup is a tar archive, packed with zstd: what it is, the database, the documents, and last the hash of each of them. So a file
//! that was cut off or damaged is recognised, and `tar` can unpack it without Tributary.

mod archive;
mod part;
mod restore;
mod save;

pub use restore::{Restored, restore};
pub use save::{Saved, backup};
