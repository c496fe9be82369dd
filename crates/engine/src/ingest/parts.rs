//! A file that is read in parts: segments that an accepted content of it had as well are known, the others are read. What is known gives
//! the file's offers as a [`Patch`], and what was found is remembered for the next content.

mod touched;

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tributary_csv_gate::{FoundSegment, Segment};
use tributary_merge::{MovedLines, Patch, Run};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use self::touched::Touched;
use super::read::is_rounded;
use crate::cache::{Cache, ContentId, KnownFile, NewSegments, Remembered, Skus};

/// Rows that are read beside others that stay, however few these are.
const MAX_READ_ROWS: usize = if cfg!(test) { 4_000 } else { 200_000 };

/// The memory of a file: what it is compared with, and where it is remembered.
pub(crate) struct Memory {
    cache: Cache,
    /// The content that is read; `None` if it is not remembered.
    content: Option<ContentId>,
    /// Its accepted content, with the hash.
    accepted: Option<(String, ContentId)>,
    /// The same, as it is remembered, once it was looked up.
    known: OnceLock<Option<Arc<Known>>>,
}

/// The accepted content of a file.
struct Known {
    /// Its hash.
    hash: String,
    file: KnownFile,
    /// Whether it has turned out that the file must be read as a whole.
    is_useless: AtomicBool,
}

/// The offers of a file.
pub(crate) enum FileOffers {
    /// All of them.
    Whole(Run),
    /// Changes since the accepted content with this hash.
    Patch { patch: Box<Patch>, since: String },
}

/// The file must be read as a whole.
pub(super) struct NeedsWhole;

impl Known {
    fn is_not_enough(&self) -> NeedsWhole {
        self.is_useless.store(true, Ordering::Relaxed);
        NeedsWhole
    }

    fn fails(&self, error: &io::Error) -> NeedsWhole {
        tracing::warn!(%error, "a file is read as a whole, because the cache cannot be read: {error}");
        self.is_not_enough()
    }
}

impl FileOffers {
    /// Number of offers in the file.
    pub(crate) fn offers(&self) -> usize {
        match self {
            Self::Whole(run) => run.offers(),
            Self::Patch { patch, .. } => patch.offers(),
        }
    }

    /// Checks that they can be applied to a file with this accepted content.
    ///
    /// # Errors
    /// They are the changes of another one. The next pass reads the file as a whole.
    pub(super) fn check_since(&self, accepted: Option<&str>) -> anyhow::Result<()> {
        match self {
            Self::Patch { since, .. } if accepted != Some(since) => Err(tributary_merge::Error::NotOfFile.into()),
            _ => Ok(()),
        }
    }

    /// Number of offers that may have changed.
    pub(crate) fn touched(&self) -> usize {
        match self {
            Self::Whole(run) => run.offers(),
            Self::Patch { patch, .. } => patch.touched(),
        }
    }
}

impl Memory {
    /// A file that is not remembered.
    pub(crate) fn none() -> Self {
        Self { cache: Cache::off(), content: None, accepted: None, known: OnceLock::new() }
    }

    /// A content that is remembered in `cache`, and the accepted one before it, with the hash.
    pub(crate) fn of(cache: &Cache, content: ContentId, accepted: Option<(String, ContentId)>) -> Self {
        Self { cache: cache.clone(), content: Some(content), accepted, known: OnceLock::new() }
    }

    fn known(&self) -> Option<Arc<Known>> {
        let look_up = || {
            let (hash, content) = self.accepted.clone()?;
            let file = self.cache.take(&content)?;
            Some(Arc::new(Known { hash, file, is_useless: AtomicBool::new(false) }))
        };
        self.known.get_or_init(look_up).clone().filter(|known| !known.is_useless.load(Ordering::Relaxed))
    }

    /// Begins to read the file, which waits for the disk; `None` if it is read as a whole and not remembered.
    pub(super) fn parts(&self) -> Option<Parts> {
        let known = self.known();
        // Nobody who writes files can guess it, so nobody can make texts of the same digest.
        let seed = known.as_ref().map_or_else(|| Uuid::new_v4().as_u64_pair().0, |known| known.file.seed);
        let new = self.content.as_ref().and_then(|content| self.cache.begin(content, seed));
        (new.is_some() || known.is_some()).then(|| Parts { known, new, seed, ..Parts::default() })
    }
}

