//! Segments: runs of whole records of a file, each known by a digest of its text. When the file is read again after a change,
//! the segments that it still has need not be split again: the same text gives the same rows.
//!
//! The text itself decides where a segment ends, so what stands behind a change is cut as before. A segment is *regular* if its rows
//! follow from its text alone. What lies around rejects, joints and headers may depend on what follows, and is always read again.

use std::{collections::HashMap, io::Read};

use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use super::{Next, Table};
use crate::{Error, split::End};

/// A segment ends at a record whose first bytes have a hash with these bits clear: every 512th on average.
const MARK_MASK: u64 = if cfg!(test) { 0x3 } else { 0x1ff };
/// Bytes below which it does not. Where lines repeat, each of them could end one.
const MIN_SEGMENT_BYTES: u64 = if cfg!(test) { 40 } else { 16 << 10 };
/// Bytes at the start of a record that decide it.
const MARK_BYTES: usize = 32;
/// Bytes from which on a segment ends at the next record, whatever it is. A known segment is compared in one piece.
const MAX_SEGMENT_BYTES: u64 = 1 << 20;
/// Known segments with the same beginning that are compared with the text. There is no more than one, unless lines repeat.
const MAX_COMPARED: usize = 4;

/// A run of whole records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Digest of its decoded text, with a seed that the writer of a file must not know: texts of the same digest can be made.
    pub digest: u128,
    /// Digest of the rules by which its records are rows.
    pub rules: u128,
    /// Hash of its first bytes, by which it is looked for.
    pub mark: u64,
    /// The length of its decoded text.
    pub bytes: u64,
    /// The number of its line ends.
    pub lines: u64,
    /// The number of its good rows.
    pub rows: u64,
    /// The number of those in which a quote is text only because quotes are lenient.
    pub repaired: u64,
    /// Whether its rows follow from its text alone: without rejects, and without anything that may depend on its surroundings.
    pub is_regular: bool,
}

/// A segment of the file that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundSegment {
    /// Its rows were returned one by one, just before.
    Read {
        /// The segment.
        segment: Segment,
        /// The line on which it begins.
        line: u64,
    },
    /// It is known, and its rows are not returned.
    Known {
        /// Its number among the known ones. They ascend.
        index: usize,
        /// The line on which it begins.
        line: u64,
    },
}

/// The next part of a file that is read in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A good row.
    Row,
    /// The end of a segment.
    Segment(FoundSegment),
    End,
}

/// Notes where segments begin, and knows those of an earlier content.
pub(super) struct Segments {
    known: Vec<Segment>,
    /// The known regular segments by mark, each list ascending.
    by_mark: HashMap<u64, Vec<u32>>,
    /// That of the digests.
    seed: u64,
    /// The number of the known segment that may come next.
    next: usize,
    /// Digest of the rules that hold now.
    rules: u128,
    open: Option<OpenSegment>,
    /// Whether records are being read, so that segments count.
    is_active: bool,
}

/// A segment of which the records are being read, with the counts of the table at its start.
#[derive(Clone, Copy)]
struct OpenSegment {
    mark: u64,
    byte: u64,
    line: u64,
    counts: Counts,
    is_regular: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    rows: u64,
    repaired: u64,
    /// Everything that makes a segment irregular.
    odd: u64,
}

fn mark(window: &[u8]) -> u64 {
    xxh3_64(&window[..window.len().min(MARK_BYTES)])
}

impl Segments {
    fn new(known: Vec<Segment>, seed: u64) -> Self {
        let mut by_mark: HashMap<u64, Vec<u32>> = HashMap::new();
        for (index, segment) in (0..).zip(&known) {
            if segment.is_regular && segment.bytes > 0 {
                by_mark.entry(segment.mark).or_default().push(index);
            }
        }
        Self { known, by_mark, seed, next: 0, rules: 0, open: None, is_active: false }
    }

    /// Notes that something was read that may depend on its surroundings.
    fn irregular(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_regular = false;
        }
    }
}

impl<R: Read> Table<R> {
    /// Reads the file in segments. `known` are those of an earlier content, in file order, and `seed` goes into the digests. Call it
    /// before the first row is read, and then [`Self::next_part`] alone.
    pub(crate) fn use_segments(&mut self, known: Vec<Segment>, seed: u64) {
        self.segments = Some(Box::new(Segments::new(known, seed)));
        self.text.use_digest(seed);
    }

