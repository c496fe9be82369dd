//! Blocks: runs of complete records cut from a table, to be split into rows on other threads. A block gives the same
//! rows as the table would. Text without quotes is cut at its last line end, without splitting the records.

mod bare;
mod plain;

use std::{io::Read, sync::Arc};

use memchr::{memchr, memchr_iter, memrchr};

use self::plain::next_plain;
use super::{
    Next, Table, ends_in_nul,
    rules::{RowRules, Verdict},
    separators::Separators,
};
use crate::{
    Doubtful, Error, Reason, Reject, Rejects,
    rejects::raw_text,
    split::{End, Fields, Record, Span, Splitter, Step, joint},
};

/// A run of complete records, in file order.
pub struct Block {
    rules: Arc<RowRules>,
    text: Vec<u8>,
    /// Whether all of the text is valid UTF-8 without NUL.
    clean: bool,
    /// Whether nothing in it is quoted, so that every delimiter and line end counts.
    plain: bool,
    /// The physical line on which it begins, counted from 1.
    line: u64,
    /// Its offset in the decoded text.
    byte: u64,
    /// Whether the line before it ends in half of a UTF-16 line end.
    after_nul: bool,
}

/// Cuts a table into blocks.
pub struct Blocks<R: Read> {
    table: Table<R>,
    size: usize,
}

impl<R: Read> Blocks<R> {
    /// Cuts `table` into blocks of about `size` bytes. None of its rows may have been read.
    pub fn new(table: Table<R>, size: usize) -> Self {
        Self { table, size }
    }

    /// The table, for its columns and progress, and for the rows and rejects that are in no block.
    pub fn table(&self) -> &Table<R> {
        &self.table
    }

    /// Returns the next block, or none at the end of the file.
    ///
    /// # Errors
    /// As [`Table::next_row`].
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        if self.table.opening.is_some() {
            self.table.begin_rows()?;
        }
        if std::mem::take(&mut self.table.pending) {
            // The block counts the row.
            self.table.rows -= 1;
            self.table.rejects.repaired -= u64::from(self.table.current.repaired);
            self.table.rejects.doubtful = Doubtful::default();
            return Ok(Some(self.single()));
        }
        loop {
            self.table.text.fill_to(self.size)?;
            let (window, end) = self.table.text.window();
            if window.is_empty() && end == End::Eof {
                self.table.end()?;
                return Ok(None);
            }
            let (near, near_end) = window.get(..self.size).map_or((window, end), |near| (near, End::More));
            let plain = self.table.rules.splitter.is_plain(near);
            let cut = if plain { self.cut_plain(near, near_end) } else { self.cut_quoted(window, end) };
            if cut > 0 {
                return Ok(Some(self.take(cut, plain)));
            }
            // The record is longer than a block, or never closed: the table has to judge it.
            match self.table.step()? {
                Next::End => {
                    self.table.end()?;
                    return Ok(None);
                }
                Next::Good => return Ok(Some(self.single())),
                Next::Bad(reject) => self.table.push_reject(reject),
            }
        }
    }

    /// Returns the end of the last complete record in a window without quotes, up to a header.
    fn cut_plain(&self, window: &[u8], end: End) -> usize {
        let RowRules { splitter, names, order, .. } = &*self.table.rules;
        let cut = match end {
            End::Eof => window.len(),
            End::More | End::Full => memrchr(splitter.line_end.byte(), window).map_or(0, |at| at + 1),
        };
        let names = names.as_ref();
        names.and_then(|names| names.find_header(&window[..cut], splitter, order.as_ref())).unwrap_or(cut)
    }

    /// Returns the end of the complete records in a window with quotes, up to the first malformed record or a header.
    fn cut_quoted(&self, window: &[u8], end: End) -> usize {
        let rules = &*self.table.rules;
        let mut fields = Fields::default();
        let mut at = 0;
        while at < self.size {
            at += joint(&window[at..]);
            let rest = &window[at..];
            if let Some(len) = rules.splitter.skipped_line(rest) {
                at += len;
                continue;
            }
            match rules.splitter.is_comment(rest, end) {
                Some(false) => {}
                Some(true) => match memchr(rules.splitter.line_end.byte(), rest) {
                    Some(found) => {
                        at += found + 1;
                        continue;
                    }
                    None => break,
                },
                None => break,
            }
            match rules.splitter.split(rest, end, &mut fields) {
                Step::Record(record) if !rest.is_empty() && !rules.is_header(&rest[..record.end], &fields) => {
                    at += record.next;
                }
                _ => break,
            }
        }
        at
    }

    /// Returns the table's current record as a block. It includes the line end, which decides whether a CR before it is
    /// text.
    fn single(&self) -> Block {
        let Table { text, current, rules, .. } = &self.table;
        Block {
            rules: Arc::clone(rules),
            text: text.since(current.start, text.position() - current.start).to_vec(),
            clean: false,
            plain: false,
            line: current.line,
            byte: current.byte,
            after_nul: false,
        }
    }

    fn take(&mut self, cut: usize, plain: bool) -> Block {
        let Table { text, rules, after_nul, .. } = &mut self.table;
        let block = Block {
            rules: Arc::clone(rules),
            text: text.window().0[..cut].to_vec(),
            clean: text.is_clean(cut),
            plain,
            line: text.line(),
            byte: text.byte(),
            after_nul: *after_nul,
        };
        *after_nul = !block.clean && block.ends_in_nul();
        let lines = memchr_iter(rules.splitter.line_end.byte(), &block.text).count();
        text.consume(cut, lines as u64);
        block
    }
}

