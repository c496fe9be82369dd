//! The verdict on an uploaded file. The file is read as a product feed, by reports, or both; the upload is complete once all of them
//! have committed it.

use anyhow::Result;
use tributary_config::UPLOADS;
use tributary_store::Store;

pub(super) use crate::input::Verdict;
use crate::{input, readers::ReaderList, reports::Reports};

/// Returns the joint verdict of all readers of this content.
///
/// # Errors
/// The database fails.
pub(super) fn verdict(store: &mut Store, reports: &Reports, path: &str, hash: &str) -> Result<Verdict> {
    input::verdict(store, ReaderList::new(reports.configured()).all(), (UPLOADS, path), hash)
}

/// Returns true if the tables hold nothing of this file.
///
/// # Errors
/// The database fails.
pub(super) fn is_unknown(store: &mut Store, reports: &Reports, path: &str) -> Result<bool> {
    Ok(!input::is_known(store, ReaderList::new(reports.configured()).all(), (UPLOADS, path))?)
}

#[cfg(test)]
mod tests;
