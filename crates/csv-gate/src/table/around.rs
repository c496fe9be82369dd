//! Leaves out the lines around a table that are no rows: those above and right below its header, and its footer.

use std::{io::Read, sync::Arc};

use memchr::memchr_iter;

use super::{Next, Table};
use crate::{
    Error, Header, Ragged, Reason, Reject, Settings,
    line_end::first_line,
    rejects::raw_text,
    sniff::{
        SAMPLE_BYTES,
        below::{Below, below_header},
        named::NamedHeader,
        profile::{PROFILE_BYTES, Profile, are_counted, of_rows},
        second::{Second, second_table},
    },
    split::End,
    tail::Tail,
    window::SecondPlace,
};

/// The lines around the rows at the beginning of a file.
pub(super) struct Around {
    below: Below,
    rows: Profile,
    /// The offset of a second table in the decoded text.
    second: Option<u64>,
}

impl<R: Read> Table<R> {
    /// Skips the lines above the header, which hold `len` bytes.
    pub(super) fn skip_above(&mut self, len: usize) {
        let line_end = self.dialect.line_end.byte();
        let text = self.text.since(self.text.position(), len);
        let lines = memchr_iter(line_end, text).count() as u64;
        self.rejects.ignored.add(self.text.line(), text, line_end, self.rules.limits.raw_bytes);
        self.text.consume(len, lines);
        self.dialect.skipped_lines += lines;
    }

    /// Looks at the beginning of the file, up to a second table.
    /// `width` is that of the rows of a file without a header.
    pub(super) fn look_around(&mut self, settings: &Settings, width: Option<usize>) -> Result<Option<Around>, Error> {
        let (byte, is_strict) = (self.text.byte(), settings.ragged == Ragged::Reject);
        let line = self.text.line();
        let (sample, end) = self.text.sample(SAMPLE_BYTES)?;
        let splitter = &self.rules.splitter;
        let columns = match &settings.header {
            Header::FirstLine | Header::AnyFirstLine => None,
            Header::Names(names) => Some(names.len()),
            Header::None => Some(width.unwrap_or(0)),
        };
        if let Some(columns) = columns {
            let rows = of_rows(sample, end, splitter, columns);
            return Ok(Some(Around { below: Below::Rows, rows, second: None }));
        }
        let Second { start, doubtful } = match settings.skip_footer {
            0 => second_table(sample, end, splitter, is_strict),
            _ => Second::default(),
        };
        if let Some(at) = doubtful {
            let line = line + memchr_iter(self.dialect.line_end.byte(), &sample[..at]).count() as u64;
            let text = raw_text(first_line(&sample[at..]), self.rules.limits.raw_bytes);
            self.rejects.doubts.push(format!(
                "line {line} is read as a row, but may be the header of a second table: {text} (skip_footer = … skips that table)"
            ));
        }
        // R writes row names without a name in the header, and the last column may be empty.
        if self.rules.width.trailing && !self.drop_last_name && are_counted(sample, end, splitter) {
            self.rejects.doubts.push(
                "the header has one name less than the rows, whose first cells count them: if they are row numbers, \
                 header = […] with skip_rows = … names all columns"
                    .to_owned(),
            );
        }
        let (sample, end) = start.map_or((sample, end), |at| (&sample[..at], End::Eof));
        let second = start.map(|at| byte + at as u64);
        Ok(below_header(sample, end, splitter).map(|(below, rows)| Around { below, rows, second }))
    }

    /// Leaves out what is no row right below the header, and the footer.
    fn leave_out(&mut self, around: Option<Around>, settings: &Settings) -> Result<(), Error> {
        let Some(Around { below, rows, second }) = around else { return Ok(()) };
        match below {
            Below::Rows => {}
            Below::Underline => self.skip_underline()?,
            Below::Units => match self.step()? {
                Next::End => {}
                Next::Bad(reject) => self.push_reject(reject),
                Next::Good => {
                    let reject = self.reject(self.current, self.units());
                    self.push_reject(reject);
                }
            },
        }
        if settings.skip_footer == 0 && self.columns.len() > 1 {
            let splitter = self.rules.splitter.clone();
            let tail = Tail { splitter, profile: rows, is_padded: settings.ragged == Ragged::Pad };
            match second {
                Some(byte) => self.text.stop(byte - self.text.byte(), &tail),
                None => self.text.leave_out(tail),
            }
        }
        Ok(())
    }

    fn skip_underline(&mut self) -> Result<(), Error> {
        if self.find_record()? {
            let (line, line_end) = (self.text.line(), self.dialect.line_end.byte());
            let (window, _) = self.text.window();
            let text = window.split(|byte| *byte == line_end).next().unwrap_or_default();
            self.rejects.ignored.add(line, text, line_end, self.rules.limits.raw_bytes);
            self.text.skip_line()?;
        }
        Ok(())
    }

    /// Reads on to a header that has the names that are looked for, if the lines above it are no rows of its table. Call
    /// it before the first row, if the header lacks a name: unless it returns true, nothing can be read from the table any
    /// more.
    ///
    /// `wanted` are the columns, each with the names that it may have.
    pub(crate) fn find_header(&mut self, wanted: &[Vec<&str>]) -> Result<bool, Error> {
        let Some(opening) = self.opening.take().filter(|_| self.detects_header) else { return Ok(false) };
        let first_text = self.text.since(self.header.start, self.header.len).to_vec();
        let (first_line, first) = self.header();
        let (sample, end) = self.text.sample(PROFILE_BYTES)?;
        let search = NamedHeader { wanted, splitter: &opening.base.splitter, dialect: opening.wanted };
        let Some(above) = search.find(&first_text, sample, end) else { return Ok(false) };
        let lines = self.text.line() - first_line;
        self.rejects.ignored.lines += lines;
        self.rejects.ignored.first.get_or_insert((first_line, first));
        self.dialect.skipped_lines += lines;
        self.skip_above(above);
        self.detects_header = false;
        self.rejects.doubts.clear();
        self.rules = Arc::clone(&opening.base);
        self.read_start(*opening)?;
        Ok(true)
    }

    /// Leaves out what is no row around the rows, before the first of them is read.
    #[cold]
    pub(super) fn begin_rows(&mut self) -> Result<(), Error> {
        match self.opening.take() {
            Some(opening) => self.leave_out(opening.around, &opening.settings),
            None => Ok(()),
        }
    }

    fn units(&self) -> Reason {
        let row = self.row();
        let named = |wanted: &dyn Fn(&str) -> bool| {
            let mut found = row.fields().zip(&self.columns).filter(|(cell, _)| wanted(cell.trim()));
            found.next().map(|(_, name)| name.clone()).unwrap_or_default()
        };
        Reason::Units { empty: named(&str::is_empty), number: named(&|cell| !cell.is_empty()) }
    }

    /// Notes the footer and the second table, if the file has one.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        let (footer, second) = self.text.finish(self.rules.limits.raw_bytes)?;
        self.rejects.ignored.lines += footer.lines;
        self.rejects.ignored.first = self.rejects.ignored.first.take().or(footer.first);
        if let Some(SecondPlace { line, byte, raw }) = second {
            self.push_reject(Reject { line, byte, reason: Reason::SecondTable, raw });
        }
        Ok(())
    }
}
