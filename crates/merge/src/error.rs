//! What can go wrong in a merge: damage to what was stored, a full disk, or a fault in polars itself.

/// An error of this crate. Data problems are no errors here: the gate has set them aside before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// polars refused an operation; our frames have fixed columns, so this is a defect or a lack of memory.
    #[error("the merge failed in polars")]
    Polars(#[from] polars_core::error::PolarsError),
    /// A file of sorted rows cannot be written or read again.
    #[error("failed to sort a file's rows in the spool, which lies beside the database")]
    Spool(#[from] std::io::Error),
    /// Sorted rows are not what was written.
    #[error("a file of sorted rows in the spool, beside the database, was damaged while it was used")]
    DamagedRun,
    /// A stored page does not decode.
    #[error(
        "a stored page of offers is damaged at byte {at}: empty the database with `starter --reset` and run the master again"
    )]
    DamagedPage {
        /// Offset in the page's entries.
        at: usize,
    },
    /// The database names a file that the list of files does not have.
    #[error(
        "an offer belongs to file {file}, which is not in the list of files: empty the database with `starter --reset` and run the master again"
    )]
    UnknownFile {
        /// The file's number.
        file: i64,
    },
}
