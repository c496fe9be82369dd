//! A run: the offers of one file, at most one a sku, sorted by sku. It is built of chunks of bounded size, each sorted by
//! itself, which are merged when the run is read: no file is too large for it.

use std::{
    collections::VecDeque,
    io,
    panic::resume_unwind,
    thread::{self, JoinHandle},
};

use crate::{
    Budget, Error, Page, Spill,
    chunk::{Chunk, ChunkBuilder, ChunkCursor},
    heap::Heap,
    page::PageCutter,
    record::Record,
};

/// Chunks of one file that are sorted at one time, while the next one is being filled.
const SORTERS: usize = 2;

/// Takes a file's offers in the order of its rows.
pub struct RunBuilder {
    budget: Budget,
    spill: Spill,
    chunk: ChunkBuilder,
    /// Chunks that other threads are sorting, in the order of the file.
    sorting: VecDeque<JoinHandle<io::Result<Chunk>>>,
    /// Those before them.
    chunks: Vec<Chunk>,
    rows: usize,
}

impl RunBuilder {
    /// Keeps what is within `budget` in memory and writes the rest to the file of `spill`.
    #[must_use]
    pub fn new(budget: Budget, spill: Spill) -> Self {
        Self { budget, spill, chunk: ChunkBuilder::default(), sorting: VecDeque::new(), chunks: Vec::new(), rows: 0 }
    }

    /// Adds the row that begins on `line`. A later row of the same sku replaces an earlier one.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub fn push(&mut self, sku: &str, name: &str, description: &str, deletes: bool, line: u64) -> Result<(), Error> {
        let (sku, name, description) = (sku.as_bytes(), name.as_bytes(), description.as_bytes());
        self.chunk.push(&Record { sku, name, description, deletes, line, content: 0 });
        self.rows += 1;
        if self.chunk.is_full() { self.seal() } else { Ok(()) }
    }

    /// How many rows were taken so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Has another thread sort the chunk.
    fn seal(&mut self) -> Result<(), Error> {
        while self.sorting.len() >= SORTERS {
            self.take_sorted()?;
        }
        let (chunk, budget, spill) = (std::mem::take(&mut self.chunk), self.budget.clone(), self.spill.clone());
        let sort = move || chunk.seal(&budget, &spill);
        self.sorting.push_back(thread::Builder::new().name("sort".to_owned()).spawn(sort)?);
        Ok(())
    }

    fn take_sorted(&mut self) -> Result<(), Error> {
        if let Some(thread) = self.sorting.pop_front() {
            self.chunks.push(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(())
    }

    /// Merges what was taken, keeps the last row of each sku, and cuts the run into pages.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub fn finish(mut self) -> Result<Run, Error> {
        // The last chunk is sorted here: most files have no other.
        let last = std::mem::take(&mut self.chunk);
        let last = if last.is_empty() { None } else { Some(last.seal(&self.budget, &self.spill)?) };
        while !self.sorting.is_empty() {
            self.take_sorted()?;
        }
        self.chunks.extend(last);
        let (order, pages) = merged(&self.chunks)?;
        let offers = order.iter().filter(|step| !step.is_passed()).count();
        Ok(Run { chunks: self.chunks, order, offers, pages })
    }
}

/// The offers of one file, and the pages that are stored of it.
pub struct Run {
    chunks: Vec<Chunk>,
    /// Which chunk each record comes from, in order of sku.
    order: Vec<Step>,
    offers: usize,
    pages: Vec<Page>,
}

/// One step through the chunks: the number of a chunk whose next record comes next, and whether that record is to be
/// passed over because a later row of the file speaks of the same sku.
#[derive(Debug, Clone, Copy)]
struct Step(u32);

const PASSED: u32 = 1 << 31;

impl Step {
    fn new(chunk: usize, passed: bool) -> Self {
        Self(chunk as u32 | if passed { PASSED } else { 0 })
    }

    fn chunk(self) -> usize {
        (self.0 & !PASSED) as usize
    }

    fn is_passed(self) -> bool {
        self.0 & PASSED != 0
    }
}

/// Goes through the sorted chunks of a file. Of one sku's rows the one in the last chunk counts.
fn merged(chunks: &[Chunk]) -> Result<(Vec<Step>, Vec<Page>), Error> {
    let mut cursors = chunks.iter().map(Chunk::cursor).collect::<io::Result<Vec<_>>>()?;
    let less =
        |cursors: &[ChunkCursor<'_>], a: usize, b: usize| cursors[a].compare(&cursors[b]).then(a.cmp(&b)).is_lt();
    let mut heap = Heap::new((0..cursors.len()).collect(), |a, b| less(&cursors, a, b));
    let (mut order, mut pages) = (Vec::new(), PageCutter::default());
    while let Some(first) = heap.first() {
        let second = heap.second(|a, b| less(&cursors, a, b));
        let passed = second.is_some_and(|second| cursors[first].compare(&cursors[second]).is_eq());
        if !passed {
            let record = cursors[first].record();
            pages.push(record.sku, record.content, record.line)?;
        }
        order.push(Step::new(first, passed));
        cursors[first].advance(1)?;
        heap.moved(cursors[first].has_ended(), |a, b| less(&cursors, a, b));
    }
    Ok((order, pages.finish()))
}

impl Run {
    /// How many offers the file gives.
    #[must_use]
    pub fn offers(&self) -> usize {
        self.offers
    }

    /// The run's pages in the order of their first sku.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// A cursor that stands before the first offer.
    pub(crate) fn cursor(&self) -> Result<RunCursor<'_>, Error> {
        let chunks = self.chunks.iter().map(Chunk::cursor).collect::<io::Result<Vec<_>>>()?;
        let seen = vec![0; chunks.len()];
        Ok(RunCursor { order: &self.order, chunks, seen, next: 0, offer: 0 })
    }
}

/// Reads a run in order of sku.
pub(crate) struct RunCursor<'a> {
    order: &'a [Step],
    chunks: Vec<ChunkCursor<'a>>,
    /// Of each chunk, how many records lie before the next step and were not yet passed by its cursor.
    seen: Vec<usize>,
    /// The next step.
    next: usize,
    /// The number of the offer that the next step reaches, or goes before.
    offer: usize,
}

impl RunCursor<'_> {
    /// Goes to the offer of that number, counted from 0 in order of sku. Numbers must ascend.
    pub(crate) fn go_to(&mut self, offer: usize) -> Result<(), Error> {
        loop {
            let step = *self.order.get(self.next).ok_or(Error::DamagedRun)?;
            if !step.is_passed() {
                if self.offer == offer {
                    let chunk = &mut self.chunks[step.chunk()];
                    chunk.advance(std::mem::take(&mut self.seen[step.chunk()]))?;
                    return Ok(());
                }
                self.offer += 1;
            }
            self.seen[step.chunk()] += 1;
            self.next += 1;
        }
    }

    /// The offer that [`Self::go_to`] went to.
    pub(crate) fn record(&self) -> Record<'_> {
        self.chunks[self.order[self.next].chunk()].record()
    }
}

#[cfg(test)]
mod tests;