impl Block {
    /// Its bytes, which are those of the file if that is UTF-8 and not packed.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The physical line on which it begins, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Its offset in the decoded text.
    pub(crate) fn byte(&self) -> u64 {
        self.byte
    }

    /// The length up to which a record exceeds no limit.
    fn shortest_limit(&self) -> usize {
        let Splitter { field_bytes, record_bytes, .. } = self.rules.splitter;
        field_bytes.min(record_bytes)
    }

    /// Whether the last line is no comment and ends in half of a UTF-16 line end.
    fn ends_in_nul(&self) -> bool {
        let Splitter { line_end, .. } = &self.rules.splitter;
        let before = &self.text[..self.text.len().saturating_sub(1)];
        let last = memrchr(line_end.byte(), before).map_or(0, |at| at + 1);
        ends_in_nul(&self.text[last..], line_end.byte())
            && self.rules.splitter.is_comment(&self.text[last..], End::Eof) != Some(true)
    }

    /// Starts reading the rows. Keeps at most `max_kept` rejects and only counts the others.
    #[must_use]
    pub fn rows(&self, max_kept: usize) -> BlockRows<'_> {
        let Splitter { delimiter, line_end, comment, .. } = &self.rules.splitter;
        let separators = match **delimiter {
            [delimiter] if self.plain && self.clean && comment.is_empty() => {
                Some(Separators::new(&self.text, delimiter, line_end.byte()))
            }
            _ => None,
        };
        BlockRows {
            block: self,
            separators,
            at: 0,
            line: self.line,
            record: &[],
            begin: 0,
            record_line: self.line,
            after_nul: self.after_nul,
            fields: Fields::default(),
            rows: 0,
            max_kept,
            rejects: Rejects::default(),
        }
    }
}

/// The rows of a block, read one by one.
pub struct BlockRows<'a> {
    block: &'a Block,
    /// The ends of fields and records, if the block is plain.
    separators: Option<Separators<'a>>,
    /// The start of the unread rest of the block.
    at: usize,
    /// The line on which the rest begins.
    line: u64,
    record: &'a [u8],
    /// The start of the current record in the block.
    begin: usize,
    /// The line on which the current record begins.
    record_line: u64,
    after_nul: bool,
    fields: Fields,
    rows: u64,
    /// Most rejects to keep.
    max_kept: usize,
    rejects: Rejects,
}

