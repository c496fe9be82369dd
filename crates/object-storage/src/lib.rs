//! Objects in S3, in a folder or, for tests, in memory: one way to list, read, replace and share them, with credentials from the usual
//! `AWS_*` variables. It knows no file formats, and not what the objects are for.
#![warn(missing_docs)]

mod access;
mod error;
mod listing;
mod location;
mod read;
mod requests;
mod storage;
mod write;

pub use access::{Access, Server};
pub use error::{Error, ErrorKind};
pub use listing::{Listing, Object, Page};
pub use location::Location;
pub use read::{Body, Head};
pub use storage::ObjectStorage;
pub use write::PART_BYTES;

#[cfg(test)]
mod tests;
