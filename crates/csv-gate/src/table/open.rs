//! Opens tables: surveys the file, and reads its header.

use std::io::{self, Read};

use tributary_formats::{Packing, is_tab_separated};

use super::{Next, RecordPosition, Table, fault::unusable_header};
use crate::{
    Dialect, Error, Reason, Rejects, Settings,
    decode::Decoded,
    dialect::CheckedSettings,
    head::{self, Head},
    sniff::{SAMPLE_BYTES, delimiter},
    split::{Fields, Splitter},
    survey::{Findings, survey},
    unpack::Unpacked,
    window::TextWindow,
};

/// Bytes that are read at a time: small enough for the processor's cache.
const READ_CHUNK_BYTES: usize = 256 << 10;

impl<R: Read> Table<R> {
    /// Reads a file once to detect how it is written, then opens it again and reads its header.
    ///
    /// `path` tells whether tabs are likely, and `packed_size` (in bytes) limits the unpacked size. `open` is called
    /// twice and must return the same bytes both times; a caller whose file may change has to check that afterwards.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the whole file cannot be used (no usable header, a corrupt archive, over a limit);
    /// [`Error::Settings`] if the settings cannot work; [`Error::Io`] if `open` or a reader that it returned fails.
    pub fn open(
        path: &str,
        packed_size: u64,
        open: impl Fn() -> io::Result<R>,
        settings: &Settings,
    ) -> Result<Self, Error> {
        Self::open_in_chunks(path, packed_size, open, settings, READ_CHUNK_BYTES)
    }

    /// [`Self::open`] for tests, which choose how much is read at a time.
    pub(crate) fn open_in_chunks(
        path: &str,
        packed_size: u64,
        open: impl Fn() -> io::Result<R>,
        settings: &Settings,
        chunk: usize,
    ) -> Result<Self, Error> {
        let checked = CheckedSettings::check(settings)?;
        let unpacked = || Unpacked::new(open()?, packed_size, &settings.limits);
        let found = survey(unpacked()?, &checked, chunk)?;
        Self::begin(path, unpacked()?, Head { found, check: None }, checked, settings, chunk)
    }

    /// Reads a file in one pass, so that a file can be split while it arrives. The line end is detected from its
    /// beginning. Without a byte order mark or an encoding in `settings` the file is assumed to be UTF-8, which is
    /// checked at its end by the rule of [`Self::open`]. A file that is read to its end without an error gives the same
    /// rows and rejects as with [`Self::open`], packed or not.
    ///
    /// `path` and `packed_size` are those of [`Self::open`]; `reader` starts at the file's first byte.
    ///
    /// # Errors
    /// Here and later, both [`Error::NeedsTwoPasses`] and [`Error::Rejected`] mean that everything read so far is void
    /// and that [`Self::open`] has to judge the file: a header that is unusable as UTF-8 may be fine in the true
    /// encoding. A valid UTF-8 file with a line end in its first MiB never needs two passes. [`Error::Settings`] and
    /// [`Error::Io`] are those of [`Self::open`].
    pub fn open_once(path: &str, packed_size: u64, reader: R, settings: &Settings) -> Result<Self, Error> {
        Self::open_once_in_chunks(path, packed_size, reader, settings, READ_CHUNK_BYTES)
    }

    /// [`Self::open_once`] for tests, which choose how much is read at a time.
    pub(crate) fn open_once_in_chunks(
        path: &str,
        packed_size: u64,
        reader: R,
        settings: &Settings,
        chunk: usize,
    ) -> Result<Self, Error> {
        let checked = CheckedSettings::check(settings)?;
        let mut source = Unpacked::new(reader, packed_size, &settings.limits)?;
        let head = head::survey_head(&mut source, &checked, chunk)?;
        Self::begin(path, source, head, checked, settings, chunk)
    }

    /// Reads the header. `source` starts at the file's first byte.
    fn begin(
        path: &str,
        mut source: Unpacked<R>,
        Head { found, check }: Head,
        checked: CheckedSettings,
        settings: &Settings,
        chunk: usize,
    ) -> Result<Self, Error> {
        source.fill(&mut vec![0; found.bom_len])?;
        let packing = source.packing();
        let decoded = match check {
            Some(check) => Decoded::assuming_utf8(source, check),
            None => Decoded::new(source, found.encoding, found.keeps_utf8.then_some(found.line_end)),
        };
        let text = TextWindow::new(decoded, found.line_end, settings.limits.lookahead_bytes, chunk);
        let mut table = Self::new(text, found, packing, checked, settings);
        let mut left = settings.skip_rows;
        while left > 0 && table.text.skip_line()? {
            left -= 1;
        }
        if settings.delimiter.is_none() {
            table.find_delimiter(is_tab_separated(path))?;
        }
        table.read_columns(settings.header)?;
        Ok(table)
    }

    fn new(
        text: TextWindow<R>,
        found: Findings,
        packing: Packing,
        checked: CheckedSettings,
        settings: &Settings,
    ) -> Self {
        let dialect = Dialect {
            encoding: found.encoding.name(),
            encoding_evidence: found.evidence,
            keeps_utf8_lines: found.keeps_utf8,
            delimiter: checked.delimiter.unwrap_or_else(|| ",".to_owned()),
            quote: checked.quote,
            escape: checked.escape,
            line_end: found.line_end,
            packing,
        };
        let limits = settings.limits.clone();
        let splitter = Splitter {
            delimiter: dialect.delimiter.clone().into_bytes(),
            quote: checked.quote.byte(),
            escape: checked.escape,
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
            header: RecordPosition::default(),
            fields: Fields::default(),
            current: RecordPosition::default(),
            pending: false,
            rejects: Rejects::default(),
            rows: 0,
        }
    }

    fn find_delimiter(&mut self, prefer_tab: bool) -> Result<(), Error> {
        // The sniffer skips empty lines before the header too.
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
        self.header = self.current;
        let (found, max) = (self.current.fields, self.limits.columns);
        if found > max {
            let raw = self.reject(self.current, Reason::FieldCount { found, expected: max }).raw;
            let reason = format!("{found} columns where {max} are the limit: check the delimiter and the quotes");
            return Err(Error::line(self.current.line, reason, raw));
        }
        let row = self.row();
        self.columns = match header {
            true => (0..found).map(|i| row.field(i).trim().to_owned()).collect(),
            false => (1..=found).map(|i| format!("column_{i}")).collect(),
        };
        Ok(())
    }
}
