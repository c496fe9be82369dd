//! The messages on their way from the thread that reads the files, and the check that a file did not change meanwhile.

use std::{
    fs::File,
    io::{self, Error},
};

use tokio::sync::mpsc::Sender;
use tributary_amqp::Message;

use crate::LocalFile;

/// A message, or the reason why a file has no more of them.
#[derive(Debug)]
pub(super) struct Item {
    /// The place of its file in the list of all.
    pub(super) file: usize,
    pub(super) message: Result<Message, String>,
}

/// The items leave the reading thread here.
pub(super) type Items = Sender<Item>;

/// Fails if the file is no longer the one that was checked: half of a file that is being written must not pass for a whole one.
pub(super) fn expect_unchanged(checked: &LocalFile, open: &File) -> io::Result<()> {
    let now = open.metadata()?;
    if now.len() == checked.size && now.modified().ok() == checked.modified {
        return Ok(());
    }
    Err(Error::other("the file changed while it was read; publish it once it is complete"))
}
