//! The last step of a pass: writes what was read, and follows it in memory.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use tributary_store::{SourceState, Store};

use super::Poll;
use crate::{
    documents::{Committed, Documents},
    ingest::{self, Applied, FileVersion, RowCounts, SourceVersion, Written},
    input::{KnownFiles, Plan},
};

/// Interval in which passes that change nothing are recorded in the database. In between only this process knows of them.
const IDLE_RECORD_INTERVAL: Duration = Duration::from_secs(60);

/// Rejected files of a version that are logged; the others are counted.
const MAX_WARNINGS: usize = 100;

impl Poll {
    /// Applies a version unless that is known to change nothing. `documents` are the paths that were listed, if documents are the source.
    pub(super) async fn apply(&mut self, new: SourceVersion, documents: Vec<String>) -> Result<Applied> {
        if self.is_recorded(&new) {
            return Ok(self.as_before());
        }
        self.write(new, documents).await
    }

    /// Whether a pass changed nothing and was recorded recently. Then the writer is not needed.
    fn is_recorded(&self, new: &SourceVersion) -> bool {
        let is_recent = self.recorded.is_some_and(|recorded| recorded.elapsed() < IDLE_RECORD_INTERVAL);
        let is_over = matches!(self.stored.state, SourceState::Down | SourceState::Held);
        let is_known = new.version.is_some() && new.version == self.stored.version;
        is_recent && !is_over && is_known && !new.changes_files()
    }

    async fn write(&mut self, new: SourceVersion, listed: Vec<String>) -> Result<Applied> {
        self.progress.phase("applying");
        let (read, removed) = (new.files.len(), new.removed.len());
        let gone: Vec<String> = new.removed.iter().map(|file| file.path.clone()).collect();
        let version = new.version.clone();
        let (changes, keeps_hold) = (new.changes_files(), new.keeps_hold());
        let rejected = RejectedFiles::of(&new);
        let what = format!("a version of {}", self.source.name);
        let durations = self.context.durations.clone();
        let documents = self.origin.documents().cloned();
        let apply = move |store: &mut Store| {
            let started = Instant::now();
            let applied = match documents {
                None => ingest::apply(store, new).map(|(applied, files)| (applied, files, None)),
                Some(documents) => apply_documents(store, &documents, new, &listed),
            };
            durations.apply(started.elapsed());
            applied
        };
        let (applied, files, committed) = self.context.writer.run(what, apply).await?;
        if let (Some(documents), Some(committed)) = (self.origin.documents(), committed) {
            documents.announce(committed).await;
        }
        if !keeps_hold {
            self.stored.state = applied.state;
            self.stored.error = applied.error.clone();
        }
        self.recorded = Some(Instant::now());
        let name = &self.source.name;
        if let Some(held) = &applied.held {
            if held.is_news {
                let why = applied.error.as_deref().unwrap_or_default();
                tracing::warn!(source.id = %name, products.removed = held.row.removes, "a version of `{name}` is {why}");
            }
            return Ok(applied);
        }
        let stored = Arc::make_mut(&mut self.stored.files);
        for path in &gone {
            self.counts = self.counts - stored.remove(path).iter().map(ingest::counts).sum();
        }
        for file in files.rows() {
            self.counts = self.counts + ingest::counts(&file);
            self.counts = self.counts - stored.insert(&file).iter().map(ingest::counts).sum();
        }
        self.stored.version = version;
        rejected.log(name);
        let (read, left) = (read - applied.left.len(), applied.left.len());
        if changes && (left == 0 || read > 0) {
            let Written { added, updated, removed: gone } = applied.written;
            tracing::info!(
                source.id = %name, files.read = read, files.removed = removed, products.added = added,
                products.updated = updated, products.removed = gone, rows.rejected = applied.rejected,
                "applied `{name}`: {read} files read, {removed} removed; products +{added} ~{updated} -{gone}"
            );
        }
        Ok(applied)
    }

    /// The result of a pass that changes nothing.
    pub(super) fn as_before(&self) -> Applied {
        let (state, error) = (self.stored.state, self.stored.error.clone());
        Applied { written: Written::default(), rejected: 0, state, error, held: None, left: Vec::new() }
    }

    /// Rows and rejects of the files that a version leaves as they are.
    pub(super) fn unchanged(&self, read: &[FileVersion], plan: &Plan) -> RowCounts {
        let read = read.iter().map(|file| file.listed.entry.path.as_str());
        let others = plan.settled.iter().chain(&plan.reranked).chain(&plan.removed).map(|file| file.path.as_str());
        let touched = read.chain(others).filter_map(|path| self.stored.files.get(path));
        self.counts - touched.map(|file| ingest::counts(&file)).sum()
    }
}

/// The files of a version that are rejected as a whole.
struct RejectedFiles {
    /// Paths and reasons of the first.
    named: Vec<(String, String)>,
    /// The number of the others.
    others: usize,
}

impl RejectedFiles {
    fn of(version: &SourceVersion) -> Self {
        let mut rejected = version.rejected();
        let named = rejected.by_ref().take(MAX_WARNINGS).map(|(path, reason)| (path.to_owned(), reason)).collect();
        Self { named, others: rejected.count() }
    }

    fn log(&self, name: &str) {
        for (path, reason) in &self.named {
            tracing::warn!(
                source.id = %name, file.path = %path, %reason,
                "`{path}` of `{name}` is rejected and keeps its accepted rows: {reason}"
            );
        }
        let others = self.others;
        if others > 0 {
            tracing::warn!(source.id = %name, "{others} more files of `{name}` are rejected and keep their accepted rows");
        }
    }
}

/// Applies the documents that their paths still stand for, and ends those that have a verdict now, in one transaction.
fn apply_documents(
    store: &mut Store,
    documents: &Documents,
    mut new: SourceVersion,
    listed: &[String],
) -> Result<(Applied, KnownFiles, Option<Committed>)> {
    // On this thread nothing changes meanwhile.
    new.files.retain(|file| documents.is_standing(&file.listed.entry.path, &file.listed.entry.hash));
    let (applied, files, changes) = store.transaction_of(new.rows(), |store| {
        let (applied, files) = ingest::apply_in(store, &mut new)?;
        anyhow::Ok((applied, files, documents.settle(store, listed)?))
    })?;
    Ok((applied, files, Some(documents.committed(changes))))
}
