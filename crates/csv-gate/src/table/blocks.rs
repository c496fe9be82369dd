//! Blocks: runs of whole records cut from a table, to be split into rows on other threads. A block gives the rows that the
//! table would have given. Where records end is found without splitting them where no quote stands near.

use std::{io::Read, sync::Arc};

use memchr::{memchr, memchr_iter, memrchr};

use super::{Next, Table, fault::fault, marks::Marks};
use crate::{
    Error, Limits, Ragged, Reason, Reject, Rejects,
    rejects::raw_text,
    split::{Fields, Span, Splitter, Step},
    text::End,
};

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
    /// No byte of it opens a quoted field, whose text would have to be looked at more closely.
    plain: bool,
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
            let (near, near_end) = window.get(..self.size).map_or((window, end), |near| (near, End::More));
            let plain = self.layout.splitter.quote.is_none_or(|quote| memchr(quote, near).is_none());
            let cut = if plain { self.cut_plain(near, near_end) } else { self.cut_quoted(window, end) };
            if cut > 0 {
                return Ok(Some(self.take(cut, plain)));
            }
            // A record that is longer than a block, or never closed: the table itself looks at it.
            match self.table.step()? {
                Next::End => return Ok(None),
                Next::Good => return Ok(Some(self.single())),
                Next::Bad(reject) => {
                    self.table.rows += 1;
                    self.table.rejects.push(self.table.limits.rejects_kept, reject);
                }
            }
        }
    }

    /// Where the last whole record of a window without quotes ends.
    fn cut_plain(&self, window: &[u8], end: End) -> usize {
        match end {
            End::Eof => window.len(),
            End::More | End::Full => memrchr(self.layout.splitter.line_end.byte(), window).map_or(0, |at| at + 1),
        }
    }

    /// The same where there are quotes; records before the first one that is not well written.
    fn cut_quoted(&self, window: &[u8], end: End) -> usize {
        let splitter = &self.layout.splitter;
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

    /// The good record that the table has just looked at, with its line end: what a CR before that is depends on it.
    fn single(&self) -> Block {
        let Table { text, place, .. } = &self.table;
        Block {
            layout: Arc::clone(&self.layout),
            text: text.since(place.position, text.position() - place.position).to_vec(),
            clean: false,
            plain: false,
            line: place.line,
            byte: place.byte,
        }
    }

    fn take(&mut self, cut: usize, plain: bool) -> Block {
        let text = &mut self.table.text;
        let block = Block {
            layout: Arc::clone(&self.layout),
            text: text.window().0[..cut].to_vec(),
            clean: text.is_clean(cut),
            plain,
            line: text.line(),
            byte: text.byte(),
        };
        let lines = memchr_iter(self.layout.splitter.line_end.byte(), &block.text).count();
        text.consume(cut, lines as u64);
        block
    }
}

impl Block {
    /// Records up to this length pass no limit.
    fn shortest_limit(&self) -> usize {
        let Splitter { field_bytes, record_bytes, .. } = self.layout.splitter;
        field_bytes.min(record_bytes)
    }

    /// Its rows, from the first one. At most `most` rejects are kept whole; the others are only counted.
    #[must_use]
    pub fn rows(&self, most: usize) -> BlockRows<'_> {
        let Splitter { delimiter, line_end, .. } = &self.layout.splitter;
        let marks = match **delimiter {
            [delimiter] if self.plain && self.clean => Some(Marks::new(&self.text, delimiter, line_end.byte())),
            _ => None,
        };
        BlockRows {
            block: self,
            marks,
            at: 0,
            line: self.line,
            record: &[],
            begin: 0,
            record_line: self.line,
            fields: Fields::default(),
            rows: 0,
            most,
            rejects: Rejects::default(),
        }
    }
}

/// The rows of a block, one after the other.
pub struct BlockRows<'a> {
    block: &'a Block,
    /// Where fields and records end in a block that is plain.
    marks: Option<Marks<'a>>,
    /// Where what has not been looked at begins.
    at: usize,
    /// The line on which that begins.
    line: u64,
    record: &'a [u8],
    /// Where the record begins in the block.
    begin: usize,
    /// The line on which the record begins.
    record_line: u64,
    fields: Fields,
    rows: u64,
    /// How many rejects are kept.
    most: usize,
    rejects: Rejects,
}

