//! Messages of operations that are applied in one transaction.

use std::time::Duration;

use tributary_amqp::{Message, Received};
use tributary_engine::{OperationMessage, OperationOutcome};

use super::operation_json::operations;

/// Fewest and most operations after which a batch takes no more messages. The larger the batch, the less often is each page of the
/// database written: on a slow disk small ones would make it slower still.
const MIN_OPERATIONS: usize = 1_000;
const MAX_OPERATIONS: usize = 4_000;
/// Most messages of a batch, however few operations they hold.
const MAX_MESSAGES: usize = 4_000;
/// Bytes of messages after which a batch takes no more of them.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// Most bytes of one message.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// The time that a batch may take. A person who edits a product waits for one batch.
const MAX_TIME: Duration = Duration::from_millis(200);

/// Messages in the order of the queue.
#[derive(Default)]
pub(super) struct Batch {
    received: Vec<Received>,
    /// Those that can be read.
    messages: Vec<OperationMessage>,
    /// The places of these in `received`.
    places: Vec<usize>,
    /// The places of the others, with the reason.
    unreadable: Vec<(usize, String)>,
    operations: usize,
    bytes: usize,
}

impl Batch {
    /// The number of messages.
    pub(super) fn len(&self) -> usize {
        self.received.len()
    }

    /// The number of operations.
    pub(super) fn operations(&self) -> usize {
        self.operations
    }

    /// Whether it takes another message.
    pub(super) fn has_room(&self, size: BatchSize) -> bool {
        self.len() < MAX_MESSAGES && self.operations < size.operations && self.bytes < MAX_BATCH_BYTES
    }

    /// Reads a message and adds it.
    pub(super) fn add(&mut self, received: Received) {
        let place = self.received.len();
        match read(&received.message) {
            Ok(message) => {
                self.operations += message.operations.len();
                self.messages.push(message);
                self.places.push(place);
            }
            Err(why) => self.unreadable.push((place, why)),
        }
        self.bytes += received.message.body.len();
        self.received.push(received);
    }

    /// The number of the last message on its link.
    pub(super) fn last_tag(&self) -> Option<u64> {
        self.received.last().map(|received| received.tag)
    }

    /// Takes out the messages that can be read.
    pub(super) fn take_messages(&mut self) -> Vec<OperationMessage> {
        std::mem::take(&mut self.messages)
    }

    /// The messages that can never be used, with the reason, in order. `outcomes` are those of the messages that can be read.
    pub(super) fn refused(&mut self, outcomes: Vec<OperationOutcome>) -> Vec<(&Message, String)> {
        let mut refused = std::mem::take(&mut self.unreadable);
        for (place, outcome) in self.places.iter().zip(outcomes) {
            if let OperationOutcome::Refused(why) = outcome {
                refused.push((*place, why));
            }
        }
        refused.sort_unstable();
        refused.into_iter().map(|(place, why)| (&self.received[place].message, why)).collect()
    }
}

/// The number of operations after which a batch is full. It follows the time that batches take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchSize {
    operations: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { operations: MIN_OPERATIONS }
    }
}

impl BatchSize {
    /// Halves the size after a batch that took too long, and doubles it after a full one that took less than half of the time.
    pub(super) fn adapt(&mut self, operations: usize, took: Duration) {
        if took > MAX_TIME {
            self.operations = (self.operations / 2).max(MIN_OPERATIONS);
        } else if operations >= self.operations && took < MAX_TIME / 2 {
            self.operations = (self.operations * 2).min(MAX_OPERATIONS);
        }
    }
}

/// Reads a message.
fn read(message: &Message) -> Result<OperationMessage, String> {
    if let Some(encoding) = message.packing() {
        return Err(format!("its content-encoding is `{encoding}`; operations are not packed"));
    }
    if message.body.len() > MAX_MESSAGE_BYTES {
        return Err(format!("it holds {} bytes; at most {MAX_MESSAGE_BYTES} are read", message.body.len()));
    }
    Ok(OperationMessage { id: message.id.clone(), operations: operations(&message.body)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_the_time_of_full_batches() {
        let mut size = BatchSize::default();
        let mut check = |operations, milliseconds, expect| {
            size.adapt(operations, Duration::from_millis(milliseconds));
            assert_eq!(size.operations, expect, "after {operations} operations in {milliseconds} ms");
        };
        check(10, 1, 1_000);
        check(1_000, 99, 2_000);
        check(2_500, 50, 4_000);
        check(4_000, 50, 4_000);
        check(4_000, 150, 4_000);
        check(4_000, 201, 2_000);
        check(2_000, 150, 2_000);
        check(1, 30_000, 1_000);
        check(1, 30_000, 1_000);
    }
}
