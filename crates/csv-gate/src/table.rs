//! The second pass, or the only one: rows of clean text, one at a time, and the list of those that could not be used.
//! What the columns mean is not known here: see [`crate::feed`].

mod blocks;
mod fault;
mod marks;

use std::io::{self, Read};

use crate::{
    Dialect, Error, Limits, Packing, Ragged, Reason, Reject, Rejects, Row, Settings,
    decode::Decoded,
    dialect::Told,
    head::{self, Head},
    rejects::raw_text,
    sniff::{SAMPLE_BYTES, delimiter},
    split::{Fields, Splitter, Step},
    survey::{Findings, survey},
    text::{End, Text},
    unpack::Unpacked,
};

use fault::{fault, unusable_header};

pub use blocks::{Block, BlockRows, Blocks};

/// How much is read at a time: it stays in the processor's cache.
const CHUNK_BYTES: usize = 256 << 10;

/// A file that is being read row by row.
pub struct Table<R: Read> {
    text: Text<R>,
    splitter: Splitter,
    dialect: Dialect,
    limits: Limits,
    ragged: Ragged,
    columns: Vec<String>,
    header: Place,
    /// What the current record holds.
    fields: Fields,
    /// The current record.
    place: Place,
    /// The current record was read to learn the columns and is still to be given out.
    pending: bool,
    rejects: Rejects,
    rows: u64,
}

/// Where a record stands, in the file and in the window.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    line: u64,
    byte: u64,
    position: usize,
    len: usize,
    fields: usize,
}

/// What the text goes on with.
enum Next {
    End,
    Good,
    Bad(Reject),
}

impl<R: Read> Table<R> {
    /// Reads a file once to find out how it is written, then opens it again and reads its header.
    ///
    /// `path` tells by its ending what the file is packed with, and `packed_size` (in bytes) what it may unpack to.
    /// `open` is called twice and must give the same bytes both times; a caller whose file may change compares it
    /// afterwards.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the file as a whole cannot be used (no usable header, a corrupt archive, over a limit) or
    /// the settings cannot work; [`Error::Io`] if `open` or a reader it gave fails.
    pub fn open(
        path: &str,
        packed_size: u64,
        open: impl Fn() -> io::Result<R>,
        settings: &Settings,
    ) -> Result<Self, Error> {
        Self::open_in_chunks(path, packed_size, open, settings, CHUNK_BYTES)
    }

    /// [`Self::open`], where tests choose how much is read at a time.
    pub(crate) fn open_in_chunks(
        path: &str,
        packed_size: u64,
        open: impl Fn() -> io::Result<R>,
        settings: &Settings,
        chunk: usize,
    ) -> Result<Self, Error> {
        let told = Told::check(settings)?;
        let packing = Packing::of(path);
        let unpacked = || Unpacked::new(open()?, packing, packed_size, &settings.limits);
        let found = survey(unpacked()?, packing, &told, chunk)?;
        Self::begin(path, unpacked()?, Head { found, check: None }, told, settings, chunk)
    }

    /// Reads a file in one pass, so that a file that is still arriving can be split meanwhile. The beginning tells the
    /// line end. Without a byte order mark or an encoding in `settings` the file is taken for UTF-8; whether it is, by
    /// the rule of [`Self::open`], shows at its end. A file that is read to its end without an error gives what
    /// [`Self::open`] gives, packed files included.
    ///
    /// `path` and `packed_size` are those of [`Self::open`]; `reader` gives the file from its first byte.
    ///
    /// # Errors
    /// Here and later, [`Error::Misjudged`] and [`Error::Rejected`] both say only that nothing that was read counts and
    /// that [`Self::open`] has to judge the file: a header that is no good as UTF-8 may be good in the true encoding.
    /// A valid UTF-8 file whose first line end lies in its first MiB is never misjudged. [`Error::Settings`] and
    /// [`Error::Io`] are those of [`Self::open`].
    pub fn open_once(path: &str, packed_size: u64, reader: R, settings: &Settings) -> Result<Self, Error> {
        Self::open_once_in_chunks(path, packed_size, reader, settings, CHUNK_BYTES)
    }