impl<'a> BlockRows<'a> {
    /// Advances to the next good row. Returns false at the end of the block. Bad rows before it are added to the
    /// rejects.
    #[inline]
    pub fn advance(&mut self) -> bool {
        while self.at < self.block.text.len() {
            self.at += joint(&self.block.text[self.at..]);
            if self.at == self.block.text.len() {
                break;
            }
            self.begin = self.at;
            let verdict = match &mut self.separators {
                Some(separators) => {
                    // An empty line is not a row.
                    if !next_plain(self.block, separators, &mut self.at, &mut self.record, &mut self.fields) {
                        self.line += 1;
                        continue;
                    }
                    self.record_line = self.line;
                    self.line += 1;
                    let rules = &self.block.rules;
                    let fits = self.fields.spans.len() == rules.width.columns;
                    match fits && self.record.len() <= self.block.shortest_limit() {
                        true => rules.shape(self.record, &mut self.fields),
                        false => self.split_again(),
                    }
                }
                None => match self.next_quoted() {
                    Some(verdict) => verdict,
                    None => continue,
                },
            };
            match verdict {
                Verdict::Row => {
                    self.rows += 1;
                    return true;
                }
                // The cutter ends a block before a header, and before a row that ends in one of another order.
                Verdict::Header(_) | Verdict::Sep => {}
                Verdict::Joined(_) => {
                    self.rows += 1;
                    self.reject(|_| Reason::JoinedHeader);
                }
                Verdict::Bad(reason) => {
                    self.rows += 1;
                    self.reject(|_| reason);
                }
            }
        }
        false
    }

    /// Splits off a record by the rules for quotes and judges it. Returns none for a line that is no record.
    fn next_quoted(&mut self) -> Option<Verdict> {
        let block = self.block;
        let (splitter, rest) = (&block.rules.splitter, &block.text[self.at..]);
        if let Some(len) = splitter.skipped_line(rest) {
            self.after_nul = false;
            self.at += len;
            self.line += 1;
            return None;
        }
        if splitter.is_comment(rest, End::Eof) == Some(true) {
            self.after_nul = false;
            self.at += memchr(splitter.line_end.byte(), rest).map_or(rest.len(), |found| found + 1);
            self.line += 1;
            return None;
        }
        self.record_line = self.line;
        let Step::Record(record) = splitter.split(rest, End::Eof, &mut self.fields) else {
            // Blocks contain only complete records. If one does not, a reject is better than a lost row.
            (self.record, self.at) = (rest, block.text.len());
            return Some(Verdict::Bad(Reason::NeverClosed { has_escape: false }));
        };
        self.record = &rest[..record.end];
        self.at += record.next;
        self.line += record.lines;
        let is_rest = self.after_nul && rest.first() == Some(&0);
        self.after_nul = !block.clean && ends_in_nul(&rest[..record.next], splitter.line_end.byte());
        if is_rest { None } else { Some(self.judge(record)) }
    }

    /// Splits a plain record again by all rules, after it failed the quick check, and judges it.
    #[cold]
    fn split_again(&mut self) -> Verdict {
        match self.block.rules.splitter.split(&self.block.text[self.begin..], End::Eof, &mut self.fields) {
            Step::Record(record) => self.judge(record),
            _ => Verdict::Bad(Reason::NeverClosed { has_escape: false }),
        }
    }

    #[inline]
    fn judge(&mut self, record: Record) -> Verdict {
        let Record { repaired, doubtful, .. } = record;
        let verdict = self.block.rules.judge(self.record, self.block.clean, record, &mut self.fields);
        self.rejects.repaired += u64::from(repaired && matches!(verdict, Verdict::Row));
        if doubtful && matches!(verdict, Verdict::Row) {
            self.rejects.doubtful.add(self.record_line);
        }
        verdict
    }

    /// The text of field `i` of the current row as valid UTF-8, without quotes; empty if there is no such field. A
    /// field that has to be unescaped is copied to `scratch`.
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

    /// The number of fields of the current row.
    pub(crate) fn len(&self) -> usize {
        self.fields.spans.len()
    }

    /// Rejects the current row. `reason` is called only if the reject is kept.
    pub fn reject(&mut self, reason: impl FnOnce(&Self) -> Reason) {
        self.rejects.total += 1;
        if self.rejects.kept.len() >= self.max_kept {
            return;
        }
        let reject = Reject {
            line: self.record_line,
            byte: self.block.byte + self.begin as u64,
            reason: reason(self),
            raw: raw_text(self.record, self.block.rules.limits.raw_bytes),
        };
        self.rejects.kept.push(reject);
    }

    /// Returns the number of rows so far, good and bad, and the rejects.
    #[must_use]
    pub fn finish(self) -> (u64, Rejects) {
        (self.rows, self.rejects)
    }
}
