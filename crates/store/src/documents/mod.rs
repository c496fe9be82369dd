//! The documents that people and programs sent, which of them each path stands for, and the messages that brought them.
//! The files of documents do not belong here; they are in a folder that this crate does not know.

mod messages;
mod places;
mod rows;

pub use messages::MessageRow;
pub use rows::{DocumentRow, DocumentState, Place};
