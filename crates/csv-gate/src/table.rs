//! The second pass, or the only one: returns rows of clean text one by one and lists the rows that could not be used.
//! It knows nothing of what the columns mean: see [`crate::feed`].

pub(crate) mod blocks;
mod fault;
mod open;
mod separators;

use std::io::Read;

use self::fault::fault;
use crate::{
    Dialect, Error, Limits, Ragged, Reason, Reject, Rejects, Row,
    rejects::raw_text,
    split::{Fields, Splitter, Step},
    window::{End, TextWindow},
};

/// A file that is read row by row.
pub struct Table<R: Read> {
    text: TextWindow<R>,
    splitter: Splitter,
    dialect: Dialect,
    limits: Limits,
    ragged: Ragged,
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
}

/// The position of a record in the file and in the window.
#[derive(Clone, Copy, Debug, Default)]
struct RecordPosition {
    line: u64,
    byte: u64,
    start: usize,
    len: usize,
    fields: usize,
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
        if std::mem::take(&mut self.pending) {
            return Ok(true);
        }
        loop {
            match self.step()? {
                Next::End => return Ok(false),
                Next::Good => {
                    self.rows += 1;
                    return Ok(true);
                }
                Next::Bad(reject) => {
                    self.rows += 1;
                    self.rejects.push(self.limits.rejects_kept, reject);
                }
            }
        }
    }

    /// The current row, see [`Self::advance`].
    pub(crate) fn row(&self) -> Row<'_> {
        let text = simdutf8::basic::from_utf8(self.text.since(self.current.start, self.current.len))
            .expect("a record that is not valid UTF-8 is a reject");
        Row::new(text, self.current.line, &self.fields, self.columns.len())
    }

    /// The bytes of a field of the current row, unless they have to be unescaped. Cheaper than [`Self::row`], which
    /// validates all of the row as text.
    pub(crate) fn bytes(&self, field: usize) -> Option<&[u8]> {
        let span = self.fields.spans.get(field).filter(|span| !span.escaped)?;
        Some(self.text.since(self.current.start + span.start, span.end - span.start))
    }

    /// Rejects the current row after all.
    pub(crate) fn reject_row(&mut self, reason: Reason) {
        let reject = self.reject(self.current, reason);
        self.rejects.push(self.limits.rejects_kept, reject);
    }

    /// The line and the text of the header, for callers that reject it.
    pub(crate) fn header(&self) -> (u64, String) {
        (self.header.line, raw_text(self.columns.join(&self.dialect.delimiter).as_bytes(), self.limits.raw_bytes))
    }

    /// Splits off the next record and judges it.
    fn step(&mut self) -> Result<Next, Error> {
        loop {
            let (window, end) = self.text.window();
            if let Some(len) = self.splitter.empty_line(window) {
                self.text.consume(len, 1);
                continue;
            }
            if window.is_empty() && end == End::Eof {
                return Ok(Next::End);
            }
            let mut position = RecordPosition {
                line: self.text.line(),
                byte: self.text.byte(),
                start: self.text.position(),
                len: window.len(),
                fields: 0,
            };
            match self.splitter.split(window, end, &mut self.fields) {
                Step::More => self.text.grow()?,
                Step::Record(record) => {
                    position.len = record.end;
                    position.fields = record.fields;
                    let clean = self.text.is_clean(record.end);
                    let expected = (self.columns.len(), self.ragged);
                    let fault = record.fault.or_else(|| {
                        fault(&window[..record.end], clean, record.fields, expected, self.dialect.violated_encoding())
                    });
                    self.text.consume(record.next, record.lines);
                    self.current = position;
                    return Ok(fault.map_or(Next::Good, |reason| Next::Bad(self.reject(position, reason))));
                }
                Step::NeverClosed { end, lines, next } => {
                    position.len = end;
                    let mut reject = self.reject(position, Reason::NeverClosed);
                    reject.line += lines;
                    self.skip_past(next, lines)?;
                    return Ok(Next::Bad(reject));
                }
                Step::Endless { lines, fault } => {
                    let reject = self.reject(position, fault);
                    self.skip_past(None, lines)?;
                    return Ok(Next::Bad(reject));
                }
            }
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
        let raw = match self.rejects.total < self.limits.rejects_kept as u64 {
            true => raw_text(self.text.since(position.start, position.len), self.limits.raw_bytes),
            false => String::new(),
        };
        Reject { line: position.line, byte: position.byte, reason, raw }
    }
}

#[cfg(test)]
mod tests;
