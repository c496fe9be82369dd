//! Compares what a source lists with the files that a reader knows, and returns what to read, settle or remove. It does no I/O.

use std::{collections::HashSet, iter::Peekable, sync::Arc};

use anyhow::{Context as _, Result};
use tributary_format_rules::SourceFormats;
use tributary_protocol::{CompactManifest, FileList, FormatSpec, ManifestEntry};
use tributary_store::{FileRow, FileState};

use super::{KnownFiles, Reader, known::KnownFile};

/// The difference between what a source lists and what a reader has of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Files to read: new, changed, or read in another way before.
    pub(crate) read: FilesToRead,
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
    pub(crate) fn digest(&self, listed: &FileList) -> String {
        let mut digest = blake3::Hasher::new();
        // Piece by piece: a first start may have many thousands of files.
        let mut add = |what: &str, words: &[&str]| {
            for word in [what].iter().chain(words) {
                digest.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
            }
        };
        for (number, way) in &self.read.files {
            let ManifestEntry { path, hash, .. } = listed.entry(*number as usize);
            add("read", &[&path, &hash, &self.read.ways[*way as usize].1]);
        }
        self.settled.iter().for_each(|file| add("settled", &[&file.path]));
        self.reranked.iter().for_each(|file| add("reranked", &[&file.path, &file.rank_key]));
        self.removed.iter().for_each(|file| add("removed", &[&file.path]));
        digest.finalize().to_hex()[..32].to_owned()
    }
}

/// Files to read, by their numbers in the list of a manifest: there may be a million.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FilesToRead {
    /// The number of each, and that of the way in which it is read.
    files: Vec<(u32, u32)>,
    /// Formats, and the digests of how files in them are read.
    ways: Vec<(Arc<FormatSpec>, Arc<str>)>,
}

impl FilesToRead {
    /// Number of files.
    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Their paths in the list that they were planned from.
    pub(crate) fn paths<'a>(&'a self, listed: &'a FileList) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(|(number, _)| listed.path(*number as usize))
    }

    /// The files, each made when it is asked for; `reader` is the one that they were planned for.
    pub(crate) fn iter<'a>(
        &'a self,
        listed: &'a FileList,
        reader: &'a impl Reader,
    ) -> impl Iterator<Item = Arc<FileToRead>> + 'a {
        self.files.iter().map(|file| self.file(*file, listed, reader))
    }

    fn file(&self, (number, way): (u32, u32), listed: &FileList, reader: &impl Reader) -> Arc<FileToRead> {
        let (entry, (format, reading)) = (listed.entry(number as usize), self.ways[way as usize].clone());
        let rank = reader.rank(&format, &entry);
        Arc::new(FileToRead { entry, format, reading, rank })
    }

    /// The files that are wanted.
    pub(crate) fn filtered(
        &self,
        listed: &FileList,
        reader: &impl Reader,
        mut is_wanted: impl FnMut(Arc<FileToRead>) -> bool,
    ) -> Self {
        let wanted = self.files.iter().copied().filter(|file| is_wanted(self.file(*file, listed, reader)));
        Self { files: wanted.collect(), ways: self.ways.clone() }
    }

    /// Takes out the files that are wanted.
    pub(crate) fn take_out(
        &mut self,
        listed: &FileList,
        reader: &impl Reader,
        mut is_wanted: impl FnMut(&FileToRead) -> bool,
    ) -> Self {
        let files = std::mem::take(&mut self.files);
        let (wanted, others) = files.into_iter().partition(|file| is_wanted(&self.file(*file, listed, reader)));
        self.files = others;
        Self { files: wanted, ways: self.ways.clone() }
    }

    /// Takes the first so many files.
    pub(crate) fn take_first(&mut self, most: usize) -> Self {
        let rest = self.files.split_off(most.min(self.files.len()));
        Self { files: std::mem::replace(&mut self.files, rest), ways: self.ways.clone() }
    }

    /// The files at these paths.
    pub(crate) fn with_paths(mut self, listed: &FileList, paths: &HashSet<String>) -> Self {
        self.files.retain(|(number, _)| paths.contains(listed.path(*number as usize)));
        self
    }

    /// Adds files that were taken out. All are in the order of the list again.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.files.append(&mut other.files);
        self.files.sort_unstable();
    }

    /// Their numbers in the list.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.files.iter().map(|(number, _)| *number as usize)
    }

    /// Keeps the first so many files, and returns the paths of the others.
    pub(crate) fn put_off(&mut self, most: usize, listed: &FileList) -> Vec<String> {
        let rest = self.files.split_off(most.min(self.files.len()));
        rest.into_iter().map(|(number, _)| listed.path(number as usize).to_owned()).collect()
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

/// Plans. Only [`plan_aside`] gives it, so nobody plans on an async worker.
pub(crate) struct Planner(());

/// Plans on a thread for work that takes long: each pattern may have to be compared with a million paths.
///
/// # Errors
/// The work panics.
pub(crate) async fn plan_aside<T: Send + 'static>(work: impl FnOnce(&Planner) -> T + Send + 'static) -> Result<T> {
    let planned = tokio::task::spawn_blocking(move || work(&Planner(()))).await;
    planned.context("planning a pass panicked; this is a bug, and the log says where")
}

