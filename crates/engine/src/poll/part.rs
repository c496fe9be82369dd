//! Parts of a version with very many files to read: each is read and applied before the next one, so that what is held is bounded. What
//! takes skus away is left for the rest of the version, which is applied at once, after the parts: only then it is known what goes.

use std::{collections::HashSet, sync::Arc, time::Instant};

use anyhow::Result;
use tributary_budget::Share;
use tributary_config::PRODUCTS;

use super::{
    Poll,
    list::{Listed, Lister},
    planned::Planned,
};
use crate::{
    ingest::{Faults, FileVersion, Outcome, RowCounts, SourceVersion, Written},
    input::{FileToRead, FilesToRead, Plan},
    source::FetchError,
};

/// The next step of a pass.
pub(super) enum Step {
    /// A part was read.
    Part(Box<Part>),
    /// All that is left was read.
    Rest(Box<Listed>),
}

/// The files of a version that are applied before the rest.
pub(super) struct Part {
    /// Those that were to be read.
    files: FilesToRead,
    read: Vec<FileVersion>,
    unread: Vec<(Arc<FileToRead>, FetchError)>,
    /// Number of files that were not tried after these, here or in the rest.
    skipped: usize,
    unfinished: Unfinished,
}

/// A plan that is carried out in parts, as far as it is left.
pub(super) struct Unfinished {
    pub(super) planned: Planned,
    /// The part of the memory for lists of files that its list takes.
    pub(super) share: Option<Share>,
    /// Whether a part of it was read.
    pub(super) has_parts: bool,
}

/// The parts of a pass so far.
pub(super) struct Parts {
    /// The moment when the pass began, and the time when it asked its source.
    pub(super) started: Instant,
    pub(super) sensed: String,
    /// The plan, as far as it is left.
    pub(super) unfinished: Option<Unfinished>,
    pub(super) written: Written,
    pub(super) rejected: u64,
    /// Number of files that were applied.
    pub(super) read: usize,
    pub(super) faults: Faults,
    /// Whether any file could not be read, other than one that kept changing.
    pub(super) failed: bool,
    /// Whether every file was read.
    pub(super) is_whole: bool,
    /// The skus that the source offered before them; `None` if it had no file, or nothing is held.
    pub(super) offered: Option<u64>,
}

impl Parts {
    pub(super) fn begin(sensed: String) -> Self {
        Self {
            started: Instant::now(),
            sensed,
            unfinished: None,
            written: Written::default(),
            rejected: 0,
            read: 0,
            faults: Faults::default(),
            failed: false,
            is_whole: true,
            offered: None,
        }
    }

    /// Adds what could not be read.
    pub(super) fn add_unread(&mut self, unread: &[(Arc<FileToRead>, FetchError)], skipped: usize) {
        self.faults.extend(unread_faults(unread, skipped));
        self.failed |= unread.iter().any(|(_, error)| !matches!(error, FetchError::Changed(_)));
        self.is_whole &= unread.is_empty() && skipped == 0;
    }
}

impl Unfinished {
    /// Takes the files of the next part; none if all that is left can be applied at once.
    pub(super) fn next_part(&mut self, most: usize) -> Option<FilesToRead> {
        let Planned { plan, early, manifest, digest, .. } = &mut self.planned;
        if !early.is_empty() && early.len() + plan.read.len() > most {
            self.has_parts = true;
            return Some(early.take_first(most));
        }
        plan.read.append(std::mem::take(early));
        if self.has_parts {
            // If the rest is held, the next pass plans no more than this.
            *digest = plan.digest(&manifest.files);
        }
        None
    }
}

impl Lister<'_> {
    /// Reads a part of what is planned.
    pub(super) async fn read_part(self, files: FilesToRead, mut unfinished: Unfinished) -> Step {
        let mut read = Vec::new();
        let Planned { plan, early, manifest, .. } = &mut unfinished.planned;
        let (unread, mut skipped) = self.read_missing((&files, &manifest.files), &mut read).await;
        if skipped > 0 {
            skipped += early.len() + plan.read.len();
            (*early, plan.read) = Default::default();
        }
        Step::Part(Box::new(Part { files, read, unread, skipped, unfinished }))
    }
}