    /// [`Self::open_once`], where tests choose how much is read at a time.
    pub(crate) fn open_once_in_chunks(
        path: &str,
        packed_size: u64,
        reader: R,
        settings: &Settings,
        chunk: usize,
    ) -> Result<Self, Error> {
        let told = Told::check(settings)?;
        let mut source = Unpacked::new(reader, Packing::of(path), packed_size, &settings.limits)?;
        let head = head::look(&mut source, &told, chunk)?;
        Self::begin(path, source, head, told, settings, chunk)
    }

    /// Reads the header. `source` stands at the first byte.
    fn begin(
        path: &str,
        mut source: Unpacked<R>,
        Head { found, check }: Head,
        told: Told,
        settings: &Settings,
        chunk: usize,
    ) -> Result<Self, Error> {
        let (stem, packing) = Packing::split(path);
        source.fill(&mut vec![0; found.bom_len])?;
        let decoded = match check {
            Some(check) => Decoded::assuming_utf8(source, check),
            None => Decoded::new(source, found.encoding),
        };
        let text = Text::new(decoded, found.line_end, settings.limits.lookahead_bytes, chunk);
        let mut table = Self::new(text, found, packing, told, settings);
        let mut left = settings.skip_rows;
        while left > 0 && table.text.skip_line()? {
            left -= 1;
        }
        if settings.delimiter.is_none() {
            table.find_delimiter(stem.ends_with(".tsv"))?;
        }
        table.read_columns(settings.header)?;
        Ok(table)
    }

    fn new(text: Text<R>, found: Findings, packing: Packing, told: Told, settings: &Settings) -> Self {
        let dialect = Dialect {
            encoding: found.encoding.name(),
            delimiter: told.delimiter.unwrap_or_else(|| ",".to_owned()),
            quote: told.quote,
            escape: told.escape,
            line_end: found.line_end,
            packing,
        };
        let limits = settings.limits.clone();
        let splitter = Splitter {
            delimiter: dialect.delimiter.clone().into_bytes(),
            quote: told.quote.byte(),
            escape: told.escape,
            line_end: found.line_end,
            field_bytes: limits.field_bytes,
            record_bytes: limits.record_bytes,
            spans_kept: limits.columns,
        };
        Self {
            text,
            splitter,
            dialect,
            limits,
            ragged: settings.ragged,
            columns: Vec::new(),
            header: Place::default(),
            fields: Fields::default(),
            place: Place::default(),
            pending: false,
            rejects: Rejects::default(),
            rows: 0,
        }
    }

    /// How the file is written.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The header's names, trimmed of Unicode white space, as spelled and in their order; some may be empty or occur
    /// twice. Never none.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rejects met so far: all of them once [`Self::next_row`] has given none.
    pub fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// Good and bad rows met so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the packed input used up in the pass that gives the rows, to show progress. It runs ahead of the rows a
    /// little.
    pub fn bytes_read(&self) -> u64 {
        self.text.packed_read()
    }