impl Planner {
    /// Compares a manifest, whose files are sorted, with the files that a reader knows of the source, by path. Only paths that the reader
    /// claims count. `formats` are those of the source. Of a delta, only the files that it lists or removes are looked at.
    pub(crate) fn plan(
        &self,
        reader: &impl Reader,
        (manifest, formats): (&CompactManifest, &SourceFormats),
        known: &KnownFiles,
    ) -> Plan {
        let mut plan = to_read(reader, (manifest, formats), known);
        let is_unreadable = |path: &str| reader.claims(path) && manifest.covers_unreadable(path);
        let is_listed = |path: &str| manifest.files.contains(path) && reader.claims(path);
        plan.removed = match manifest.since {
            None => {
                // Both are sorted, and there may be a million.
                let mut listed = manifest.files.paths().peekable();
                let is_listed = |path: &str| reaches(&mut listed, path) && reader.claims(path);
                let gone = known.paths().filter(not(is_listed)).filter(not(is_unreadable));
                gone.filter_map(|path| known.get(path)).collect()
            }
            Some(_) => {
                let removed = manifest.removed.iter().map(String::as_str).filter(|path| known.contains(path));
                let gone = removed.filter(not(is_listed)).filter(not(is_unreadable));
                gone.filter_map(|path| known.get(path)).collect()
            }
        };
        plan.left_out = still_listed(manifest, &plan.removed);
        plan
    }
}

/// Goes on to `path` in sorted paths. Returns whether it is among them.
fn reaches<'a>(sorted: &mut Peekable<impl Iterator<Item = &'a str>>, path: &str) -> bool {
    while sorted.next_if(|before| *before < path).is_some() {}
    sorted.peek().is_some_and(|next| *next == path)
}

fn not<'a>(mut is_so: impl FnMut(&str) -> bool) -> impl FnMut(&&'a str) -> bool {
    move |path| !is_so(path)
}

/// The part of a plan that follows from the files that are listed.
fn to_read(reader: &impl Reader, (manifest, formats): (&CompactManifest, &SourceFormats), known: &KnownFiles) -> Plan {
    let mut plan = Plan::default();
    let mut readings = Readings { reader, known: Vec::new() };
    for (number, entry) in (0..).zip(manifest.files.iter()).filter(|(_, entry)| reader.claims(&entry.path)) {
        let way = readings.of(reader.format(&entry.path, formats));
        let (format, reading) = &readings.known[way];
        let rank = reader.rank(format, &entry);
        let is_this = |(hash, as_read): (Option<String>, Option<String>)| {
            hash.as_ref() == Some(&entry.hash) && as_read.is_some_and(|stored| reader.is_read_so(&stored, reading))
        };
        let ranked = |file: KnownFile<'_>| FileRow { rank_key: rank.key.clone(), ..file.row() };
        match known.find(&entry.path) {
            Some(file) if is_this(file.accepted()) => {
                if file.state() != FileState::Applied {
                    plan.settled.push(ranked(file));
                } else if file.rank_key() != rank.key {
                    plan.reranked.push(ranked(file));
                }
            }
            // Rejected before, and nothing has changed.
            Some(file) if file.state() == FileState::Rejected && is_this(file.rejected()) => {
                if file.rank_key() != rank.key && !rank.is_of_content {
                    plan.reranked.push(ranked(file));
                }
            }
            _ => plan.read.files.push((number, way as u32)),
        }
    }
    plan.read.ways = readings.known;
    plan
}

/// The paths of removed files that the manifest lists all the same.
fn still_listed(manifest: &CompactManifest, removed: &[FileRow]) -> HashSet<String> {
    if removed.is_empty() {
        return HashSet::new();
    }
    let removed: HashSet<&str> = removed.iter().map(|file| file.path.as_str()).collect();
    manifest.files.paths().filter(|path| removed.contains(path)).map(str::to_owned).collect()
}

/// The readings of the few formats that the files of a source have, so that not every file costs a digest.
struct Readings<'a, R> {
    reader: &'a R,
    known: Vec<(Arc<FormatSpec>, Arc<str>)>,
}

impl<R: Reader> Readings<'_, R> {
    /// The number of a format among those that are known.
    fn of(&mut self, format: FormatSpec) -> usize {
        if let Some(known) = self.known.iter().position(|(known, _)| **known == format) {
            return known;
        }
        let reading = self.reader.reading(&format).into();
        self.known.push((Arc::new(format), reading));
        self.known.len() - 1
    }
}

#[cfg(test)]
mod tests;
