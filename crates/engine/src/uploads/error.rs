//! Why an upload is refused or broken off. Which status code that is, `web` knows.

use std::io;

/// Why an upload came to nothing. The text is for whoever sent it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The file's name, or the upload's id, is none that it can have.
    #[error("{0}")]
    Invalid(String),
    /// A file of that name is there, or on its way.
    #[error("there is a file `{filename}` already; upload it with `replace=1` to put this one in its place")]
    Taken {
        /// The name.
        filename: String,
    },
    /// What has the name is no file of ours.
    #[error("`{filename}` is there and is no file; choose another name")]
    NoFile {
        /// The name.
        filename: String,
    },
    /// The id that was chosen is another upload's.
    #[error("there is an upload with the id {id} already; choose another, or leave it to the server")]
    KnownId {
        /// The id.
        id: String,
    },
    /// The file is larger than what is taken.
    #[error("the file is larger than {limit} bytes, which is `max_size` of `[uploads]`")]
    TooLarge {
        /// The most bytes.
        limit: u64,
    },
    /// The disk would be too full.
    #[error("the disk has no room for it: {keep_free} bytes must stay free, which is `keep_free` of `[uploads]`")]
    NoRoom {
        /// Bytes that stay free.
        keep_free: u64,
    },
    /// Others are being received.
    #[error("{limit} uploads are being received, and more are not taken at one time; send it again in a moment")]
    TooMany {
        /// The most at one time.
        limit: usize,
    },
    /// Nothing more of the body came.
    #[error("nothing more of the file came for {seconds} seconds")]
    Stalled {
        /// How long it was waited for.
        seconds: u64,
    },
    /// The body ended early, or is not what it says to be.
    #[error("the file did not come as a whole: {0}")]
    Cut(String),
    /// Somebody wanted it no more.
    #[error("it was cancelled")]
    Cancelled,
    /// The master stops.
    #[error("the master is stopping; upload it again in a moment")]
    Stopping,
    /// The master is at fault.
    #[error("the master failed to store it; its log says why")]
    Failed(#[from] anyhow::Error),
}

impl UploadError {
    /// A failure to write the file.
    pub(crate) fn writing(error: io::Error, keep_free: u64) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom { keep_free },
            _ => Self::Failed(anyhow::Error::new(error).context("failed to write an uploaded file")),
        }
    }
}
