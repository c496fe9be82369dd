//! Keeps segments of the files of a source, so that of a changed one only the changed parts are read, and rejects, within a bound. Finds
//! again what an earlier round of a pass has read.

use std::{collections::HashMap, sync::Arc};

use tributary_protocol::FileList;

use super::list::Lister;
use crate::{
    cache::ContentId,
    ingest::{Accepted, Feed, FileVersion, Memory, Outcome},
    input::{FileToRead, FilesToRead},
};

/// Size from which a file is remembered. Smaller ones are read as fast as they are compared.
const MIN_REMEMBERED_BYTES: u64 = 1 << 20;

impl Lister<'_> {
    /// The memory of a file, if it is large enough to have one.
    pub(super) fn memory(&self, file: &FileToRead) -> Memory {
        if file.entry.size < MIN_REMEMBERED_BYTES {
            return Memory::none();
        }
        let stored = self.stored.get(&file.entry.path);
        let accepted = stored.and_then(|stored| Some((stored.hash?, stored.reading?)));
        let accepted = accepted.filter(|(_, reading)| *reading == *file.reading);
        let named = accepted.map(|(hash, _)| (hash.clone(), self.content(file, &hash)));
        Memory::of(&self.context.cache, self.content(file, &file.entry.hash), named)
    }

    /// Names a content of a file that is read as the file is now.
    fn content(&self, file: &FileToRead, hash: &str) -> ContentId {
        let read = format!("{} {}", file.reading, self.feeds.seed());
        ContentId::new(&self.source.name, &file.entry.path, hash, &read)
    }

    /// The number of rejects that may be kept of the files to read: the bound of the source, less those of its other files.
    pub(super) fn kept_rejects(&self, (missing, listed): (&FilesToRead, &FileList), read: &[FileVersion]) -> usize {
        let max = self.source.limits.max_rejects;
        let of_read: usize = read.iter().map(|file| file.outcome.kept_rejects()).sum();
        // Usually there are few of them, and the files need not be looked at.
        let of_others = match self.rejects <= max {
            true => self.rejects,
            false => self.stored.kept_rejects_but(&missing.paths(listed).collect()),
        };
        usize::try_from(max.saturating_sub(of_others)).unwrap_or(usize::MAX).saturating_sub(of_read)
    }

    /// Keeps what was remembered of a file, now that its body is known to be the announced one.
    pub(super) async fn keep(&self, outcome: &mut Outcome) {
        if let Outcome::Accepted(Accepted { remembered, .. }) = outcome
            && let Some(remembered) = remembered.take()
        {
            let cache = self.context.cache.clone();
            // If it panics, the next content is read as a whole.
            tokio::task::spawn_blocking(move || cache.keep(remembered)).await.ok();
        }
    }
}

/// The files of a plan that are not read yet. What was read of others is forgotten.
pub(super) fn missing(
    planned: &FilesToRead,
    listed: &FileList,
    feed: &Feed<'_>,
    read: &mut Vec<FileVersion>,
) -> FilesToRead {
    if read.is_empty() {
        return planned.clone();
    }
    let mut known: HashMap<_, usize> = read.iter().map(|version| key(&version.listed)).zip(0..).collect();
    let mut is_kept = vec![false; read.len()];
    let missing = planned.filtered(listed, feed, |file| match known.remove(&key(&file)) {
        Some(at) => {
            is_kept[at] = true;
            read[at].listed = file;
            false
        }
        None => true,
    });
    let mut is_kept = is_kept.into_iter();
    read.retain(|_| is_kept.next().unwrap_or_default());
    missing
}

fn key(file: &FileToRead) -> (String, String, Arc<str>) {
    (file.entry.path.clone(), file.entry.hash.clone(), Arc::clone(&file.reading))
}
