//! Opens tables: surveys the file, and reads its header.

use std::{
    io::{self, Read},
    sync::Arc,
};

use tributary_formats::{Packing, is_tab_separated};

use super::{
    Next, RecordPosition, Table,
    around::Around,
    cells::Cells,
    fault::unusable_header,
    names::HeaderNames,
    rules::{RowRules, Width},
};
use crate::{
    Dialect, Error, Escapes, FieldCure, Header, Quote, Quotes, Ragged, Reason, Rejects, Row, Settings,
    decode::Decoded,
    dialect::CheckedSettings,
    footer::Source,
    head::{self, Head},
    line_end::first_line,
    sniff::{SAMPLE_BYTES, Sniffed, Wanted, sep_line, sniff, start::find_start, usual_width},
    split::{EscapeRule, Fields, Quoting, Splitter},
    survey::{Findings, survey},
    unpack::Unpacked,
    window::TextWindow,
};

/// Bytes that are read at a time: small enough for the processor's cache.
const READ_CHUNK_BYTES: usize = 256 << 10;

/// State of a table before its first row is read.
pub(super) struct Opening {
    pub(super) settings: Settings,
    /// The delimiter that a line above the header names for Excel.
    named: Option<char>,
    /// The parts of the dialect that are to be detected.
    pub(super) wanted: Wanted,
    /// The rules as set, before anything was detected.
    pub(super) base: Arc<RowRules>,
    /// The lines around the rows.
    pub(super) around: Option<Around>,
}

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
        let settings = &*settings.as_read();
        let checked = CheckedSettings::check(settings)?;
        let unpacked = || Unpacked::open(open()?, packed_size, settings);
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
        let settings = &*settings.as_read();
        let checked = CheckedSettings::check(settings)?;
        let mut source = Unpacked::open(reader, packed_size, settings)?;
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
        let source = Source::new(decoded, settings.skip_footer, found.line_end);
        let text = TextWindow::new(source, found.line_end, settings.limits.lookahead_bytes, chunk);
        let mut table = Self::new(text, found, packing, checked, settings);
        let mut left = settings.skip_rows;
        while left > 0 && table.text.skip_line()? {
            left -= 1;
        }
        table.dialect.skipped_lines = settings.skip_rows - left;
        let named = table.skip_sep_line()?;
        let wanted = table.wanted(named, is_tab_separated(path), settings);
        let base = Arc::clone(&table.rules);
        table.read_start(Opening { settings: settings.clone(), named, wanted, base, around: None })?;
        Ok(table)
    }

    /// Detects what the settings do not say, and reads the header.
    pub(super) fn read_start(&mut self, mut opening: Opening) -> Result<(), Error> {
        self.sniff(opening.named, opening.wanted, &opening.settings)?;
        let width = self.width_without_header(&opening.settings)?;
        opening.around = self.look_around(&opening.settings, width)?;
        self.read_columns(&opening.settings, width)?;
        self.opening = Some(Box::new(opening));
        Ok(())
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
            skipped_lines: 0,
            blanks_around_quotes: false,
            trailing_delimiter: false,
            bare_line_feeds: false,
            is_sheet: settings.sheet.is_some(),
        };
        let limits = settings.limits.clone();
        let quote = checked.quote.byte();
        let (escape, rule) = match settings.escapes {
            Escapes::Dropped => (checked.escape, EscapeRule::Dropped),
            // Without quotes there is nothing to protect.
            Escapes::Kept => (quote.map(|_| checked.escape.unwrap_or(b'\\')), EscapeRule::Kept),
        };
        let splitter = Splitter {
            delimiter: dialect.delimiter.clone().into_bytes(),
            quoting: Quoting { quote, escape, rule, lenient: settings.quotes == Quotes::Lenient, blanks: false },
            comment: settings.comment.clone().unwrap_or_default().into_bytes(),
            line_end: found.line_end,
            crlf_only: false,
            field_bytes: limits.field_bytes,
            record_bytes: limits.record_bytes,
            spans_kept: limits.columns,
            row_columns: 0,
            empty_is_row: false,
            unused: Vec::new(),
        };
        let width = Width { ragged: settings.ragged, is_sheet: settings.sheet.is_some(), ..Width::default() };
        Self {
            text,
            rules: Arc::new(RowRules::new(splitter, dialect.violated_encoding(), limits, width)),
            dialect,
            columns: Vec::new(),
            header: RecordPosition::default(),
            fields: Fields::default(),
            current: RecordPosition::default(),
            pending: false,
            rejects: Rejects::default(),
            rows: 0,
            lenient_failures: 0,
            after_nul: false,
            detects_header: settings.header.is_first_line() && settings.skip_rows == 0,
            drop_last_name: false,
            after_header: false,
            opening: None,
            segments: None,
        }
    }

    /// Skips the line with which some programs tell Excel the delimiter, and returns it.
    fn skip_sep_line(&mut self) -> Result<Option<char>, Error> {
        /// Longer than any such line.
        const LINE_BYTES: usize = 16;
        let (sample, _) = self.text.sample(LINE_BYTES)?;
        // Cuts a character at the end of the sample, and a line that ends with a lone CR.
        let line = first_line(sample);
        let named = std::str::from_utf8(line).ok().and_then(sep_line);
        if named.is_some() {
            self.text.skip_line()?;
            self.dialect.skipped_lines += 1;
        }
        Ok(named)
    }

    /// The parts of the dialect that are to be detected.
    fn wanted(&self, named: Option<char>, prefer_tab: bool, settings: &Settings) -> Wanted {
        let is_quoting_set = settings.quote.is_some() || self.rules.splitter.quoting.escape.is_some();
        Wanted {
            ragged: settings.ragged != Ragged::Reject,
            delimiter: settings.delimiter.is_none() && named.is_none(),
            quoting: !is_quoting_set,
            prefer_tab,
            any_names: settings.header == Header::AnyFirstLine,
            columns: match &settings.header {
                Header::Names(names) => Some(names.len()),
                Header::FirstLine | Header::AnyFirstLine | Header::None => None,
            },
        }
    }

    /// Detects what the settings do not say.
    fn sniff(&mut self, named: Option<char>, wanted: Wanted, settings: &Settings) -> Result<(), Error> {
        let mut splitter = self.rules.splitter.clone();
        if let Some(named) = named.filter(|_| settings.delimiter.is_none()) {
            splitter.delimiter = named.to_string().into_bytes();
        }
        let (sample, end) = self.text.sample(SAMPLE_BYTES)?;
        let mut found = sniff(sample, end, &splitter, wanted);
        if self.detects_header {
            let above = find_start(sample, end, &splitter, &found, wanted);
            if above > 0 {
                self.skip_above(above);
                let (sample, end) = self.text.sample(SAMPLE_BYTES)?;
                found = sniff(sample, end, &splitter, wanted);
            }
        }
        self.adopt(found, splitter, settings);
        Ok(())
    }

    fn adopt(&mut self, found: Sniffed, mut splitter: Splitter, settings: &Settings) {
        let Sniffed { delimiter, quoting, trailing, header_trailing, crlf_only, .. } = found;
        (splitter.delimiter, splitter.quoting, splitter.crlf_only) = (delimiter, quoting, crlf_only);
        self.dialect.bare_line_feeds = crlf_only;
        self.dialect.delimiter = String::from_utf8_lossy(&splitter.delimiter).into_owned();
        self.dialect.quote = quoting.quote.map_or(Quote::None, Quote::Char);
        self.dialect.escape = quoting.escape;
        self.dialect.blanks_around_quotes = quoting.blanks;
        self.dialect.trailing_delimiter = settings.header != Header::None && (trailing || header_trailing);
        let rules = Arc::make_mut(&mut self.rules);
        rules.splitter = splitter;
        rules.width.trailing = self.dialect.trailing_delimiter;
        self.drop_last_name = settings.header.is_first_line() && header_trailing;
    }

    /// The number of columns of a file without a header. One bad row at its start must not make all others bad.
    fn width_without_header(&mut self, settings: &Settings) -> Result<Option<usize>, Error> {
        if settings.header != Header::None {
            return Ok(None);
        }
        let is_sheet = settings.sheet.is_some();
        let (sample, end) = self.text.sample(SAMPLE_BYTES)?;
        let width = usual_width(sample, end, &self.rules.splitter, is_sheet);
        Ok(width.filter(|width| *width <= settings.limits.columns))
    }

    fn read_columns(&mut self, settings: &Settings, width: Option<usize>) -> Result<(), Error> {
        let Quoting { quote, escape, .. } = self.rules.splitter.quoting;
        // Those who write so write this word for nothing. As an escape it would be the letter.
        let null_of_dumps = (quote.is_none() && escape == Some(b'\\')).then(|| "\\N".to_owned());
        let null: Vec<_> = settings.null.iter().cloned().chain(null_of_dumps).collect();
        let is_usual = null.is_empty() && !settings.text_cells;
        let cells = (!is_usual).then_some(Cells { null, text_cells: settings.text_cells, quote });
        if settings.text_cells {
            // A word for nothing may be a name.
            let rules = Arc::make_mut(&mut self.rules);
            rules.cells = Some(Cells { null: Vec::new(), text_cells: true, quote });
            rules.update();
        }
        self.columns = match &settings.header {
            Header::FirstLine | Header::AnyFirstLine => self.read_header()?,
            Header::Names(names) if self.find_record()? => names.iter().map(|name| name.trim().to_owned()).collect(),
            Header::Names(_) => return Err(Error::file(format!("no rows: {}", self.no_line()))),
            Header::None => {
                let rules = Arc::make_mut(&mut self.rules);
                rules.cells = cells.clone();
                rules.update();
                let width = width.map_or_else(|| self.count_columns(), Ok)?;
                (1..=width).map(|i| format!("column_{i}")).collect()
            }
        };
        let rules = Arc::make_mut(&mut self.rules);
        rules.width.columns = self.columns.len();
        let is_quoting_found = settings.quote.is_none() && settings.quotes == Quotes::Strict;
        rules.splitter.row_columns = if is_quoting_found { self.columns.len() } else { 0 };
        rules.splitter.empty_is_row = self.columns.len() == 1;
        rules.cells = cells;
        rules.names = HeaderNames::new(&self.columns).filter(|_| settings.header != Header::None);
        rules.update();
        Ok(())
    }

    /// Reads the header and returns its names.
    fn read_header(&mut self) -> Result<Vec<String>, Error> {
        match self.step()? {
            Next::End => return Err(Error::file(format!("no header: {}", self.no_line()))),
            Next::Bad(reject) => {
                return Err(Error::line(reject.line, unusable_header(&reject), reject.raw));
            }
            Next::Good => self.header = self.current,
        }
        let found = self.checked_columns()?;
        let found = found - usize::from(self.drop_last_name);
        let quote = self.dialect.quote.byte();
        let row = Row::new(self.current_text(), self.current.line, &self.fields, found, quote);
        Ok(row.fields().map(|name| name.trim().to_owned()).collect())
    }

    /// Says why the file has no record at all.
    fn no_line(&self) -> &'static str {
        match self.dialect.skipped_lines == 0 && self.rules.splitter.comment.is_empty() {
            true => "the file holds no line that is not empty",
            false => "the file holds no line that is not empty after those that skip_rows = … and comment = … skip",
        }
    }

    /// Reads the first good row and counts its fields.
    fn count_columns(&mut self) -> Result<usize, Error> {
        if !self.advance()? {
            return Err(Error::file("no columns: the file holds no good row to count them by"));
        }
        self.pending = true;
        self.header = self.current;
        self.checked_columns()
    }

    fn checked_columns(&self) -> Result<usize, Error> {
        let (found, max) = (self.current.fields, self.rules.limits.columns);
        if found <= max {
            return Ok(found);
        }
        let raw = self.reject(self.current, Reason::FieldCount { found, expected: max, cure: FieldCure::Quote }).raw;
        let reason = format!(
            "{found} columns where {max} are the limit: check the delimiter and the quotes, or set max_columns = {found}"
        );
        Err(Error::line(self.current.line, reason, raw))
    }
}
