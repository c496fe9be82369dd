//! Uploads: files that people and programs send. A body is written under a hidden name, renamed into the folder of the source
//! `uploads`, and read there like any other source's file. The upload is complete once its rows are committed.
//!
//! It belongs here if it concerns one upload on its way from the first byte to its end. HTTP does not belong here.

mod body;
mod disk;
mod ending;
mod error;
mod folder;
mod job;
mod name;
mod reception;
mod recover;
mod registry;
mod source;
mod tracker;
mod verdict;

pub use error::UploadError;
pub(crate) use folder::UploadFolder;
pub use job::{Stage, Upload, UploadStatus};
pub use reception::{Admitted, UploadRequest};
pub(crate) use recover::recover;
pub(crate) use registry::UploadParts;
pub use registry::{MAX_BODY_SILENCE, MAX_UPLOADS, Uploads};
pub(crate) use source::{PollSettings, UploadSource};
pub(crate) use tracker::Tracker;
