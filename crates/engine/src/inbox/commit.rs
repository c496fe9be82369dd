//! Stores received documents in groups: one sync of the folder and one transaction for all that arrived meanwhile.

use std::{
    io::{self, Write},
    sync::{Arc, PoisonError},
};

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tributary_store::Store;

use super::{
    arrival::{Arrival, Arrived, take},
    error::InboxError,
    registry::Inbox,
};
use crate::{
    clock,
    documents::{Changes, Committed, DocumentFolder},
};

/// Old messages that are deleted with each group.
const MAX_DELETED_MESSAGES: i64 = 1_000;

/// The result of one arrival of a group.
type Answer = Result<Arrived, InboxError>;

impl Inbox {
    /// Stores a received document, together with others that arrive at the same time. Once this succeeds, the document survives a
    /// crash.
    ///
    /// # Errors
    /// The document is refused; the database or the disk fails. Then nothing of it is left.
    pub(super) async fn commit(
        &self,
        arrival: impl FnOnce(oneshot::Sender<Answer>) -> Arrival,
    ) -> Result<Arrived, InboxError> {
        let (answer, answered) = oneshot::channel();
        self.0.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival(answer));
        let turn = self.0.turn.lock().await;
        let group = std::mem::take(&mut *self.0.arrivals.lock().unwrap_or_else(PoisonError::into_inner));
        if !group.is_empty() {
            let inbox = self.clone();
            // Others wait for it too, so it must not end with this request.
            tokio::spawn(async move { inbox.commit_group(group).await }).await.context("storing documents panicked")?;
        }
        drop(turn);
        answered.await.context("a document was not stored")?
    }

    async fn commit_group(&self, group: Vec<Arrival>) {
        let folder = self.0.documents.folder().clone();
        let keep_free = self.0.limits.keep_free;
        let written = tokio::task::spawn_blocking(move || write_all(&folder, group, keep_free)).await;
        let group = match written {
            Ok(group) => group,
            Err(error) => return tracing::error!("writing documents panicked: {error}"),
        };
        let group = Arc::new(group);
        let stored = self.store(Arc::clone(&group)).await;
        // Only a writer that stops could still have it, and then the master ends.
        let Some(group) = Arc::into_inner(group) else { return };
        let (answers, committed) = match stored {
            Ok((answers, committed)) => (answers, Some(committed)),
            Err(error) => (group.iter().map(|_| Err(InboxError::again(&error))).collect(), None),
        };
        let answered: Vec<_> = group.into_iter().zip(answers).collect();
        self.publish(&answered).await;
        if let Some(committed) = committed {
            self.0.documents.announce(committed).await;
        }
        for (arrival, answer) in answered {
            let _ = arrival.answer.send(answer);
        }
    }

    /// Stores a group in one transaction.
    async fn store(&self, group: Arc<Vec<Arrival>>) -> Result<(Vec<Answer>, Committed)> {
        self.0.source.start().await?;
        let documents = self.0.documents.clone();
        let (keep, keep_for) = self.0.keep_messages;
        let oldest = clock::before_now(keep_for);
        let write = move |store: &mut Store| {
            let (changes, answers) = store.transaction(|store| {
                let mut changes = Changes::default();
                let mut answers = Vec::new();
                for arrival in &*group {
                    let answer = take(store, arrival, &mut changes)?;
                    answers.push(answer);
                }
                store.delete_old_messages(keep, &oldest, MAX_DELETED_MESSAGES)?;
                anyhow::Ok((changes, answers))
            })?;
            Ok((answers, documents.committed(changes)))
        };
        self.0.writer.run_first(write).await
    }

    /// Gives the stored documents their names, and deletes the bodies of the others.
    async fn publish(&self, answered: &[(Arrival, Answer)]) {
        let folder = self.0.documents.folder().clone();
        let step = |(arrival, answer): &(Arrival, Answer)| {
            (arrival.row.id.clone(), arrival.row.path.clone(), matches!(answer, Ok(Arrived::Stored(_))))
        };
        let steps: Vec<_> = answered.iter().map(step).collect();
        let publish = move || {
            for (id, path, is_stored) in steps {
                let done = if is_stored { folder.publish(&id, &path) } else { folder.delete_part(&id) };
                if let Err(error) = done {
                    // It is found under its hidden name too.
                    tracing::warn!(file.path = %path, "failed to rename or delete the received file of `{path}`: {error}");
                }
            }
        };
        if let Err(error) = tokio::task::spawn_blocking(publish).await {
            tracing::error!("naming documents panicked: {error}");
        }
    }
}

/// Writes the bodies that are in memory and syncs them, and then the folder. Answers those that fail, and returns the others.
fn write_all(folder: &DocumentFolder, group: Vec<Arrival>, keep_free: u64) -> Vec<Arrival> {
    let mut written = Vec::new();
    for mut arrival in group {
        match write(folder, &arrival.row.id, arrival.small.take()) {
            Ok(()) => written.push(arrival),
            Err(error) => refuse(folder, arrival, InboxError::writing(error, keep_free)),
        }
    }
    match folder.sync() {
        Ok(()) => written,
        Err(error) => {
            let why = error.to_string();
            for arrival in written {
                refuse(folder, arrival, InboxError::writing(io::Error::new(error.kind(), why.clone()), keep_free));
            }
            Vec::new()
        }
    }
}

fn write(folder: &DocumentFolder, id: &str, body: Option<Vec<u8>>) -> io::Result<()> {
    let Some(body) = body else { return Ok(()) };
    folder.create()?;
    let mut file = folder.create_part(id)?;
    folder.faults.point("write a part")?;
    file.write_all(&body)?;
    folder.faults.point("sync a part")?;
    file.sync_all()
}

fn refuse(folder: &DocumentFolder, arrival: Arrival, why: InboxError) {
    let path = &arrival.row.path;
    if let Err(error) = folder.delete_part(&arrival.row.id) {
        tracing::warn!(file.path = %path, "failed to delete the received part of `{path}`: {error}");
    }
    let _ = arrival.answer.send(Err(why));
}