    /// Advances to the next good row, to the end of a segment, or to the end of the file.
    pub(crate) fn next_part(&mut self) -> Result<Part, Error> {
        if self.opening.is_some() {
            self.begin_rows()?;
        }
        if let Some(segments) = &mut self.segments
            && !segments.is_active
        {
            segments.is_active = true;
            segments.rules = self.rules.digest(&self.columns);
        }
        if std::mem::take(&mut self.pending) {
            // The row stands before the first segment.
            self.open_segment(0, false);
            return Ok(Part::Row);
        }
        loop {
            let is_record = self.rules.splitter.begins_record(self.text.window().0) || self.find_record()?;
            if is_record && let Some(found) = self.segment_at_record()? {
                return Ok(Part::Segment(found));
            }
            match self.step()? {
                Next::End => {
                    // More may follow the last record some day.
                    self.note_irregular();
                    if let Some(found) = self.close_segment() {
                        return Ok(Part::Segment(found));
                    }
                    self.end()?;
                    return Ok(Part::End);
                }
                Next::Good => {
                    self.count_good();
                    return Ok(Part::Row);
                }
                Next::Bad(reject) => self.push_reject(reject),
            }
        }
    }

    /// Call it where a record begins. Ends the open segment if another one begins here, and skips a known one.
    fn segment_at_record(&mut self) -> Result<Option<FoundSegment>, Error> {
        while self.text.window().0.len() < MARK_BYTES && self.text.window().1 == End::More {
            self.text.grow()?;
        }
        let mark = mark(self.text.window().0);
        if let Some(open) = self.segments.as_ref().and_then(|segments| segments.open) {
            let len = self.text.byte() - open.byte;
            let ends = (len >= MIN_SEGMENT_BYTES && mark & MARK_MASK == 0) || len >= MAX_SEGMENT_BYTES;
            // In the middle of something, nothing begins.
            let may_end = !self.after_nul && !self.after_header;
            return Ok(if ends && may_end { self.close_segment() } else { None });
        }
        if let Some(found) = self.skip_known(mark)? {
            return Ok(Some(found));
        }
        self.open_segment(mark, true);
        Ok(None)
    }

    /// Skips the known segment that begins here, if there is one.
    fn skip_known(&mut self, mark: u64) -> Result<Option<FoundSegment>, Error> {
        let Some(segments) = self.segments.as_deref().filter(|_| !self.after_nul && !self.after_header) else {
            return Ok(None);
        };
        let (next, rules, seed) = (segments.next, segments.rules, segments.seed);
        let candidates = segments.by_mark.get(&mark).map_or(&[][..], |all| {
            let all = &all[all.partition_point(|index| (*index as usize) < next)..];
            &all[..all.len().min(MAX_COMPARED)]
        });
        let candidates = candidates.iter().map(|index| (*index as usize, segments.known[*index as usize]));
        let candidates: Vec<_> = candidates.collect();
        for (index, segment) in candidates {
            let Ok(len) = usize::try_from(segment.bytes) else { continue };
            self.text.fill_to(len)?;
            let is_text = |text: &[u8]| xxh3_128_with_seed(text, seed) == segment.digest;
            let is_it = segment.rules == rules && self.text.shown(len).is_some_and(is_text);
            if is_it {
                let line = self.text.line();
                self.text.consume(len, segment.lines);
                self.text.digest_from_here();
                self.rows += segment.rows;
                self.rejects.repaired += segment.repaired;
                self.segments.iter_mut().for_each(|segments| segments.next = index + 1);
                return Ok(Some(FoundSegment::Known { index, line }));
            }
        }
        Ok(None)
    }

    fn open_segment(&mut self, mark: u64, is_regular: bool) {
        self.text.digest_from_here();
        let (byte, line, counts) = (self.text.byte(), self.text.line(), self.segment_counts());
        let open = OpenSegment { mark, byte, line, counts, is_regular };
        self.segments.iter_mut().for_each(|segments| segments.open = Some(open));
    }

    fn close_segment(&mut self) -> Option<FoundSegment> {
        let open = self.segments.as_mut()?.open.take()?;
        let (counts, rules) = (self.segment_counts(), self.segments.as_ref()?.rules);
        let bytes = self.text.byte() - open.byte;
        let segment = Segment {
            digest: self.text.digest(),
            rules,
            mark: open.mark,
            bytes,
            lines: self.text.line() - open.line,
            rows: counts.rows - open.counts.rows,
            repaired: counts.repaired - open.counts.repaired,
            is_regular: open.is_regular && counts.odd == open.counts.odd && bytes <= 2 * MAX_SEGMENT_BYTES,
        };
        Some(FoundSegment::Read { segment, line: open.line })
    }

    fn segment_counts(&self) -> Counts {
        let rejects = &self.rejects;
        let odd = rejects.total + rejects.doubtful.rows + rejects.ignored.lines;
        Counts { rows: self.rows, repaired: rejects.repaired, odd }
    }

    /// Notes that something was read that may depend on its surroundings.
    pub(super) fn note_irregular(&mut self) {
        self.segments.iter_mut().for_each(|segments| segments.irregular());
    }

    /// Notes that the rules have changed.
    pub(super) fn note_rules(&mut self) {
        if let Some(segments) = &mut self.segments {
            segments.irregular();
            segments.rules = self.rules.digest(&self.columns);
        }
    }
}

#[cfg(test)]
mod tests;
