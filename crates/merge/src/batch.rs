//! What several files touch, in batches of neighbouring skus: all that is touched of a sku is in one batch, so what the
//! database holds is read, merged and written a batch at a time, however large the files are.

use std::{cmp::Ordering, ops::Range};

use crate::{
    Error, Offer, Touched,
    heap::Heap,
    record::{self, Record},
    run::RunCursor,
};

/// Rows of several files, in order of sku, copied together so that they outlive what they were read from.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    rows: Vec<Row>,
}

/// One row of a batch. Name and description stand behind the sku in the text.
#[derive(Debug)]
struct Row {
    sku: Range<usize>,
    name: usize,
    description: usize,
    file: i64,
    deletes: bool,
    gone: bool,
}

impl Batch {
    /// The rows by sku (bytes): the offer that a file makes now, and whether it is `gone`, in which case its texts are
    /// empty. A sku may have several rows, one of each file at the most.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Offer<&str>, bool)> {
        self.rows.iter().map(|row| {
            let Row { sku, name, description, file, deletes, gone } = row;
            let offer = Offer {
                sku: &self.text[sku.clone()],
                file: *file,
                deletes: *deletes,
                name: &self.text[sku.end..*name],
                description: &self.text[*name..*description],
            };
            (offer, *gone)
        })
    }

    /// All skus of the batch, ascending, each once.
    #[must_use]
    pub fn skus(&self) -> Vec<&str> {
        let mut skus: Vec<_> = self.rows.iter().map(|row| &self.text[row.sku.clone()]).collect();
        skus.dedup();
        skus
    }

    fn push(&mut self, file: i64, item: &Item<'_>) -> Result<(), Error> {
        let start = self.text.len();
        let (sku, gone, Record { name, description, deletes, .. }) = match item {
            Item::Offer(record) => (record.sku, false, *record),
            Item::Gone(sku) => (sku.as_bytes(), true, Record::default()),
        };
        self.text.push_str(record::text(sku)?);
        let sku = start..self.text.len();
        self.text.push_str(record::text(name)?);
        let name = self.text.len();
        self.text.push_str(record::text(description)?);
        self.rows.push(Row { sku, name, description: self.text.len(), file, deletes, gone });
        Ok(())
    }
}

/// Goes through the touched skus of all files in ascending order.
pub struct Batches<'a> {
    files: Vec<FileCursor<'a>>,
    heap: Heap,
    rows: usize,
}

impl<'a> Batches<'a> {
    /// `rows` bounds a batch, but all rows of a sku stay together.
    ///
    /// # Errors
    /// The rows cannot be read from the spool.
    pub fn new(files: Vec<Touched<'a>>, rows: usize) -> Result<Self, Error> {
        let files = files.into_iter().filter(|file| !file.is_empty()).map(FileCursor::new);
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let heap = Heap::new((0..files.len()).collect(), |a, b| comes_before(&files, a, b));
        Ok(Self { files, heap, rows })
    }

    /// The next batch, or `None` when all is given out.
    ///
    /// # Errors
    /// The rows cannot be read from the spool.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        let mut batch = Batch::default();
        while let Some(first) = self.heap.first() {
            let file = &mut self.files[first];
            let Some(item) = file.item() else { break };
            let last = batch.rows.last().map(|row| batch.text[row.sku.clone()].as_bytes());
            if batch.rows.len() >= self.rows && last != Some(item.sku()) {
                break;
            }
            batch.push(file.touched.file, &item)?;
            file.advance()?;
            let ended = file.item().is_none();
            self.heap.moved(ended, |a, b| comes_before(&self.files, a, b));
        }
        Ok((!batch.rows.is_empty()).then_some(batch))
    }
}

fn comes_before(files: &[FileCursor<'_>], a: usize, b: usize) -> bool {
    let sku = |file: usize| files[file].item().map(|item| item.sku());
    sku(a).cmp(&sku(b)) == Ordering::Less
}

/// Reads what one file touches, in order of sku.
struct FileCursor<'a> {
    touched: Touched<'a>,
    /// Where the run stands, if an offer is left.
    run: Option<RunCursor<'a>>,
    /// How many offers and how many gone skus were passed.
    offer: usize,
    gone: usize,
}

/// What a file says of a sku.
enum Item<'a> {
    Offer(Record<'a>),
    Gone(&'a str),
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
    fn new(touched: Touched<'a>) -> Result<Self, Error> {
        let run = touched.run.map(|run| run.cursor()).transpose()?;
        let mut cursor = Self { touched, run, offer: 0, gone: 0 };
        cursor.load()?;
        Ok(cursor)
    }

    /// What it stands on; `None` at the end.
    fn item(&self) -> Option<Item<'_>> {
        let offer = self.run.as_ref().map(|run| run.record());
        let gone = self.touched.gone.get(self.gone);
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
        match (self.touched.offers.get(self.offer), &mut self.run) {
            (Some(offer), Some(run)) => run.go_to(*offer as usize),
            _ => {
                self.run = None;
                Ok(())
            }
        }
    }
}
