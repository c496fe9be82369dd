//! Compares what a source lists with the files that a reader knows, and returns what to read, settle or remove. It does no I/O.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use tributary_format_rules::SourceFormats;
use tributary_protocol::{FormatSpec, Manifest, ManifestEntry};
use tributary_store::{FileRow, FileState};

use super::Reader;

/// The difference between what a source lists and what a reader has of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Files to read: new, changed, or read in another way before.
    pub(crate) read: Vec<Arc<FileToRead>>,
    /// Files that have their accepted content again, after one that was rejected or kept changing.
    pub(crate) settled: Vec<FileRow>,
    /// Files whose content stays and whose rank among the files of the source is another one now.
    pub(crate) reranked: Vec<FileRow>,
    /// Files that are gone, or that the reader no longer claims. A file that the source cannot read is not gone.
    pub(crate) removed: Vec<FileRow>,
    /// Paths of removed files that the source still lists.
    pub(crate) left_out: HashSet<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.read.is_empty() && [&self.settled, &self.reranked, &self.removed].iter().all(|files| files.is_empty())
    }

    /// A digest of what is to be read and removed. The same plan over the same stored files gives the same version.
    pub(crate) fn digest(&self) -> String {
        let mut digest = blake3::Hasher::new();
        // Piece by piece: a first start may have many thousands of files.
        let mut add = |what: &str, words: &[&str]| {
            for word in [what].iter().chain(words) {
                digest.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
            }
        };
        self.read.iter().for_each(|file| add("read", &[&file.entry.path, &file.entry.hash, &file.reading]));
        self.settled.iter().for_each(|file| add("settled", &[&file.path]));
        self.reranked.iter().for_each(|file| add("reranked", &[&file.path, &file.rank_key]));
        self.removed.iter().for_each(|file| add("removed", &[&file.path]));
        digest.finalize().to_hex()[..32].to_owned()
    }
}

/// A file to read, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileToRead {
    /// The file as the manifest lists it.
    pub(crate) entry: ManifestEntry,
    /// Its format, which many files share.
    pub(crate) format: Arc<FormatSpec>,
    /// The digest of how it is read.
    pub(crate) reading: Arc<str>,
    /// Its rank among the files of the source.
    pub(crate) rank: Rank,
}

/// The rank of a file among those of its source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rank {
    /// Stored with the file.
    pub(crate) key: String,
    /// Whether it is the rank of this content: it is the time of its last change.
    pub(crate) is_of_content: bool,
}

/// Compares a manifest with the files that a reader knows of the source, by path. Only paths that the reader claims count. `formats`
/// are those of the source. Of a delta, only the files that it lists or removes are looked at.
pub(crate) fn plan(
    reader: &impl Reader,
    (manifest, formats): (&Manifest, &SourceFormats),
    known: &BTreeMap<String, FileRow>,
) -> Plan {
    let claimed: Vec<_> = manifest.files.iter().filter(|entry| reader.claims(&entry.path)).collect();
    // A first list may have a million files, and then nothing can be gone.
    let compared = if known.is_empty() { &[][..] } else { &claimed };
    let listed: HashSet<&str> = compared.iter().map(|entry| entry.path.as_str()).collect();
    let mut plan = Plan::default();
    let mut readings = Readings { reader, known: Vec::new() };
    for &entry in &claimed {
        let (format, reading) = readings.of(reader.format(&entry.path, formats));
        let rank = reader.rank(&format, entry);
        let is_this = |hash: &Option<String>, as_read: &Option<String>| {
            hash.as_deref() == Some(&entry.hash)
                && as_read.as_deref().is_some_and(|stored| reader.is_read_so(stored, &reading))
        };
        let ranked = |file: &FileRow| FileRow { rank_key: rank.key.clone(), ..file.clone() };
        match known.get(&entry.path) {
            Some(file) if is_this(&file.hash, &file.reading) => {
                if file.state != FileState::Applied {
                    plan.settled.push(ranked(file));
                } else if file.rank_key != rank.key {
                    plan.reranked.push(ranked(file));
                }
            }
            // Rejected before, and nothing has changed.
            Some(file) if file.state == FileState::Rejected && is_this(&file.rejected_hash, &file.rejected_reading) => {
                if file.rank_key != rank.key && !rank.is_of_content {
                    plan.reranked.push(ranked(file));
                }
            }
            _ => plan.read.push(Arc::new(FileToRead { entry: entry.clone(), format, reading, rank })),
        }
    }
    let is_unreadable = |path: &str| reader.claims(path) && manifest.covers_unreadable(path);
    let is_gone = |file: &&FileRow| !listed.contains(file.path.as_str()) && !is_unreadable(&file.path);
    plan.removed = match manifest.since {
        None => known.values().filter(is_gone).cloned().collect(),
        Some(_) => manifest.removed.iter().filter_map(|path| known.get(path)).filter(is_gone).cloned().collect(),
    };
    plan.left_out = still_listed(manifest, &plan.removed);
    plan
}

/// The paths of removed files that the manifest lists all the same.
fn still_listed(manifest: &Manifest, removed: &[FileRow]) -> HashSet<String> {
    if removed.is_empty() {
        return HashSet::new();
    }
    let removed: HashSet<&str> = removed.iter().map(|file| file.path.as_str()).collect();
    let listed = manifest.files.iter().map(|entry| &entry.path);
    listed.filter(|path| removed.contains(path.as_str())).cloned().collect()
}

/// The readings of the few formats that the files of a source have, so that not every file costs a digest.
struct Readings<'a, R> {
    reader: &'a R,
    known: Vec<(Arc<FormatSpec>, Arc<str>)>,
}

impl<R: Reader> Readings<'_, R> {
    fn of(&mut self, format: FormatSpec) -> (Arc<FormatSpec>, Arc<str>) {
        if let Some(known) = self.known.iter().find(|(known, _)| **known == format) {
            return known.clone();
        }
        let reading = self.reader.reading(&format).into();
        let new = (Arc::new(format), reading);
        self.known.push(new.clone());
        new
    }
}

#[cfg(test)]
mod tests;
