//! The second pass, or the only one: returns rows of clean text one by one and lists the rows that could not be used.
//! It knows nothing of what the columns mean: see [`crate::feed`].

mod anchor;
mod around;
pub(crate) mod blocks;
mod cells;
mod fault;
mod names;
mod open;
mod rules;
pub(crate) mod segments;
mod separators;

use std::{io::Read, sync::Arc};

pub(crate) use self::names::length_bit;
use self::{
    open::Opening,
    rules::{RowRules, Verdict},
    segments::Segments,
};
use crate::{
    Dialect, Error, Reason, Reject, Rejects, Row,
    rejects::raw_text,
    sniff::below::is_underline,
    split::{End, Fields, Span, Step, joint, may_be_joint},
    window::TextWindow,
};

/// Lenient fields of a file that may turn out never to be closed. Each of them is searched for its end as far as the
/// lookahead, so many would take too long; after them quotes are strict.
const MAX_LENIENT_FAILURES: u32 = 64;

/// A file that is read row by row.
pub struct Table<R: Read> {
    text: TextWindow<R>,
    rules: Arc<RowRules>,
    dialect: Dialect,
    columns: Vec<String>,
    header: RecordPosition,
    /// The fields of the current record.
    fields: Fields,
    /// The position of the current record.
    current: RecordPosition,
    /// The current record was read to count the columns and still has to be returned as a row.
    pending: bool,
    rejects: Rejects,
    rows: u64,
    /// Lenient fields that were never closed.
    lenient_failures: u32,
    /// Whether the last line ends in half of a UTF-16 line end, see [`ends_in_nul`].
    after_nul: bool,
    /// The settings do not say where the header is.
    detects_header: bool,
    /// The last name in the header is empty, and no row has a field for it.
    drop_last_name: bool,
    /// Whether the record before was a header.
    after_header: bool,
    /// None once rows are read.
    opening: Option<Box<Opening>>,
    /// Only of a file that is read in segments.
    segments: Option<Box<Segments>>,
}

/// The position of a record in the file and in the window.
#[derive(Clone, Copy, Debug, Default)]
struct RecordPosition {
    line: u64,
    byte: u64,
    start: usize,
    len: usize,
    fields: usize,
    repaired: bool,
    doubtful: bool,
}

/// Whether a line ends in half of a UTF-16 line end: its other half begins the next line, which then is the rest of this record.
/// `line` includes the line end.
fn ends_in_nul(line: &[u8], line_end: u8) -> bool {
    matches!(line, [.., 0, last] if *last == line_end)
}

/// The next record of the text.
enum Next {
    End,
    Good,
    Bad(Reject),
}

impl<R: Read> Table<R> {
    /// The dialect of the file.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The names in the header as spelled, in order, trimmed of Unicode white space. Some may be empty or occur twice,
    /// but there is at least one.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rejects so far. Complete once [`Self::next_row`] has returned none.
    pub fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// The number of rows so far, good and bad.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes of the packed input that the pass over the rows has read, to show progress. Slightly ahead of the
    /// rows.
    pub fn bytes_read(&self) -> u64 {
        self.text.packed_read()
    }

