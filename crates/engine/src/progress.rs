//! Progress of passes, for whoever shows it.

use std::sync::Arc;

/// Watches one source while it is read. Every method may be called from any thread and must return at once.
pub trait ProgressObserver: Send + Sync {
    /// This many more files will be read.
    fn files_expected(&self, _files: u64) {}
    /// One file has been read.
    fn file_read(&self) {}
    /// This many more bytes have arrived or were read.
    fn bytes_read(&self, _bytes: u64) {}
    /// This many more rows were read, rejects included.
    fn rows_read(&self, _rows: u64) {}
    /// The pass is in another phase, such as `listing` or `applying`.
    fn phase(&self, _phase: &'static str) {}
    /// The pass is over.
    fn finished(&self, _outcome: &str) {}
}

/// Makes the observer of a source from its name.
pub type MakeObserver = dyn Fn(&str) -> Arc<dyn ProgressObserver> + Send + Sync;

/// Nobody watches.
#[derive(Debug)]
pub struct Unobserved;

impl ProgressObserver for Unobserved {}