impl Poll {
    /// Applies a part, and leaves to the rest what takes skus away.
    pub(super) async fn apply_part(&mut self, part: Part, parts: &mut Parts) -> Result<()> {
        let Part { files, mut read, unread, skipped, mut unfinished } = part;
        parts.add_unread(&unread, skipped);
        self.count_offered(parts).await?;
        read.extend(changing(unread));
        let count = read.len();
        let unchanged = self.unchanged(&read, &Plan::default());
        let version = SourceVersion {
            is_part: true,
            version: None,
            failed: parts.failed,
            faults: parts.faults.clone(),
            ..self.version(read, unchanged, Plan::default(), parts)
        };
        let applied = self.apply(version, Vec::new()).await?;
        parts.written += applied.written;
        parts.rejected += applied.rejected;
        parts.read += count - applied.left.len();
        let left: HashSet<String> = applied.left.into_iter().collect();
        let keeps_files = self.keeps_files();
        let Planned { plan, early, manifest, .. } = &mut unfinished.planned;
        plan.read.append(files.with_paths(&manifest.files, &left));
        if !keeps_files {
            let mut is_asked_for = vec![false; manifest.files.len()];
            plan.read.numbers().chain(early.numbers()).for_each(|number| is_asked_for[number] = true);
            manifest.files.keep_texts(|number| is_asked_for[number]);
        }
        parts.unfinished = Some(unfinished);
        Ok(())
    }

    /// Counts the skus of the source before the first part: what the rest takes away is compared with these.
    async fn count_offered(&self, parts: &mut Parts) -> Result<()> {
        let is_first = parts.offered.is_none() && parts.read == 0 && !self.stored.files.is_empty();
        if is_first && self.source.brake.max_removal.is_some() {
            let (what, source) = (format!("the skus of {}", self.source.name), self.stored.id);
            let offered = self.context.writer.run(what, move |store| Ok(store.offered_skus(PRODUCTS, source)?)).await?;
            parts.offered = Some(offered.unsigned_abs());
        }
        Ok(())
    }

    /// Makes a version of files that were read, and of the rest of a plan.
    pub(super) fn version(
        &self,
        mut files: Vec<FileVersion>,
        unchanged: RowCounts,
        plan: Plan,
        parts: &Parts,
    ) -> SourceVersion {
        files.sort_unstable_by(|a, b| a.listed.entry.path.cmp(&b.listed.entry.path));
        SourceVersion {
            source: self.stored.id,
            name: self.source.name.clone(),
            before: self.stored.state,
            columns: self.stored.feeds.ids.clone(),
            brake: self.source.brake,
            waits: self.hold.wait.clone(),
            unchanged,
            is_part: false,
            offered: parts.offered,
            version: None,
            files,
            settled: plan.settled,
            reranked: plan.reranked,
            removed: plan.removed,
            left_out: plan.left_out,
            failed: false,
            faults: Faults::default(),
            sensed: parts.sensed.clone(),
            started: parts.started,
        }
    }
}

/// Faults for files that could not be read, and for those that were not tried after them.
fn unread_faults(unread: &[(Arc<FileToRead>, FetchError)], skipped: usize) -> impl Iterator<Item = String> {
    let skipped =
        (skipped > 0).then(|| format!("{skipped} files were not asked for, because those before them failed"));
    skipped.into_iter().chain(unread.iter().map(|(file, error)| format!("{}: {error:#}", file.entry.path)))
}

/// The files that changed while they were read.
pub(super) fn changing(unread: Vec<(Arc<FileToRead>, FetchError)>) -> impl Iterator<Item = FileVersion> {
    let changing = unread.into_iter().filter(|(_, error)| matches!(error, FetchError::Changed(_)));
    changing.map(|(listed, _)| FileVersion { listed, outcome: Outcome::Changing })
}
