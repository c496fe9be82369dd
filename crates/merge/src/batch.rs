//! Merges the changes of several files into batches of neighbouring skus. All changes of a sku are in one batch, so the
//! database can be read, merged and written batch by batch, whatever the size of the files.

use std::{cmp::Ordering, ops::Range};

use crate::{
    error::Error,
    merge_heap::MergeHeap,
    offer::Offer,
    page_diff::FileChanges,
    record::{self, Record},
    run::RunCursor,
    texts::Texts,
};

/// Bytes of texts after which a batch ends, for each row that it may have; and the least that may be in one.
const BATCH_BYTES_PER_ROW: usize = 256;
const MIN_BATCH_BYTES: usize = 1 << 20;

/// Changed rows of several files in order of sku. They are copied, so that a batch outlives the cursors it was read from.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    rows: Vec<Row>,
}

/// One row of a batch. In the text, its packed texts follow the sku.
#[derive(Debug)]
struct Row {
    sku: Range<usize>,
    /// The end of its texts.
    end: usize,
    file: i64,
    deletes: bool,
    gone: bool,
}

impl Batch {
    /// Offers in order of sku (bytes), each with a flag that is true if the file no longer makes it. Its texts are empty then.
    /// A sku has at most one row per file.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Offer<&str>, bool)> {
        self.rows.iter().map(|row| {
            let Row { sku, end, file, deletes, gone } = row;
            let texts = Texts(&self.text[sku.end..*end]);
            let offer = Offer { sku: &self.text[sku.clone()], file: *file, deletes: *deletes, texts };
            (offer, *gone)
        })
    }

    /// The distinct skus of the batch, ascending.
    #[must_use]
    pub fn skus(&self) -> Vec<&str> {
        let mut skus: Vec<_> = self.rows.iter().map(|row| &self.text[row.sku.clone()]).collect();
        skus.dedup();
        skus
    }

    /// Bytes of its texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Keeps the first so many distinct skus, and returns the rows of the others.
    #[must_use]
    pub fn split_off(&mut self, skus: usize) -> Self {
        let mut rest = Self::default();
        let Some(first) = self.skus().get(skus).copied() else { return rest };
        let at = self.rows.partition_point(|row| self.text[row.sku.clone()] < *first);
        rest.rows = self.rows.split_off(at);
        let start = rest.rows.first().map_or(self.text.len(), |row| row.sku.start);
        rest.text = self.text.split_off(start);
        for row in &mut rest.rows {
            row.sku = row.sku.start - start..row.sku.end - start;
            row.end -= start;
        }
        rest
    }

    /// The sku and the file of each row, in order of sku, and whether the file no longer offers it.
    pub fn touches(&self) -> impl Iterator<Item = (&str, i64, bool)> {
        self.rows.iter().map(|row| (&self.text[row.sku.clone()], row.file, row.gone))
    }

    fn push(&mut self, file: i64, item: &Item<'_>) -> Result<(), Error> {
        let start = self.text.len();
        let (sku, gone, Record { texts, deletes, .. }) = match item {
            Item::Offer(record) => (record.sku, false, *record),
            Item::Gone(sku) => (sku.as_bytes(), true, Record::default()),
        };
        self.text.push_str(record::text(sku)?);
        let sku = start..self.text.len();
        self.text.push_str(record::text(texts)?);
        self.rows.push(Row { sku, end: self.text.len(), file, deletes, gone });
        Ok(())
    }
}

/// Iterates over the changes of all files in order of sku.
pub struct Batches<'a> {
    files: Vec<FileCursor<'a>>,
    heap: MergeHeap,
    max_rows: usize,
    max_bytes: usize,
}

/// Reads the changes of one file in order of sku.
struct FileCursor<'a> {
    changes: &'a FileChanges,
    /// Cursor on the current offer, if one is left.
    run: Option<RunCursor<'a>>,
    /// Index of the current offer.
    offer: usize,
    /// Index of the current gone sku.
    gone: usize,
}

/// One change of a file.
enum Item<'a> {
    Offer(Record<'a>),
    Gone(&'a str),
}

impl<'a> Batches<'a> {
    /// Limits batches to `max_rows` rows, and to 256 bytes of texts for each of them, at least 1 MiB. A batch exceeds the limits only to keep the rows of its last sku together.
    ///
    /// # Errors
    /// The rows cannot be read from the spool.
    pub fn new(files: &'a [FileChanges], max_rows: usize) -> Result<Self, Error> {
        let mut cursors = Vec::with_capacity(files.len());
        for file in files.iter().filter(|file| !file.is_empty()) {
            cursors.push(FileCursor::new(file)?);
        }
        let heap = MergeHeap::new((0..cursors.len()).collect(), |a, b| comes_before(&cursors, a, b));
        let max_bytes = max_rows.saturating_mul(BATCH_BYTES_PER_ROW).max(MIN_BATCH_BYTES);
        Ok(Self { files: cursors, heap, max_rows, max_bytes })
    }

    /// The next batch, or `None` at the end.
    ///
    /// # Errors
    /// The rows cannot be read from the spool.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        let mut batch = Batch::default();
        while let Some(first) = self.heap.first() {
            let file = &mut self.files[first];
            let Some(item) = file.item() else { break };
            let last = batch.rows.last().map(|row| batch.text[row.sku.clone()].as_bytes());
            let is_full = batch.rows.len() >= self.max_rows || batch.text.len() >= self.max_bytes;
            if is_full && last != Some(item.sku()) {
                break;
            }
            batch.push(file.changes.file, &item)?;
            file.advance()?;
            let ended = file.item().is_none();
            self.heap.first_advanced(ended, |a, b| comes_before(&self.files, a, b));
        }
        Ok((!batch.rows.is_empty()).then_some(batch))
    }
}

fn comes_before(files: &[FileCursor<'_>], a: usize, b: usize) -> bool {
    let sku = |file: usize| files[file].item().map(|item| item.sku());
    sku(a).cmp(&sku(b)) == Ordering::Less
}

impl<'a> Item<'a> {
    fn sku(&self) -> &'a [u8] {
        match self {
            Item::Offer(record) => record.sku,
            Item::Gone(sku) => sku.as_bytes(),
        }
    }
}

impl<'a> FileCursor<'a> {
    fn new(changes: &'a FileChanges) -> Result<Self, Error> {
        let run = changes.run.as_ref().map(|run| run.cursor()).transpose()?;
        let mut cursor = Self { changes, run, offer: 0, gone: 0 };
        cursor.load()?;
        Ok(cursor)
    }

    /// The current change, or `None` at the end.
    fn item(&self) -> Option<Item<'_>> {
        let offer = self.run.as_ref().map(|run| run.record());
        let gone = self.changes.gone.get(self.gone);
        match (offer, gone) {
            (Some(offer), Some(gone)) if gone.as_bytes() < offer.sku => Some(Item::Gone(gone)),
            (Some(offer), _) => Some(Item::Offer(offer)),
            (None, gone) => gone.map(|gone| Item::Gone(gone)),
        }
    }

    fn advance(&mut self) -> Result<(), Error> {
        match self.item() {
            Some(Item::Offer(_)) => self.offer += 1,
            Some(Item::Gone(_)) => self.gone += 1,
            None => {}
        }
        self.load()
    }

    fn load(&mut self) -> Result<(), Error> {
        match (self.changes.offers.get(self.offer), &mut self.run) {
            (Some(offer), Some(run)) => run.seek(*offer as usize),
            _ => {
                self.run = None;
                Ok(())
            }
        }
    }
}
