//! Ids of messages, as their senders give them.

/// Longest id of a message.
const MAX_MESSAGE_BYTES: usize = 255;

/// An id that is empty or too long, or that no database stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a message has 1 to {MAX_MESSAGE_BYTES} bytes, none of them NUL")]
pub(crate) struct BadMessageId;

/// Checks the id of a message.
///
/// # Errors
/// [`BadMessageId`].
pub(crate) fn check_message_id(id: &str) -> Result<(), BadMessageId> {
    let is_good = (1..=MAX_MESSAGE_BYTES).contains(&id.len()) && !id.contains('\0');
    if is_good { Ok(()) } else { Err(BadMessageId) }
}
