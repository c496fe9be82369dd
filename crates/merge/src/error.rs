//! Errors of the merge: damaged stored data, or a spool that cannot be written.

/// An error of this crate. Bad rows are not errors here: the CSV gate has already rejected them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A thread that sorts or sums cannot be started.
    #[error("failed to start a thread: check the limit on processes (`ulimit -u`)")]
    Thread(#[source] std::io::Error),
    /// A spill file cannot be created, written or read.
    #[error("failed to sort a file's rows in the spool, the folder beside the database: check its free space")]
    Spool(#[from] std::io::Error),
    /// A spill file does not hold what was written to it.
    #[error(
        "a spill file in the spool, the folder beside the database, is damaged: check the disk and run the master again"
    )]
    DamagedRun,
    /// A stored page does not decode.
    #[error(
        "a stored page of offers is damaged at byte {at}: empty the database with `starter --reset` and run the master again"
    )]
    DamagedPage {
        /// Offset in the page's entries or lines.
        at: usize,
    },
    /// A stored offer refers to a file that is not stored.
    #[error(
        "an offer belongs to file {file}, which is not in the list of files: empty the database with `starter --reset` and run the master again"
    )]
    UnknownFile {
        /// The file's number.
        file: i64,
    },
    /// A patch does not fit the stored pages.
    #[error(
        "what is remembered of the file's last content does not fit what is stored of it: the file is read again as a whole"
    )]
    NotOfFile,
}
