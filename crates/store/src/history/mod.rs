//! Records of what happened, kept up to a bounded number: events for subscribers, and uploads with their outcome.
//! The JSON of an event belongs to the engine. The uploaded files do not belong here; they are in a folder that this crate does not
//! know.

mod events;
mod uploads;

pub use events::EventRow;
pub use uploads::{UploadRow, UploadState};