    /// The next good row; none at the end of the file. Bad ones on the way join [`Self::rejects`].
    ///
    /// # Errors
    /// As for [`Self::open`], where the file shows only now that it is corrupt or over a limit, or as for
    /// [`Self::open_once`]. What was read before is then not to be used either.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        Ok(if self.advance()? { Some(self.row()) } else { None })
    }

    /// Goes to the next good row; false at the end of the file.
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

    /// The row that [`Self::advance`] went to.
    pub(crate) fn row(&self) -> Row<'_> {
        let text = simdutf8::basic::from_utf8(self.text.since(self.place.position, self.place.len))
            .expect("a record that is not valid UTF-8 is a reject");
        Row::new(text, self.place.line, &self.fields, self.columns.len())
    }

    /// The bytes of a field of the row that [`Self::advance`] went to, if they are its text as they stand: much cheaper
    /// than [`Self::row`], which has to make sure that all of the row is text.
    pub(crate) fn bytes(&self, field: usize) -> Option<&[u8]> {
        let span = self.fields.spans.get(field).filter(|span| !span.escaped)?;
        Some(self.text.since(self.place.position + span.start, span.end - span.start))
    }

    /// Sets the row that [`Self::advance`] went to aside after all.
    pub(crate) fn reject_row(&mut self, reason: Reason) {
        let reject = self.reject(self.place, reason);
        self.rejects.push(self.limits.rejects_kept, reject);
    }

    /// The line of the header and its text, for those who cannot use it.
    pub(crate) fn header(&self) -> (u64, String) {
        (self.header.line, raw_text(self.columns.join(&self.dialect.delimiter).as_bytes(), self.limits.raw_bytes))
    }

    fn find_delimiter(&mut self, prefer_tab: bool) -> Result<(), Error> {
        // Empty lines before the header are passed over by the sniffer too.
        let (sample, end) = self.text.sample(SAMPLE_BYTES)?;
        let found = delimiter(sample, end, &self.splitter, prefer_tab);
        self.splitter.delimiter = vec![found];
        self.dialect.delimiter = char::from(found).to_string();
        Ok(())
    }

    fn read_columns(&mut self, header: bool) -> Result<(), Error> {
        if header {
            match self.step()? {
                Next::End => {
                    return Err(Error::file("no header: the file holds no line that is not empty"));
                }
                Next::Bad(reject) => {
                    return Err(Error::line(reject.line, unusable_header(&reject.reason), reject.raw));
                }
                Next::Good => {}
            }
        } else if self.advance()? {
            self.pending = true;
        } else {
            return Err(Error::file("no columns: the file holds no good row to count them by"));
        }
        self.header = self.place;
        let (found, most) = (self.place.fields, self.limits.columns);
        if found > most {
            let raw = self.reject(self.place, Reason::FieldCount { found, expected: most }).raw;
            let reason = format!("{found} columns where {most} are the limit: look at the delimiter and the quotes");
            return Err(Error::line(self.place.line, reason, raw));
        }
        let row = self.row();
        self.columns = match header {
            true => (0..found).map(|i| row.field(i).trim().to_owned()).collect(),
            false => (1..=found).map(|i| format!("column_{i}")).collect(),
        };
        Ok(())
    }

    /// Splits off one record and judges it.
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
            let mut place = Place {
                line: self.text.line(),
                byte: self.text.byte(),
                position: self.text.position(),
                len: window.len(),
                fields: 0,
            };
            match self.splitter.split(window, end, &mut self.fields) {
                Step::More => self.text.grow()?,
                Step::Record(record) => {
                    place.len = record.end;
                    place.fields = record.fields;
                    let clean = self.text.is_clean(record.end);
                    let expected = (self.columns.len(), self.ragged);
                    let fault = record.fault.or_else(|| {
                        fault(&window[..record.end], clean, record.fields, expected, self.dialect.encoding)
                    });
                    self.text.consume(record.next, record.lines);
                    self.place = place;
                    return Ok(fault.map_or(Next::Good, |reason| Next::Bad(self.reject(place, reason))));
                }
                Step::NeverClosed { end, lines, next } => {
                    place.len = end;
                    let mut reject = self.reject(place, Reason::NeverClosed);
                    reject.line += lines;
                    self.pass_over(next, lines)?;
                    return Ok(Next::Bad(reject));
                }
                Step::Endless { lines, fault } => {
                    let reject = self.reject(place, fault);
                    self.pass_over(None, lines)?;
                    return Ok(Next::Bad(reject));
                }
            }
        }
    }

    /// Goes on at `next`, behind one more line end than `lines`; without it, at the end of the line behind the window.
    fn pass_over(&mut self, next: Option<usize>, lines: u64) -> Result<(), Error> {
        if let Some(next) = next {
            self.text.consume(next, lines + 1);
            return Ok(());
        }
        let len = self.text.window().0.len();
        self.text.consume(len, lines);
        self.text.skip_line().map(drop)
    }

    fn reject(&self, place: Place, reason: Reason) -> Reject {
        // Text for those that will only be counted would be made for nothing, perhaps millions of times.
        let raw = match self.rejects.total < self.limits.rejects_kept as u64 {
            true => raw_text(self.text.since(place.position, place.len), self.limits.raw_bytes),
            false => String::new(),
        };
        Reject { line: place.line, byte: place.byte, reason, raw }
    }
}
