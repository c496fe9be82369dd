//! Leaves out the lines around a table that are no rows: those above and right below its header, and its footer.

use std::io::Read;

use memchr::memchr_iter;

use super::{Next, RecordPosition, Table};
use crate::{
    Error, Header, Ragged, Reason, Row, Settings,
    sniff::{
        SAMPLE_BYTES,
        below::{Below, below_header},
        profile::Profile,
    },
    tail::Tail,
};

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

    /// Looks at the rows at the beginning of the file.
    pub(super) fn below_header(&mut self, settings: &Settings) -> Result<Option<(Below, Profile)>, Error> {
        if settings.header != Header::FirstLine {
            return Ok(None);
        }
        let (sample, end) = self.text.sample(SAMPLE_BYTES)?;
        Ok(below_header(sample, end, &self.rules.splitter))
    }

    /// Leaves out what is no row right below the header, and the footer.
    pub(super) fn leave_out(&mut self, below: Option<(Below, Profile)>, settings: &Settings) -> Result<(), Error> {
        let Some((below, profile)) = below else { return Ok(()) };
        if below != Below::Rows {
            match self.step()? {
                Next::End => {}
                Next::Bad(reject) => self.push_reject(reject),
                Next::Good if below == Below::Units => {
                    let reject = self.reject(self.current, self.units());
                    self.push_reject(reject);
                }
                Next::Good => {
                    let RecordPosition { line, start, len, .. } = self.current;
                    let text = self.text.since(start, len);
                    let (line_end, max) = (self.dialect.line_end.byte(), self.rules.limits.raw_bytes);
                    self.rejects.ignored.add(line, text, line_end, max);
                }
            }
        }
        // An LF in a cell may begin a line that looks like a footer.
        if settings.skip_footer == 0 && self.columns.len() > 1 && !self.dialect.bare_line_feeds {
            let splitter = self.rules.splitter.clone();
            self.text.leave_out(Tail { splitter, profile, is_padded: settings.ragged == Ragged::Pad });
        }
        Ok(())
    }

    fn units(&self) -> Reason {
        let row = Row::new(self.current_text(), self.current.line, &self.fields, self.columns.len());
        let named = |wanted: &dyn Fn(&str) -> bool| {
            let mut found = row.fields().zip(&self.columns).filter(|(cell, _)| wanted(cell.trim()));
            found.next().map(|(_, name)| name.clone()).unwrap_or_default()
        };
        Reason::Units { empty: named(&str::is_empty), number: named(&|cell| !cell.is_empty()) }
    }

    /// Notes the footer, if the file has one.
    pub(super) fn end(&mut self) {
        let footer = self.text.take_ignored();
        self.rejects.ignored.lines += footer.lines;
        self.rejects.ignored.first = self.rejects.ignored.first.take().or(footer.first);
    }
}
