//! The rules by which the records of a table become rows. A table and its blocks share them.

use memchr::{memchr, memchr_iter, memmem};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    cells::Cells,
    names::{HeaderNames, length_bit},
};
use crate::{
    FieldCure, Limits, LineEnd, Ragged, Reason,
    sniff::{CANDIDATES, sep_line},
    split::{Fault, Fields, Quoting, Record, Span, Splitter},
};

/// Rules that hold from one record on. They change where a file repeats its header in another order.
#[derive(Clone)]
pub(super) struct RowRules {
    pub(super) splitter: Splitter,
    pub(super) encoding: &'static str,
    pub(super) limits: Limits,
    pub(super) width: Width,
    /// Cells with another meaning than their text, once the header is read.
    pub(super) cells: Option<Cells>,
    /// The names in the header, once it is read.
    pub(super) names: Option<HeaderNames>,
    /// The field that holds each column, if the file has changed their order.
    pub(super) order: Option<Vec<usize>>,
    /// The columns that are used; none if all are.
    pub(super) used: Option<Vec<usize>>,
    /// By their first byte, the records that are perhaps not plain rows: the lengths of their first cells, see
    /// [`length_bit`]. One look-up per row takes no time.
    unusual: [u64; 256],
}

/// The number of fields of a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Width {
    /// The number of columns; 0 while the header is read.
    pub(super) columns: usize,
    pub(super) ragged: Ragged,
    /// Whether the rows are those of a sheet.
    pub(super) is_sheet: bool,
    /// Whether a delimiter may end a row.
    pub(super) trailing: bool,
}

/// The judgement of a complete record.
#[derive(Debug)]
pub(super) enum Verdict {
    Row,
    /// The header again, with its columns in this order; none is the order of the first header.
    Header(Option<Vec<usize>>),
    /// A row, and behind it the header again, with its columns in this order.
    Joined(Option<Vec<usize>>),
    /// A line that names the delimiter again.
    Sep,
    Bad(Reason),
}

impl RowRules {
    /// Creates the rules for reading a header.
    pub(super) fn new(splitter: Splitter, encoding: &'static str, limits: Limits, width: Width) -> Self {
        let unusual = [0; 256];
        Self { splitter, encoding, limits, width, cells: None, names: None, order: None, used: None, unusual }
    }

    /// A digest of all that says which rows a text gives in a table of these columns.
    pub(super) fn digest(&self, columns: &[String]) -> u128 {
        // The last two are derived from the others, and from the columns.
        let Self { splitter, encoding, limits, width, cells, order, used, names, unusual: _ } = self;
        let has_names = names.is_some();
        xxh3_128(
            format!("{:?}", (splitter, encoding, limits, width, cells, order, used, has_names, columns)).as_bytes(),
        )
    }

    /// Updates what is derived from the other rules. Call it after each change of the cells, the names, the
    /// order and the used columns.
    pub(super) fn update(&mut self) {
        let are_all = self.cells.is_some() || self.order.is_some();
        self.unusual = [if are_all { u64::MAX } else { 0 }; 256];
        if let Some(used) = &self.used {
            let mut unused = vec![true; self.width.columns];
            let field = |column: &usize| self.order.as_ref().map_or(*column, |order| order[*column]);
            used.iter().map(field).for_each(|field| unused[field] = false);
            self.splitter.unused = unused;
        }
        if let Some(names) = &self.names {
            let first = names.first_cells(&self.splitter);
            first.for_each(|(byte, lengths)| self.unusual[usize::from(byte)] |= lengths);
        }
    }

    /// Whether a record of the right width needs more checks before it is a row.
    #[inline(always)]
    pub(super) fn is_unusual(&self, record: &[u8], fields: &Fields) -> bool {
        let (Some(first), Some(span)) = (record.first(), fields.spans.first()) else { return true };
        let lengths = self.unusual[usize::from(*first)];
        // White space around a name is ignored.
        let is_padded = || !record[..span.end].last().is_some_and(u8::is_ascii_graphic);
        lengths != 0 && (lengths & length_bit(span.end - span.start) != 0 || is_padded())
    }

    /// Judges a complete record and gives the fields of a row their final place. `clean`: its bytes are known to be
    /// valid text.
    #[inline(always)]
    pub(super) fn judge(&self, text: &[u8], clean: bool, record: Record, fields: &mut Fields) -> Verdict {
        if clean && record.fault.is_none() && record.fields == self.width.columns {
            return self.shape(text, fields);
        }
        match record.fault.map(Reason::from).or_else(|| self.fault(text, clean, record.fields, fields)) {
            Some(reason) => self.bad(text, fields, reason),
            None => self.shape(text, fields),
        }
    }

    /// Judges a faulty record. What is joined to a file may begin with a line of another width.
    #[cold]
    fn bad(&self, text: &[u8], fields: &Fields, reason: Reason) -> Verdict {
        let Reason::FieldCount { .. } = reason else { return Verdict::Bad(reason) };
        if self.is_sep_line(text) {
            return Verdict::Sep;
        }
        match self.names.as_ref().and_then(|names| names.joined_order(text, fields)) {
            Some(order) => Verdict::Joined(order),
            None if self.holds_names(text, fields) => Verdict::Bad(Reason::JoinedHeader),
            None => Verdict::Bad(reason),
        }
    }

    /// Whether several of the cells behind the last column are names.
    fn holds_names(&self, text: &[u8], fields: &Fields) -> bool {
        let extra = fields.spans.get(self.width.columns..).unwrap_or_default();
        self.names.as_ref().is_some_and(|names| names.are_among(text, extra))
    }

