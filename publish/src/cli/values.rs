//! The checks of single values.

/// Longest name of a queue in AMQP.
const MAX_QUEUE_BYTES: usize = 255;

/// Checks the name of a queue. A broker takes an empty one for a name that it is to choose.
pub(super) fn queue(typed: &str) -> Result<String, String> {
    match typed.len() {
        0 => Err("it is empty; name a queue, or leave the flag out".to_owned()),
        1..=MAX_QUEUE_BYTES => Ok(typed.to_owned()),
        long => Err(format!("it has {long} bytes, and the name of a queue has at most {MAX_QUEUE_BYTES}")),
    }
}