    /// Says which columns are used, before the first row is read. A field of another column may have any length that its
    /// record may have.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn use_only(&mut self, columns: &[usize]) {
        let rules = Arc::make_mut(&mut self.rules);
        rules.used = Some(columns.to_vec());
        rules.update();
    }

    /// Returns the next good row, or none at the end of the file. Bad rows before it are added to [`Self::rejects`].
    ///
    /// # Errors
    /// As for [`Self::open`], if the file turns out only now to be corrupt or over a limit, or as for
    /// [`Self::open_once`]. The rows before the error are then void too.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        Ok(if self.advance()? { Some(self.row()) } else { None })
    }

    /// Advances to the next good row. Returns false at the end of the file.
    pub(crate) fn advance(&mut self) -> Result<bool, Error> {
        if self.opening.is_some() {
            self.begin_rows()?;
        }
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        loop {
            match self.step()? {
                Next::End => {
                    self.end()?;
                    return Ok(false);
                }
                Next::Good => {
                    self.count_good();
                    return Ok(true);
                }
                Next::Bad(reject) => self.push_reject(reject),
            }
        }
    }

    /// Counts the current row.
    fn count_good(&mut self) {
        self.rows += 1;
        self.rejects.repaired += u64::from(self.current.repaired);
        if self.current.doubtful {
            self.rejects.doubtful.add(self.current.line);
        }
    }

    /// The current row, see [`Self::advance`].
    pub(crate) fn row(&self) -> Row<'_> {
        let quote = self.dialect.quote.byte();
        Row::new(self.current_text(), self.current.line, &self.fields, self.columns.len(), quote)
    }

    fn current_text(&self) -> &str {
        simdutf8::basic::from_utf8(self.text.since(self.current.start, self.current.len))
            .expect("a record that is not valid UTF-8 is a reject")
    }

    /// The bytes of a field of the current row, unless they have to be unescaped. Cheaper than [`Self::row`], which
    /// validates all of the row as text.
    pub(crate) fn bytes(&self, field: usize) -> Option<&[u8]> {
        let span = self.fields.spans.get(field).filter(|span| !span.escaped)?;
        Some(self.text.since(self.current.start + span.start, span.end - span.start))
    }

    /// The bytes of all fields of the current row, as they stand in the file.
    pub(crate) fn all_bytes(&self) -> impl Iterator<Item = &[u8]> {
        let text = self.text.since(self.current.start, self.current.len);
        self.fields.spans.iter().map(|span| &text[span.start..span.end])
    }

    /// Whether a field of the current row has one of these lengths, given as bits, or white space at an end. Quicker than to
    /// look at the texts.
    pub(crate) fn has_length(&self, lengths: u64) -> bool {
        let text = self.text.since(self.current.start, self.current.len);
        let is_padded = |span: &Span| text[span.start] <= b' ' || text[span.end - 1] <= b' ';
        let has = |span: &Span| match span.end - span.start {
            0 => false,
            len => lengths & length_bit(len) != 0 || is_padded(span),
        };
        self.fields.spans.iter().any(has)
    }

    /// Rejects the current row after all.
    pub(crate) fn reject_row(&mut self, reason: Reason) {
        let reject = self.reject(self.current, reason);
        self.rejects.push(self.rules.limits.rejects_kept, reject);
    }

    /// The line and the text of the header, for callers that reject it.
    pub(crate) fn header(&self) -> (u64, String) {
        (self.header.line, raw_text(self.columns.join(&self.dialect.delimiter).as_bytes(), self.rules.limits.raw_bytes))
    }

    /// Counts and keeps a bad row.
    fn push_reject(&mut self, reject: Reject) {
        self.rows += 1;
        self.rejects.push(self.rules.limits.rejects_kept, reject);
    }

    /// Skips empty lines and comments. Returns false at the end of the file.
    fn find_record(&mut self) -> Result<bool, Error> {
        loop {
            let (window, end) = self.text.window();
            let splitter = &self.rules.splitter;
            let len = joint(window);
            if len > 0 {
                self.text.consume(len, 0);
                self.note_irregular();
                continue;
            }
            if end == End::More && may_be_joint(window) {
                self.text.grow()?;
                continue;
            }
            if let Some(len) = splitter.skipped_line(window) {
                self.after_nul = false;
                self.text.consume(len, 1);
                continue;
            }
            match splitter.is_comment(window, end) {
                Some(true) => {
                    self.after_nul = false;
                    self.text.skip_line()?;
                }
                // CRs may be the start of an empty line.
                Some(false) if end == End::More && window.iter().all(|byte| *byte == b'\r') => self.text.grow()?,
                Some(false) => return Ok(!window.is_empty() || end != End::Eof),
                None => self.text.grow()?,
            }
        }
    }

    /// Splits off the next record and judges it.
    fn step(&mut self) -> Result<Next, Error> {
        let line_end = self.dialect.line_end.byte();
        loop {
            let (window, _) = self.text.window();
            if !self.rules.splitter.begins_record(window) && !self.find_record()? {
                return Ok(Next::End);
            }
            let (window, end) = self.text.window();
            let mut position = RecordPosition {
                line: self.text.line(),
                byte: self.text.byte(),
                start: self.text.position(),
                len: window.len(),
                ..RecordPosition::default()
            };
            match self.rules.splitter.split(window, end, &mut self.fields) {
                Step::More => self.text.grow()?,
                Step::Record(record) => {
                    position.len = record.end;
                    position.fields = record.fields;
                    position.repaired = record.repaired;
                    position.doubtful = record.doubtful;
                    if std::mem::take(&mut self.after_header) && is_underline(&self.fields.cells(window), &self.columns)
                    {
                        self.ignore(position, (record.next, record.lines));
                        continue;
                    }
                    let clean = self.text.is_clean(record.end);
                    let (next, lines) = (record.next, record.lines);
                    let verdict = self.rules.judge(&window[..record.end], clean, record, &mut self.fields);
                    let is_rest = self.after_nul && window.first() == Some(&0);
                    self.after_nul = ends_in_nul(&window[..next], line_end);
                    self.text.consume(next, lines);
                    if is_rest {
                        continue;
                    }
                    self.current = position;
                    if let Verdict::Row = verdict {
                        return Ok(Next::Good);
                    }
                    if let Some(reason) = self.no_row(verdict) {
                        return Ok(Next::Bad(self.reject(position, reason)));
                    }
                }
                Step::NeverClosed { end, lines, next, fault } => {
                    self.after_nul = false;
                    position.len = end;
                    let mut reject = self.reject(position, self.rules.why_unclosed(fault, &window[..end]));
                    reject.line += lines;
                    self.skip_past(next, lines)?;
                    self.bound_lenience();
                    return Ok(Next::Bad(reject));
                }
                Step::Endless { lines, fault } => {
                    self.after_nul = false;
                    let reject = self.reject(position, fault.into());
                    self.skip_past(None, lines)?;
                    return Ok(Next::Bad(reject));
                }
            }
        }
    }

    /// Consumes a record of this many bytes and lines that is no row, and notes it.
    #[cold]
    fn ignore(&mut self, position: RecordPosition, (len, lines): (usize, u64)) {
        let RowRules { limits, splitter, .. } = &*self.rules;
        let text = self.text.since(position.start, position.len);
        self.rejects.ignored.add(position.line, text, splitter.line_end.byte(), limits.raw_bytes);
        self.text.consume(len, lines);
    }

    /// Takes in what a record that is no row says about those below it. Returns why it is a reject, if it is one.
    #[cold]
    fn no_row(&mut self, verdict: Verdict) -> Option<Reason> {
        self.note_irregular();
        match verdict {
            Verdict::Row | Verdict::Sep => None,
            Verdict::Bad(reason) => Some(reason),
            Verdict::Header(order) => {
                self.set_order(order);
                self.after_header = true;
                None
            }
            Verdict::Joined(order) => {
                self.set_order(order);
                Some(Reason::JoinedHeader)
            }
        }
    }

    /// Reads the rows from here on with their columns in this order.
    fn set_order(&mut self, order: Option<Vec<usize>>) {
        if self.rules.order != order {
            let rules = Arc::make_mut(&mut self.rules);
            rules.order = order;
            rules.update();
            self.note_rules();
        }
    }

    fn bound_lenience(&mut self) {
        self.lenient_failures += 1;
        if self.lenient_failures == MAX_LENIENT_FAILURES && self.rules.splitter.quoting.lenient {
            Arc::make_mut(&mut self.rules).splitter.quoting.lenient = false;
            self.note_rules();
        }
    }

    /// Skips to `next`, which follows `lines` + 1 line ends. Without `next`, skips to the first line end after the
    /// window.
    fn skip_past(&mut self, next: Option<usize>, lines: u64) -> Result<(), Error> {
        if let Some(next) = next {
            self.text.consume(next, lines + 1);
            return Ok(());
        }
        let len = self.text.window().0.len();
        self.text.consume(len, lines);
        self.text.skip_line().map(drop)
    }

    fn reject(&self, position: RecordPosition, reason: Reason) -> Reject {
        // Rejects that are only counted, perhaps millions of them, need no text.
        let raw = match self.rejects.total < self.rules.limits.rejects_kept as u64 {
            true => raw_text(self.text.since(position.start, position.len), self.rules.limits.raw_bytes),
            false => String::new(),
        };
        Reject { line: position.line, byte: position.byte, reason, raw }
    }
}

#[cfg(test)]
mod tests;