    /// Whether a record is the line that names the delimiter of the file for Excel.
    fn is_sep_line(&self, text: &[u8]) -> bool {
        /// Longer than any such line.
        const MAX_BYTES: usize = 16;
        let line = (text.len() < MAX_BYTES).then(|| std::str::from_utf8(text).ok()).flatten();
        line.and_then(sep_line).is_some_and(|named| named.to_string().as_bytes() == self.splitter.delimiter)
    }

    /// Judges a sound record, as [`Self::judge`] does.
    #[inline(always)]
    pub(super) fn shape(&self, text: &[u8], fields: &mut Fields) -> Verdict {
        if self.is_unusual(text, fields) { self.shape_unusual(text, fields) } else { Verdict::Row }
    }

    fn shape_unusual(&self, text: &[u8], fields: &mut Fields) -> Verdict {
        if let Some(order) = self.names.as_ref().and_then(|names| names.order(text, fields)) {
            return Verdict::Header(order);
        }
        if self.names.is_some() && self.is_sep_line(text) {
            return Verdict::Sep;
        }
        if let Some(order) = &self.order {
            fields.spans.resize(order.len(), Span { start: 0, end: 0, escaped: false });
            fields.spans = order.iter().map(|field| fields.spans[*field]).collect();
        }
        if let Some(cells) = &self.cells {
            fields.spans.iter_mut().for_each(|span| *span = cells.read(text, *span));
        }
        Verdict::Row
    }

    /// Whether a record is a header, or ends in one that changes the order of the columns.
    pub(super) fn is_header(&self, text: &[u8], fields: &Fields) -> bool {
        let is_likely = self.is_unusual(text, fields) || fields.spans.len() > self.width.columns;
        is_likely && self.names.as_ref().is_some_and(|names| names.is_header(text, fields, self.order.as_ref()))
    }

    /// Returns what is wrong with a syntactically correct record, if anything.
    fn fault(&self, text: &[u8], clean: bool, count: usize, fields: &Fields) -> Option<Reason> {
        if !clean && memchr(0, text).is_some() {
            return Some(Reason::Nul);
        }
        if !clean && simdutf8::basic::from_utf8(text).is_err() {
            return Some(Reason::Encoding { encoding: self.encoding });
        }
        let (found, expected) = (count, self.width.columns);
        if self.width.fits(text, count, fields) && self.other_delimiter(text, count).is_none() {
            return None;
        }
        Some(match self.width.is_sheet {
            true => Reason::BeyondHeader { found, expected },
            false => Reason::FieldCount { found, expected, cure: self.cure(text, count, fields) },
        })
    }

    /// Words the fault of a field that is never closed properly. `text` ends with the line on which it begins.
    pub(super) fn why_unclosed(&self, fault: Fault, text: &[u8]) -> Reason {
        let Quoting { quote, escape, .. } = self.splitter.quoting;
        let has_escape = quote.is_some_and(|quote| memmem::find(text, &[b'\\', quote]).is_some());
        match fault {
            Fault::NeverClosed => Reason::NeverClosed { has_escape: has_escape && escape.is_none() },
            fault => fault.into(),
        }
    }

    /// Names a way to read a record with another number of fields than the header.
    fn cure(&self, text: &[u8], count: usize, fields: &Fields) -> FieldCure {
        let Width { columns, .. } = self.width;
        let extra = fields.spans.get(columns..).unwrap_or_default();
        let has_crs = self.splitter.line_end == LineEnd::Lf && memchr(b'\r', text).is_some();
        let is_absent = |delimiter: &char| !text.contains(&(*delimiter as u8));
        match self.other_delimiter(text, count) {
            Some(delimiter) => FieldCure::OtherDelimiter(delimiter),
            None if count < columns => FieldCure::Pad,
            None if extra.len() == count - columns && are_blank(text, extra) => FieldCure::Trim,
            None if has_crs => FieldCure::LineEnds,
            None if columns == 1 => {
                ['\t', '|', '\u{1}'].into_iter().find(is_absent).map_or(FieldCure::Quote, FieldCure::OneColumn)
            }
            None => FieldCure::Quote,
        }
    }

    /// Returns a delimiter, unlike that of the header, that parts a record of one bare cell into as many as the header has.
    /// Behind a blank it is punctuation.
    fn other_delimiter(&self, text: &[u8], count: usize) -> Option<char> {
        let Splitter { delimiter, quoting, .. } = &self.splitter;
        let Width { columns, is_sheet, .. } = self.width;
        if count != 1 || columns < 2 || is_sheet || quoting.quote.is_some_and(|quote| text.first() == Some(&quote)) {
            return None;
        }
        let parts = |byte: &u8| {
            let mut found = memchr_iter(*byte, text).peekable();
            delimiter[0] != *byte
                && found.clone().count() + 1 == columns
                && found.peek().is_some()
                && found.all(|at| text.get(at + 1) != Some(&b' '))
        };
        CANDIDATES.iter().find(|byte| parts(byte)).map(|byte| char::from(*byte))
    }
}

impl Width {
    /// Whether a record of `count` fields is a row.
    fn fits(&self, text: &[u8], count: usize, fields: &Fields) -> bool {
        let Self { columns, ragged, trailing, .. } = *self;
        let extra = fields.spans.get(columns..).unwrap_or_default();
        let are_all = || extra.len() == count - columns;
        match count {
            _ if columns == 0 || count == columns => true,
            _ if count < columns => ragged == Ragged::Pad,
            _ if ragged == Ragged::Trim => are_all() && are_blank(text, extra),
            _ => trailing && count == columns + 1 && are_all() && extra.iter().all(|span| span.start == span.end),
        }
    }
}

fn are_blank(text: &[u8], cells: &[Span]) -> bool {
    cells.iter().all(|span| text[span.start..span.end].trim_ascii().is_empty())
}
