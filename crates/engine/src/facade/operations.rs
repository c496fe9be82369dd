//! Operations from a queue.

use super::Engine;
use crate::edits::{self, OperationLimits, OperationMessage, OperationOutcome};

/// An error of [`Engine::operate`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperateError {
    /// The engine is stopping. The messages may have been applied or not.
    #[error("the master is stopping; send the messages again")]
    Stopping,
    /// The database failed; nothing was changed.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl Engine {
    /// Applies messages in order, in one transaction, and returns the outcome of each. It is committed when this returns. A batch of
    /// 1,000 operations on random skus of 500,000 products took 0.1 to 0.35 s on two cores, by how busy they were; an edit waits
    /// for one batch at most.
    ///
    /// # Errors
    /// [`OperateError`]. The same messages can be given again: those with an id are applied once.
    pub async fn operate(
        &self,
        messages: Vec<OperationMessage>,
        limits: OperationLimits,
    ) -> Result<Vec<OperationOutcome>, OperateError> {
        // Not before all others, as an edit that a person waits for: operations may come without end, and no version would be applied
        // any more. In the same queue as versions they take turns with these, and an edit waits for one batch at most. While a large
        // version is applied they wait, as they would in the other queue, and the broker keeps the messages.
        let write = self.0.writer.run("operations from a queue", move |store| edits::operate(store, messages, limits));
        tokio::select! {
            biased;
            written = write => Ok(written?),
            () = self.0.shutdown.cancelled() => Err(OperateError::Stopping),
        }
    }
}