/// The parts of a file that is being read.
#[derive(Default)]
pub(super) struct Parts {
    known: Option<Arc<Known>>,
    new: Option<NewSegments>,
    /// That of digests and hashes.
    pub(super) seed: u64,
    /// The skus of the segment that is being read.
    open: Skus,
    /// The number of segments before.
    segments: u32,
    /// All skus that were read, if anything is known: the hash of each, and the number of its segment.
    read: Vec<(u64, u32)>,
    /// The known segments that the file still has, each with its number and its first line now. They ascend.
    stayed: Vec<(usize, u32, u64)>,
    /// The number of their rows.
    stayed_rows: u64,
}

/// The outcome of reading in parts.
pub(super) struct Found {
    pub(super) offers: FileOffers,
    pub(super) remembered: Option<Remembered>,
    /// The number of good rows that were not read.
    pub(super) stayed: u64,
}

impl Parts {
    /// The segments to look for.
    pub(super) fn segments(&self) -> Vec<Segment> {
        self.known.iter().flat_map(|known| &known.file.segments).map(|placed| placed.segment).collect()
    }

    /// Takes the sku of a row that was read.
    pub(super) fn push(&mut self, sku: &str) {
        self.open.push(sku);
        if self.known.is_some() {
            self.read.push((xxh3_64_with_seed(sku.as_bytes(), self.seed), self.segments));
        }
    }

    /// Takes a segment. `rounded` is the first sku of the file that a spreadsheet has rounded.
    ///
    /// # Errors
    /// The remembered content cannot be read.
    pub(super) fn found(&mut self, found: FoundSegment, rounded: &mut Option<String>) -> Result<(), NeedsWhole> {
        match (found, &self.known) {
            (FoundSegment::Read { segment, line }, _) => {
                remember(&mut self.new, segment, line, &self.open);
                self.open.clear();
                if let Some(known) = &self.known
                    && self.is_mostly_read()
                {
                    return Err(known.is_not_enough());
                }
            }
            (FoundSegment::Known { index, line }, Some(known)) => {
                let skus = known.file.skus(index).map_err(|error| known.fails(&error))?;
                if rounded.is_none() {
                    *rounded = first_rounded(&skus).map_err(|error| known.fails(&error))?;
                }
                remember(&mut self.new, known.file.segments[index].segment, line, &skus);
                self.stayed.push((index, self.segments, line));
                self.stayed_rows += known.file.segments[index].segment.rows;
            }
            (FoundSegment::Known { .. }, None) => return Err(NeedsWhole),
        }
        self.segments += 1;
        Ok(())
    }

    /// Whether so much was read that reading all of the file takes less: rows that were read beside others cost memory and time.
    fn is_mostly_read(&self) -> bool {
        self.read.len() > MAX_READ_ROWS && self.read.len() as u64 > 2 * self.stayed_rows
    }

    /// Ends the file, of which `run` holds what was read.
    ///
    /// # Errors
    /// The remembered content cannot be read; or a row counts now that stayed and did not count before, and only its skus are remembered.
    pub(super) fn finish(self, run: Run) -> Result<Found, NeedsWhole> {
        let offers = match &self.known {
            Some(known) if !self.stayed.is_empty() => {
                let touched = Touched::find(&known.file, &self.stayed, self.read, self.stayed_rows)
                    .map_err(|error| known.fails(&error))?;
                let Some(Touched { removed, hidden }) = touched else { return Err(known.is_not_enough()) };
                let moved = self.stayed.iter().map(|(index, _, now)| {
                    let placed = &known.file.segments[*index];
                    MovedLines { first: placed.line, len: placed.segment.lines, now: *now }
                });
                let patch = Patch::new(run, removed, hidden, moved.collect(), known.file.offers as usize);
                FileOffers::Patch { patch: Box::new(patch), since: known.hash.clone() }
            }
            _ => FileOffers::Whole(run),
        };
        let finished = self.new.map(|new| new.finish(offers.offers() as u64)).transpose();
        let remembered = finished.unwrap_or_else(|error| {
            not_remembered(&error);
            None
        });
        Ok(Found { offers, remembered, stayed: self.stayed_rows })
    }
}

/// Remembers a segment. If that fails, the next content is read as a whole.
fn remember(new: &mut Option<NewSegments>, segment: Segment, line: u64, skus: &Skus) {
    if let Some(Err(error)) = new.as_mut().map(|new| new.push(segment, line, skus)) {
        not_remembered(&error);
        *new = None;
    }
}

fn not_remembered(error: &io::Error) {
    tracing::warn!(%error, "failed to write to the cache: {error}");
}

fn first_rounded(skus: &Skus) -> io::Result<Option<String>> {
    for sku in skus.iter() {
        let sku = sku?;
        if is_rounded(sku) {
            return Ok(Some(sku.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
