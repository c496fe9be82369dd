//! The inbox: takes in documents that people and programs send. A body is written to a hidden file; then one transaction says that its
//! path stands for it. From there on it is read like any other source's file.
//!
//! It belongs here if it concerns a document before it is stored, or what its sender may ask and do. HTTP does not belong here.

mod arrival;
mod body;
mod commit;
mod disk;
mod ending;
mod error;
mod receiving;
mod reception;
mod registry;
mod resumable;
mod start;
mod view;

pub use arrival::Arrived;
pub use ending::{Removal, Removed};
pub use error::InboxError;
pub use reception::{Admitted, Offer};
pub(crate) use registry::InboxParts;
pub use registry::{Inbox, MAX_UPLOADS};
pub(crate) use resumable::Expiry;
pub use resumable::Unfinished;
pub(crate) use start::{DocumentSource, PollSettings};
pub use view::{Document, Stage};

#[cfg(test)]
mod tests;
