//! The reasons why a document is refused or its reception fails. The HTTP layer maps each to a status code.

use std::io;

use anyhow::anyhow;
use tributary_pace::TooSlow;

use crate::{database::Unwritten, message_id::BadMessageId};

/// The reason why an upload failed. Its text is for the sender.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InboxError {
    /// The document's path, id, message or sequence is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// A document of that path exists or is being received.
    #[error("a file `{path}` exists already; upload it with `replace=1` to replace it")]
    Taken {
        /// The path.
        path: String,
    },
    /// Another upload has the id that the client chose.
    #[error("an upload with the id {id} exists already; choose another id, or let the server choose one")]
    KnownId {
        /// The id.
        id: String,
    },
    /// No upload that comes in parts has this id, or it has ended.
    #[error("there is no unfinished upload with the id {id}; begin again")]
    Unknown {
        /// The id.
        id: String,
    },
    /// The upload has ended, and nothing of it is left.
    #[error("the upload with the id {id} has ended; begin again with another id")]
    Over {
        /// The id.
        id: String,
    },
    /// Another request goes on with an upload that comes in parts.
    #[error("another request goes on with the upload")]
    TakenOver,
    /// A part does not begin where the part before it ends.
    #[error("the part must begin at byte {offset}")]
    WrongOffset {
        /// Bytes that are on disk.
        offset: u64,
    },
    /// Nothing more of an upload came for long.
    #[error("nothing more of the file came for a day; upload it again")]
    Expired,
    /// The file is larger than the limit.
    #[error("the file is larger than {limit} bytes, the limit `max_size` of `[uploads]`")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The file would leave too little free space on the disk.
    #[error("the disk has no room for the file: {keep_free} bytes must stay free, see `keep_free`")]
    NoRoom {
        /// Bytes that stay free.
        keep_free: u64,
    },
    /// As many bodies as allowed are being received.
    #[error("{limit} uploads are being received, the most at a time; send the file again in a moment")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// As many uploads as allowed are announced and not received in full, and none of them is idle.
    #[error("{limit} files are announced and have not arrived in full, the most at a time; send the file in a moment")]
    TooManyUnfinished {
        /// The limit.
        limit: usize,
    },
    /// Others needed the place of an idle upload.
    #[error("no part of the file came for a while, and others needed its place; upload it again")]
    Displaced,
    /// The sender fell silent, or drips.
    #[error("the file arrives too slowly: {0}")]
    Stalled(TooSlow),
    /// The sender is slow, and others need its place.
    #[error("the file arrives slowly, and others wait for its place; send it again in a moment")]
    Yielded,
    /// The body ended early or is malformed.
    #[error("the file did not arrive as a whole: {0}")]
    Cut(String),
    /// A client cancelled the upload.
    #[error("it was cancelled")]
    Cancelled,
    /// The master is stopping.
    #[error("the master is stopping; upload the file again in a moment")]
    Stopping,
    /// The master is at fault.
    #[error("the master failed to store the file; its log says why")]
    Failed(#[from] anyhow::Error),
}

impl From<BadMessageId> for InboxError {
    fn from(error: BadMessageId) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl InboxError {
    /// The same failure for one of several documents that were to be stored together.
    pub(super) fn again(error: &anyhow::Error) -> Self {
        let why = anyhow!("{error:#}");
        Self::Failed(match error.downcast_ref::<Unwritten>() {
            Some(unwritten) => why.context(unwritten.clone()),
            None => why,
        })
    }

    /// Converts a failure to write the file.
    pub(super) fn writing(error: io::Error, keep_free: u64) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom { keep_free },
            _ => Self::Failed(anyhow::Error::new(error).context("failed to write an uploaded file")),
        }
    }
}
