//! The content of a source, handed from the passes over it to the work on its reports.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tributary_format_rules::SourceFormats;
use tributary_protocol::Manifest;

use crate::source::SpooledBody;

/// The id and the name of a stored source.
#[derive(Debug, Clone)]
pub(crate) struct SourceKey {
    /// Its id in the database.
    pub(crate) id: i64,
    /// Its name.
    pub(crate) name: String,
}

/// The content of a source at one version.
pub(crate) struct SourceContent {
    /// All files, and those that the source cannot read.
    pub(crate) manifest: Manifest,
    /// Formats of the files.
    pub(crate) formats: SourceFormats,
    /// The bytes of the only file of a source with the plain protocol. Kept until all reports over it are computed, because they
    /// take room on the disk.
    pub(crate) body: Mutex<Option<Arc<SpooledBody>>>,
}

impl SourceContent {
    pub(super) fn body(&self) -> MutexGuard<'_, Option<Arc<SpooledBody>>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
