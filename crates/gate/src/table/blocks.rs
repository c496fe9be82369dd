//! Blocks: runs of whole records cut from a table, to be split into rows on other threads. A block gives the rows that the
//! table would have given. Where records end is found without splitting them where no quote stands near.

use std::io::Read;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::{Next, Table, fault};
use crate::rejects::raw_text;
use crate::split::{Fields, Span, Splitter, Step};
use crate::text::End;
use crate::{Error, Limits, Ragged, Reason, Reject, Rejects};

/// What a block has to know of its table.
struct Layout {
    splitter: Splitter,
    encoding: &'static str,
    ragged: Ragged,
    columns: usize,
    limits: Limits,
}

/// Whole records of a file, in file order.
pub struct Block {
    layout: Arc<Layout>,
    text: Vec<u8>,
    /// All of it is valid UTF-8 without NUL.
    clean: bool,
    /// The physical line, counted from 1, on which it begins.
    line: u64,
    /// Where it begins in the decoded text.
    byte: u64,
}

/// Cuts a table into blocks.
pub struct Blocks<R: Read> {
    table: Table<R>,
    layout: Arc<Layout>,
    size: usize,
}

impl<R: Read> Blocks<R> {
    /// Blocks of about `size` bytes. The table must have a header, and no row of it may have been taken.
    pub fn new(table: Table<R>, size: usize) -> Self {
        let layout = Layout {
            splitter: table.splitter.clone(),
            encoding: table.dialect.encoding,
            ragged: table.ragged,
            columns: table.columns.len(),
            limits: table.limits.clone(),
        };
        Self { table, layout: Arc::new(layout), size }
    }

    /// The table: its columns, how far it was read, and the rejects and rows that are part of no block.
    pub fn table(&self) -> &Table<R> {
        &self.table
    }

    /// The next block; none at the end of the file.
    ///
    /// # Errors
    /// As [`Table::next_row`].
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        loop {
            self.table.text.want(self.size)?;
            let (window, end) = self.table.text.window();
            if window.is_empty() && end == End::Eof {
                return Ok(None);
            }
            let cut = self.cut(window, end);
            if cut > 0 {
                return Ok(Some(self.take(cut)));
            }
            // A record that is longer than a block, or never closed: the table itself looks at it.
            match self.table.step()? {
                Next::End => return Ok(None),
                Next::Good => {
                    let place = self.table.place;
                    let text = self.table.text.since(place.position, place.len).to_vec();
                    let layout = Arc::clone(&self.layout);
                    return Ok(Some(Block { layout, text, clean: false, line: place.line, byte: place.byte }));
                }
                Next::Bad(reject) => {
                    self.table.rows += 1;
                    self.table.rejects.push(self.table.limits.rejects_kept, reject);
                }
            }
        }
    }

    /// Where the last whole record of the window ends, as far as is easily told.
    fn cut(&self, window: &[u8], end: End) -> usize {
        let splitter = &self.layout.splitter;
        if splitter.quote.is_none_or(|quote| memchr(quote, window).is_none()) {
            return match end {
                End::Eof => window.len(),
                End::More | End::Full => memrchr(splitter.line_end.byte(), window).map_or(0, |at| at + 1),
            };
        }
        let mut fields = Fields::default();
        let mut at = 0;
        while at < self.size {
            let rest = &window[at..];
            if let Some(len) = splitter.empty_line(rest) {
                at += len;
                continue;
            }
            match splitter.split(rest, end, &mut fields) {
                Step::Record(record) if !rest.is_empty() => at += record.next,
                _ => break,
            }
        }
        at
    }

    fn take(&mut self, cut: usize) -> Block {
        let text = &mut self.table.text;
        let block = Block {
            layout: Arc::clone(&self.layout),
            text: text.window().0[..cut].to_vec(),
            clean: text.is_clean(cut),
            line: text.line(),
            byte: text.byte(),
        };
        let lines = memchr_iter(self.layout.splitter.line_end.byte(), &block.text).count();
        text.consume(cut, lines as u64);
        block
    }
}

impl Block {
    /// Its rows, from the first one.
    #[must_use]
    pub fn rows(&self) -> BlockRows<'_> {
        BlockRows {
            block: self,
            rest: &self.text,
            line: self.line,
            record: &[],
            record_line: self.line,
            fields: Fields::default(),
            rows: 0,
            rejects: Rejects::default(),
        }
    }
}

/// The rows of a block, one after the other.
pub struct BlockRows<'a> {
    block: &'a Block,
    /// What has not been looked at.
    rest: &'a [u8],
    /// The line on which `rest` begins.
    line: u64,
    record: &'a [u8],
    /// The line on which the record begins.
    record_line: u64,
    fields: Fields,
    rows: u64,
    rejects: Rejects,
}

impl<'a> BlockRows<'a> {
    /// Goes to the next good row; false at the end of the block. Bad ones on the way join the rejects.
    pub fn advance(&mut self) -> bool {
        let Layout { splitter, encoding, ragged, columns, .. } = &*self.block.layout;
        loop {
            if let Some(len) = splitter.empty_line(self.rest) {
                self.rest = &self.rest[len..];
                self.line += 1;
                continue;
            }
            if self.rest.is_empty() {
                return false;
            }
            self.rows += 1;
            self.record_line = self.line;
            let Step::Record(record) = splitter.split(self.rest, End::Eof, &mut self.fields) else {
                // Blocks hold whole records; should one not be, it is told of rather than left out.
                self.record = self.rest;
                self.rest = &[];
                self.reject(|| Reason::NeverClosed);
                return false;
            };
            self.record = &self.rest[..record.end];
            self.rest = &self.rest[record.next..];
            self.line += record.lines;
            let found = record
                .fault
                .or_else(|| fault(self.record, self.block.clean, record.fields, (*columns, *ragged), encoding));
            match found {
                None => return true,
                Some(reason) => self.reject(|| reason),
            }
        }
    }

    /// The bytes of field `i` of the current row, valid UTF-8, its quotes taken away; empty if there is no such field.
    /// `scratch` lends its memory where they do not stand in the file as such.
    pub fn bytes<'b>(&self, i: usize, scratch: &'b mut String) -> &'b [u8]
    where
        'a: 'b,
    {
        match self.fields.spans.get(i) {
            Some(Span { start, end, escaped: false }) => &self.record[*start..*end],
            Some(span) => {
                scratch.clear();
                let text = simdutf8::basic::from_utf8(self.record).expect("a row that is not valid UTF-8 is a reject");
                self.fields.unescape(text, *span, scratch);
                scratch.as_bytes()
            }
            None => &[],
        }
    }

    /// Sets the current row aside. `reason` is asked for only if the reject is kept.
    pub fn reject(&mut self, reason: impl FnOnce() -> Reason) {
        let limits = &self.block.layout.limits;
        if self.rejects.kept.len() == limits.rejects_kept {
            self.rejects.total += 1;
            return;
        }
        let begin = self.record.as_ptr().addr() - self.block.text.as_ptr().addr();
        let reject = Reject {
            line: self.record_line,
            byte: self.block.byte + begin as u64,
            reason: reason(),
            raw: raw_text(self.record, limits.raw_bytes),
        };
        self.rejects.push(limits.rejects_kept, reject);
    }

    /// Good and bad rows so far, and the bad ones of them.
    #[must_use]
    pub fn finish(self) -> (u64, Rejects) {
        (self.rows, self.rejects)
    }
}
