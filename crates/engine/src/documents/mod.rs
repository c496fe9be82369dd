//! The documents: files that people and programs sent, as a source. A file is immutable. The table `documents` says which document
//! a path stands for, and every change of that is a row changed in one transaction.
//!
//! It belongs here if it reads, lists or ends documents that are stored. Receiving one belongs to `inbox`.

mod active_reads;
mod changes;
mod fault;
mod folder;
pub(crate) mod path;
mod presence;
mod recover;
mod settle;
mod source;
mod state;

pub(crate) use active_reads::{ActiveRead, CountingReader};
pub(crate) use changes::Changes;
pub(crate) use folder::{DocumentFolder, FoundFile};
pub(crate) use presence::Presence;
pub(crate) use recover::{Recovered, recover};
pub(crate) use settle::{SUPERSEDED, fail, take_back};
pub(crate) use source::{Arriving, Committed, Documents};
