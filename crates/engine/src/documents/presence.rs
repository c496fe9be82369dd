//! Looks whether the files of applied documents are still there. Nothing reads them again, so nothing else would notice that somebody
//! has deleted one: its rows stay, but can never be computed again.

use std::{ops::Bound, time::Duration};

use tokio::{
    task::spawn_blocking,
    time::{Instant, sleep},
};

use super::Documents;
use crate::supervise::Task;

/// Shortest interval between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// The interval grows with the time that a look takes, so that a million documents do not keep a disk busy.
const PAUSES: u32 = 100;
/// Documents that are copied at a time.
const BATCH: usize = 1_000;

/// Looks again and again.
pub(crate) struct Presence(pub(crate) Documents);

impl Task for Presence {
    async fn run(&mut self) {
        let mut pause = LOOK_INTERVAL;
        loop {
            sleep(pause).await;
            let (documents, began) = (self.0.clone(), Instant::now());
            if let Err(error) = spawn_blocking(move || documents.look()).await {
                tracing::error!("looking for the files of documents panicked: {error}");
            }
            pause = LOOK_INTERVAL.max(began.elapsed() * PAUSES);
        }
    }
}

impl Documents {
    /// Notes which files are gone, and which of these are back.
    fn look(&self) {
        let mut after = Bound::Unbounded;
        loop {
            let batch = self.standing_behind(&after);
            let Some((last, ..)) = batch.last() else { return };
            after = Bound::Excluded(last.clone());
            for (path, id, is_applied) in batch {
                // A document that waits is read, and fails then.
                if is_applied {
                    self.note(&path, &id, !self.folder().has(&id, &path));
                }
            }
        }
    }

    /// The next paths, with the ids of their documents and whether these are applied.
    fn standing_behind(&self, after: &Bound<String>) -> Vec<(String, String, bool)> {
        let state = self.state();
        let range = (after.as_ref().map(String::as_str), Bound::Unbounded);
        let standing = state.standing.range::<str, _>(range).take(BATCH);
        standing.map(|(path, found)| (path.clone(), found.id.clone(), found.is_applied)).collect()
    }

    /// Makes the source report a change if this is news. A path that stands for another document by now does not count.
    fn note(&self, path: &str, id: &str, is_missing: bool) {
        let mut state = self.state();
        let is_this = state.standing.get(path).is_some_and(|standing| standing.id == id);
        if !is_this || state.missing.contains(path) == is_missing {
            return;
        }
        if is_missing {
            state.missing.insert(path.to_owned());
        } else {
            state.missing.remove(path);
            tracing::info!(file.path = %path, "the file of the upload `{path}` is back");
        }
        state.changed.insert(path.to_owned());
        state.number += 1;
        drop(state);
        self.tell_news();
    }
}
