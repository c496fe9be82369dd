//! A sorted list of entries that versions share. A change costs what lies around the changed path, however many files there are.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, OnceLock},
};

use crate::snapshot::Entry;

/// Entries sorted by path (bytes). A clone shares their memory.
///
/// They are cut into chunks where a path's hash says so. So the chunks of a list depend on its paths alone, and equal lists
/// have equal digests, whatever was added or removed before.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// None is empty, and each but the first begins with a path that begins a chunk.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
    bytes: u64,
    partial: usize,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    entries: Vec<Arc<Entry>>,
    /// The digest of their paths and hashes, once somebody asked for it.
    digest: OnceLock<blake3::Hash>,
}

impl Entries {
    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the sum of the sizes in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of [partial](Entry::is_partial) entries.
    #[must_use]
    pub fn partial(&self) -> usize {
        self.partial
    }

    /// Returns all entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries).map(|entry| &**entry)
    }

    /// Returns the entry of exactly this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let chunk = self.chunks.get(self.chunk_of(path))?;
        chunk.find(path).ok().map(|at| &*chunk.entries[at])
    }

    /// Returns the entries from this path on.
    pub(crate) fn from<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Entry> {
        let at = self.chunk_of(path);
        let skipped = self.chunks.get(at).map_or(0, |chunk| chunk.find(path).unwrap_or_else(|place| place));
        self.chunks[at.min(self.chunks.len())..]
            .iter()
            .flat_map(|chunk| &chunk.entries)
            .skip(skipped)
            .map(|entry| &**entry)
    }

    /// Adds an entry, or replaces the one of its path.
    pub(crate) fn insert(&mut self, entry: Entry) {
        self.remove_counts(&entry.path);
        self.len += 1;
        self.bytes += entry.size;
        self.partial += usize::from(entry.is_partial);
        let at = self.chunk_of(&entry.path);
        if self.chunks.is_empty() {
            self.chunks.push(Arc::default());
        }
        let is_first = self.chunks[at].entries.first().is_some_and(|first| entry.path < first.path);
        if is_first && begins_chunk(&self.chunks[at].entries[0].path) {
            self.chunks.insert(at, Arc::default());
        }
        let chunk = Arc::make_mut(&mut self.chunks[at]);
        if let Some(rest) = chunk.insert(entry) {
            self.chunks.insert(at + 1, Arc::new(rest));
        }
    }

    /// Removes the entry of this path. Returns whether there was one.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        if !self.remove_counts(path) {
            return false;
        }
        let at = self.chunk_of(path);
        let chunk = Arc::make_mut(&mut self.chunks[at]);
        let Ok(place) = chunk.find(path) else { return false };
        chunk.entries.remove(place);
        chunk.digest = OnceLock::new();
        if chunk.entries.is_empty() {
            self.chunks.remove(at);
        } else if place == 0 && at > 0 {
            // What followed the path that began the chunk belongs to the chunk before.
            let rest = self.chunks.remove(at);
            let before = Arc::make_mut(&mut self.chunks[at - 1]);
            before.entries.extend(rest.entries.iter().cloned());
            before.digest = OnceLock::new();
        }
        true
    }

    /// Digests paths and hashes. `None` if there is no entry.
    pub(crate) fn digest(&self) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        for chunk in &self.chunks {
            hasher.update(chunk.digest().as_bytes());
        }
        (!self.is_empty()).then(|| hasher.finalize())
    }

    /// Returns the paths, sorted, of which only one of the two lists has an entry, or another one by more than its times.
    /// Parts that they share cost nothing.
    pub(crate) fn differing(&self, other: &Self) -> Vec<Box<str>> {
        let mut differing: BTreeMap<&str, &Entry> =
            self.unshared(other).map(|entry| (entry.path.as_str(), entry)).collect();
        for entry in other.unshared(self) {
            if differing.get(entry.path.as_str()).is_some_and(|own| own.is_same_content(entry)) {
                differing.remove(entry.path.as_str());
            } else {
                differing.insert(&entry.path, entry);
            }
        }
        differing.into_keys().map(Into::into).collect()
    }

    /// Returns the entries of the chunks that another list does not share.
    fn unshared<'a>(&'a self, other: &Self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let shared: HashSet<*const Chunk> = other.chunks.iter().map(Arc::as_ptr).collect();
        let unshared = self.chunks.iter().filter(move |chunk| !shared.contains(&Arc::as_ptr(chunk)));
        unshared.flat_map(|chunk| &chunk.entries).map(|entry| &**entry)
    }

    /// Takes the entry of this path out of the counts. Returns whether there is one.
    fn remove_counts(&mut self, path: &str) -> bool {
        let Some((size, is_partial)) = self.get(path).map(|entry| (entry.size, entry.is_partial)) else { return false };
        self.len -= 1;
        self.bytes -= size;
        self.partial -= usize::from(is_partial);
        true
    }

    /// Returns the place of the chunk to which a path belongs; 0 if there is no chunk.
    fn chunk_of(&self, path: &str) -> usize {
        let begins_before = |chunk: &Arc<Chunk>| chunk.entries.first().is_some_and(|first| first.path.as_str() <= path);
        self.chunks.partition_point(begins_before).saturating_sub(1)
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Entries {}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut list = Self::default();
        entries.into_iter().for_each(|entry| list.insert(entry));
        list
    }
}

impl Chunk {
    fn find(&self, path: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path))
    }

    /// Adds an entry, or replaces the one of its path. Returns the chunk that begins with it, if it does not stay in this one.
    fn insert(&mut self, entry: Entry) -> Option<Self> {
        self.digest = OnceLock::new();
        let is_boundary = begins_chunk(&entry.path);
        let (place, entry) = (self.find(&entry.path), Arc::new(entry));
        match place {
            Ok(place) => self.entries[place] = entry,
            Err(place) => {
                self.entries.insert(place, entry);
                if is_boundary && place > 0 {
                    return Some(Self { entries: self.entries.split_off(place), digest: OnceLock::new() });
                }
            }
        }
        None
    }

    fn digest(&self) -> &blake3::Hash {
        self.digest.get_or_init(|| {
            let files = self.entries.iter().map(|entry| (entry.path.as_str(), entry.hash.as_str()));
            digest_pairs(files)
        })
    }
}

/// Returns whether a path begins a chunk: one of 256 does, so that a change copies some hundred pointers, and a version of
/// a million files digests some thousand chunks.
fn begins_chunk(path: &str) -> bool {
    blake3::hash(path.as_bytes()).as_bytes()[0] == 0
}

/// Digests pairs of texts. Each text is preceded by its length, so that no two lists give the same bytes.
pub(crate) fn digest_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (one, other) in pairs {
        for part in [one, other] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests;
