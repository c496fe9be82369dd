//! External merge sort. A run holds the offers of one file, at most one per sku, sorted by sku. It consists of sorted chunks of
//! bounded size that are merged on reading, so files of any size fit.

use std::{
    collections::VecDeque,
    io,
    panic::resume_unwind,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tributary_budget::Budget;

use crate::{
    chunk::{Chunk, ChunkBuilder, ChunkCursor},
    error::Error,
    merge_heap::MergeHeap,
    page::{Page, PageCutter},
    record::Record,
    spill::SpillFiles,
};

/// Chunks of one file that are sorted at the same time, while the next one is being filled.
const MAX_SORTING_CHUNKS: usize = 2;
/// Rows of a run of which the pages are cut only when they are asked for. Many thousands of small runs may wait to be applied.
const MAX_ROWS_CUT_LATE: usize = 1024;

/// Takes a file's offers in the order of its rows.
pub struct RunBuilder {
    budget: Arc<Budget>,
    spill: SpillFiles,
    seed: u64,
    chunk: ChunkBuilder,
    /// Chunks that other threads are sorting, in file order.
    sorting: VecDeque<JoinHandle<io::Result<Chunk>>>,
    /// Sorted chunks. They precede those in `sorting`.
    chunks: Vec<Chunk>,
    rows: usize,
}

/// The offers of one file in order of sku, and the pages to store for them.
pub struct Run {
    chunks: Vec<Chunk>,
    /// The chunk that each record comes from, in order of sku; empty if there is only one chunk.
    order: Vec<Step>,
    offers: usize,
    /// The pages, unless the run is small or they were taken.
    pages: Option<Vec<Page>>,
}

impl RunBuilder {
    /// Keeps chunks in memory within `budget` and writes the others to `spill`. `seed` goes into the hash of each row: the same texts
    /// differ under another seed, as they must if they mean other columns.
    #[must_use]
    pub fn new(budget: Arc<Budget>, spill: SpillFiles, seed: u64) -> Self {
        let chunk = ChunkBuilder::new(seed);
        Self { budget, spill, seed, chunk, sorting: VecDeque::new(), chunks: Vec::new(), rows: 0 }
    }

    /// Adds the row that begins on `line`, with the texts of all columns; one that deletes its sku has none. A later row of the same
    /// sku replaces an earlier one.
    ///
    /// # Errors
    /// [`Error::Spool`] or [`Error::Thread`].
    pub fn push<'t>(
        &mut self,
        sku: &str,
        texts: impl IntoIterator<Item = &'t str>,
        deletes: bool,
        line: u64,
    ) -> Result<(), Error> {
        self.chunk.push(sku, texts, deletes, line);
        self.rows += 1;
        if self.chunk.is_full() { self.seal() } else { Ok(()) }
    }

    /// Number of rows added so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Hands the current chunk to a thread that sorts it.
    fn seal(&mut self) -> Result<(), Error> {
        while self.sorting.len() >= MAX_SORTING_CHUNKS {
            self.take_sorted()?;
        }
        let chunk = std::mem::replace(&mut self.chunk, ChunkBuilder::new(self.seed));
        let (budget, spill) = (Arc::clone(&self.budget), self.spill.clone());
        let sort = move || chunk.seal(&budget, &spill);
        let thread = thread::Builder::new().name("sort".to_owned()).spawn(sort).map_err(Error::Thread)?;
        self.sorting.push_back(thread);
        Ok(())
    }

    fn take_sorted(&mut self) -> Result<(), Error> {
        if let Some(thread) = self.sorting.pop_front() {
            self.chunks.push(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(())
    }

    /// Merges the rows, keeps the last one per sku, and cuts the run into pages unless it is small.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub fn finish(mut self) -> Result<Run, Error> {
        // Sorted on this thread: most files consist of a single chunk.
        let last = std::mem::take(&mut self.chunk);
        let last = if last.is_empty() { None } else { Some(last.seal(&self.budget, &self.spill)?) };
        while !self.sorting.is_empty() {
            self.take_sorted()?;
        }
        self.chunks.extend(last);
        // A version may have many thousands of small files.
        self.chunks.shrink_to_fit();
        if let ([chunk], ..=MAX_ROWS_CUT_LATE) = (&self.chunks[..], self.rows) {
            let offers = chunk.rows();
            return Ok(Run { chunks: self.chunks, order: Vec::new(), offers, pages: None });
        }
        let (order, pages) = merge_chunks(&self.chunks, self.rows)?;
        Ok(Run { chunks: self.chunks, order, offers: pages.offers(), pages: Some(pages.finish()) })
    }
}

/// One step through the chunks: the chunk whose next record follows. The top bit marks a record to skip because a later row
/// of the file has the same sku.
#[derive(Debug, Clone, Copy)]
struct Step(u32);

const SUPERSEDED_BIT: u32 = 1 << 31;

impl Step {
    fn new(chunk: usize, superseded: bool) -> Self {
        Self(chunk as u32 | if superseded { SUPERSEDED_BIT } else { 0 })
    }

    fn chunk(self) -> usize {
        (self.0 & !SUPERSEDED_BIT) as usize
    }

    fn is_superseded(self) -> bool {
        self.0 & SUPERSEDED_BIT != 0
    }
}

/// Merges the sorted chunks of a file. Of several rows of one sku, the one in the last chunk counts.
fn merge_chunks(chunks: &[Chunk], rows: usize) -> Result<(Vec<Step>, PageCutter), Error> {
    let mut cursors = chunks.iter().map(Chunk::cursor).collect::<io::Result<Vec<_>>>()?;
    let less =
        |cursors: &[ChunkCursor<'_>], a: usize, b: usize| cursors[a].compare(&cursors[b]).then(a.cmp(&b)).is_lt();
    let mut heap = MergeHeap::new((0..cursors.len()).collect(), |a, b| less(&cursors, a, b));
    let (mut order, mut pages) = (Vec::new(), PageCutter::new(rows));
    while let Some(first) = heap.first() {
        let second = heap.second(|a, b| less(&cursors, a, b));
        let superseded = second.is_some_and(|second| cursors[first].compare(&cursors[second]).is_eq());
        if !superseded {
            let record = cursors[first].record();
            pages.push(record.sku, record.content_hash, record.line)?;
        }
        if chunks.len() > 1 {
            order.push(Step::new(first, superseded));
        }
        cursors[first].advance(1)?;
        heap.first_advanced(cursors[first].has_ended(), |a, b| less(&cursors, a, b));
    }
    order.shrink_to_fit();
    Ok((order, pages))
}

impl Run {
    /// Number of offers in the file.
    #[must_use]
    pub fn offers(&self) -> usize {
        self.offers
    }

    /// The run's pages in order of first sku. The run does not keep them.
    ///
    /// # Errors
    /// [`Error::Spool`].
    pub fn take_pages(&mut self) -> Result<Vec<Page>, Error> {
        match self.pages.take() {
            Some(pages) => Ok(pages),
            None => Ok(merge_chunks(&self.chunks, self.offers)?.1.finish()),
        }
    }

    /// Opens a cursor before the first offer.
    pub(crate) fn cursor(&self) -> Result<RunCursor<'_>, Error> {
        let mut chunks = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            chunks.push(chunk.cursor()?);
        }
        let behind = vec![0; chunks.len()];
        Ok(RunCursor { order: &self.order, offers: self.offers, chunks, behind, next: 0, offer: 0 })
    }
}