impl<'a> BlockRows<'a> {
    /// Goes to the next good row; false at the end of the block. Bad ones on the way join the rejects.
    #[inline]
    pub fn advance(&mut self) -> bool {
        while self.at < self.block.text.len() {
            self.begin = self.at;
            let fault = match &mut self.marks {
                Some(marks) => {
                    // An empty line is no row.
                    if !next_plain(self.block, marks, &mut self.at, &mut self.record, &mut self.fields) {
                        self.line += 1;
                        continue;
                    }
                    self.record_line = self.line;
                    self.line += 1;
                    let found = self.fields.spans.len();
                    let is_short = self.record.len() <= self.block.shortest_limit();
                    if found == self.block.layout.columns && is_short {
                        self.rows += 1;
                        return true;
                    }
                    self.split_again()
                }
                None => match self.next_quoted() {
                    Some(fault) => fault,
                    None => continue,
                },
            };
            self.rows += 1;
            match fault {
                None => return true,
                Some(reason) => self.reject(|_| reason),
            }
        }
        false
    }

    /// Splits off a record by the rules for quotes, and says what is wrong with it; none if it is an empty line.
    fn next_quoted(&mut self) -> Option<Option<Reason>> {
        let block = self.block;
        let (splitter, rest) = (&block.layout.splitter, &block.text[self.at..]);
        if let Some(len) = splitter.empty_line(rest) {
            self.at += len;
            self.line += 1;
            return None;
        }
        self.record_line = self.line;
        let Step::Record(record) = splitter.split(rest, End::Eof, &mut self.fields) else {
            // Blocks hold whole records; should one not be, it is told of rather than left out.
            (self.record, self.at) = (rest, block.text.len());
            return Some(Some(Reason::NeverClosed));
        };
        self.record = &rest[..record.end];
        self.at += record.next;
        self.line += record.lines;
        Some(record.fault.or_else(|| self.fault(record.fields)))
    }

    /// Says what is wrong with a plain record that is not as it should be.
    #[cold]
    fn split_again(&mut self) -> Option<Reason> {
        match self.block.layout.splitter.split(&self.block.text[self.begin..], End::Eof, &mut self.fields) {
            Step::Record(record) => record.fault.or_else(|| self.fault(record.fields)),
            _ => Some(Reason::NeverClosed),
        }
    }

    fn fault(&self, fields: usize) -> Option<Reason> {
        let Layout { columns, ragged, encoding, .. } = *self.block.layout;
        fault(self.record, self.block.clean, fields, (columns, ragged), encoding)
    }

    /// The bytes of field `i` of the current row, valid UTF-8, its quotes taken away; empty if there is no such field.
    /// `scratch` lends its memory where they do not stand in the file as such.
    #[inline]
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
    pub fn reject(&mut self, reason: impl FnOnce(&Self) -> Reason) {
        self.rejects.total += 1;
        if self.rejects.kept.len() >= self.most {
            return;
        }
        let reject = Reject {
            line: self.record_line,
            byte: self.block.byte + self.begin as u64,
            reason: reason(self),
            raw: raw_text(self.record, self.block.layout.limits.raw_bytes),
        };
        self.rejects.kept.push(reject);
    }

    /// Good and bad rows so far, and the bad ones of them.
    #[must_use]
    pub fn finish(self) -> (u64, Rejects) {
        (self.rows, self.rejects)
    }
}

/// Splits off a record without quotes; false if it is an empty line. A field too many is kept as one, however many follow.
#[inline]
fn next_plain<'a>(
    block: &'a Block,
    marks: &mut Marks<'a>,
    at: &mut usize,
    record: &mut &'a [u8],
    fields: &mut Fields,
) -> bool {
    let Layout { splitter, columns, .. } = &*block.layout;
    let (text, line_end) = (&*block.text, splitter.line_end.byte());
    let begin = *at;
    fields.clear();
    let mut start = begin;
    let end = loop {
        let mark = marks.next().unwrap_or(text.len());
        if text.get(mark).is_none_or(|byte| *byte == line_end) {
            break mark;
        }
        if fields.spans.len() <= *columns {
            fields.spans.push(Span { start: start - begin, end: mark - begin, escaped: false });
        }
        start = mark + 1;
    };
    *at = end + 1;
    let end = splitter.without_cr(text, start, end);
    fields.spans.push(Span { start: start - begin, end: end - begin, escaped: false });
    *record = &text[begin..end];
    // At the end of a file a lone CR is no line end.
    end > begin || (*at > text.len() && begin < text.len())
}