/// Reads a run in order of sku.
pub(crate) struct RunCursor<'a> {
    order: &'a [Step],
    offers: usize,
    chunks: Vec<ChunkCursor<'a>>,
    /// Per chunk, the number of records that its cursor has to skip to reach the next step.
    behind: Vec<usize>,
    /// Index of the next step.
    next: usize,
    /// Number of offers before the next step. In a single chunk, the number of the current offer.
    offer: usize,
}

impl RunCursor<'_> {
    /// Moves to an offer by its number, counted from 0 in order of sku. Numbers must ascend from call to call.
    pub(crate) fn seek(&mut self, offer: usize) -> Result<(), Error> {
        if let [chunk] = &mut self.chunks[..] {
            let rows = offer.checked_sub(self.offer).filter(|_| offer < self.offers).ok_or(Error::DamagedRun)?;
            self.offer = offer;
            return Ok(chunk.advance(rows)?);
        }
        loop {
            let step = *self.order.get(self.next).ok_or(Error::DamagedRun)?;
            if !step.is_superseded() {
                if self.offer == offer {
                    let chunk = &mut self.chunks[step.chunk()];
                    chunk.advance(std::mem::take(&mut self.behind[step.chunk()]))?;
                    return Ok(());
                }
                self.offer += 1;
            }
            self.behind[step.chunk()] += 1;
            self.next += 1;
        }
    }

    /// The offer that the last [`Self::seek`] moved to.
    pub(crate) fn record(&self) -> Record<'_> {
        self.chunks[self.order.get(self.next).map_or(0, |step| step.chunk())].record()
    }
}

#[cfg(test)]
mod tests;
