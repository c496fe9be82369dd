//! Headers in the middle of a file: joined files repeat their header, and some have its columns in another order.

use std::collections::HashSet;

use memchr::{memchr, memrchr};

use super::anchor::Anchor;
use crate::{
    folded,
    split::{End, Fields, Quoting, Span, Splitter, Step, joint},
};

/// The names of the columns, to recognise their header again.
#[derive(Clone, Debug)]
pub(super) struct HeaderNames {
    names: Vec<String>,
    /// The names without regard to case.
    folded: Vec<String>,
    /// Whether no name is empty or occurs twice. Else a row may well hold the same cells in another order.
    are_distinct: bool,
    /// Whether this is so without regard to case.
    are_distinct_folded: bool,
    /// Finds the lines that may hold the names.
    anchor: Anchor,
}

impl HeaderNames {
    /// Returns none if rows may look like a header: if all names are empty, or if there is one column, which may list
    /// its own name.
    pub(super) fn new(names: &[String]) -> Option<Self> {
        if names.len() < 2 {
            return None;
        }
        let anchor = Anchor::new(names)?;
        let folded: Vec<_> = names.iter().map(|name| folded(name)).collect();
        let are_distinct = |names: &[String]| {
            names.iter().filter(|name| !name.is_empty()).collect::<HashSet<_>>().len() == names.len()
        };
        let are_distinct_folded = are_distinct(&folded);
        let are_distinct = are_distinct(names);
        Some(Self { anchor, are_distinct, are_distinct_folded, names: names.to_vec(), folded })
    }

    /// The first bytes of records that may be headers, and the lengths of their first cells.
    pub(super) fn first_cells(&self, splitter: &Splitter) -> impl Iterator<Item = (u8, u64)> {
        let Quoting { quote, escape, .. } = splitter.quoting;
        let layout = [quote.unwrap_or(b'"'), b' ', b'\t', splitter.delimiter[0]];
        // The other case of a letter may be longer.
        let is_fixed = move |name: &str| escape.is_none() && name.is_ascii();
        let lengths = move |name: &str| if is_fixed(name) { length_bit(name.len()) } else { u64::MAX };
        let first = |name: &str| name.bytes().next();
        let names = self.names.iter().flat_map(move |name| {
            [first(name), first(&name.to_lowercase()), first(&name.to_uppercase())]
                .map(|byte| Some((byte?, lengths(name))))
        });
        // The line that names the delimiter for Excel.
        let sep = [b's', b'S'].map(|byte| (byte, length_bit("sep=".len())));
        names.flatten().chain(layout.map(|byte| (byte, u64::MAX))).chain(sep)
    }

    /// Returns the field that holds each column if a record is a header. The inner `Option` is none for the order of
    /// the first header.
    pub(super) fn order(&self, record: &[u8], fields: &Fields) -> Option<Option<Vec<usize>>> {
        let spans = fields.spans.get(..self.names.len())?;
        let first = record.get(spans[0].start..spans[0].end)?;
        if !spans[0].escaped && !self.may_be_name(first) {
            return None;
        }
        let text = simdutf8::basic::from_utf8(record).ok()?;
        let cell = |span: &Span| {
            let mut cell = String::new();
            fields.unescape(text, *span, &mut cell);
            cell
        };
        // The first cell is no name in almost all rows.
        let first = Name::of(&cell(&spans[0]));
        if !self.names().any(|name| self.is(&first, name)) {
            return None;
        }
        self.order_of(spans.iter().map(cell)).filter(|_| self.anchor.find(record).is_some())
    }

    /// Returns the order of a header that follows the last row of a file without a line end between them, see [`Self::order`].
    pub(super) fn joined_order(&self, record: &[u8], fields: &Fields) -> Option<Option<Vec<usize>>> {
        let (last, names) = fields.spans.get(self.names.len() - 1..2 * self.names.len() - 1)?.split_first()?;
        if fields.spans.len() != 2 * self.names.len() - 1 || fields.spans.iter().any(|span| span.escaped) {
            return None;
        }
        let cell = |span: &Span| std::str::from_utf8(&record[span.start..span.end]).ok();
        let last = cell(last)?;
        let ends = self.names.iter().filter_map(|name| last.get(last.len().checked_sub(name.len())?..));
        let names: Vec<_> = names.iter().map(cell).collect::<Option<_>>()?;
        let mut orders = ends.map(|first| std::iter::once(first).chain(names.iter().copied()).map(str::to_owned));
        orders.find_map(|cells| self.order_of(cells)).filter(|_| self.anchor.find(record).is_some())
    }

    /// Whether several of these cells are names.
    pub(super) fn are_among(&self, record: &[u8], cells: &[Span]) -> bool {
        let is_name = |span: &&Span| {
            let cell = String::from_utf8_lossy(&record[span.start..span.end]);
            !cell.trim().is_empty() && self.folded.contains(&folded(&cell))
        };
        cells.iter().filter(is_name).nth(1).is_some()
    }

    fn order_of(&self, cells: impl Iterator<Item = String>) -> Option<Option<Vec<usize>>> {
        let cells: Vec<_> = cells.map(|cell| Name::of(&cell)).collect();
        if cells.iter().zip(self.names()).all(|(cell, name)| self.is(cell, name)) {
            return Some(None);
        }
        let field = |name| cells.iter().position(|cell| self.is(cell, name));
        let order: Option<Vec<_>> = self.names().map(field).collect();
        order.filter(|_| self.are_distinct).map(Some)
    }

    /// The names as spelled and without regard to case.
    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(String::as_str).zip(self.folded.iter().map(String::as_str))
    }

    fn is(&self, cell: &Name, (name, folded): (&str, &str)) -> bool {
        cell.spelled == name || (self.are_distinct_folded && cell.folded == folded)
    }

    /// Returns the start of the first line of `text` that is a header, or ends in one of another order than `current`.
    /// Nothing in the text is quoted.
    pub(super) fn find_header(&self, text: &[u8], splitter: &Splitter, current: Option<&Vec<usize>>) -> Option<usize> {
        let (mut at, mut fields) = (0, Fields::default());
        let line_end = splitter.line_end.byte();
        while let Some(found) = self.anchor.find(&text[at..]) {
            let hit = at + found;
            let start = memrchr(line_end, &text[..hit]).map_or(0, |at| at + 1);
            let end = memchr(line_end, &text[hit..]).map_or(text.len(), |found| hit + found + 1);
            let line = &text[start + joint(&text[start..])..end];
            let may_be = line.len() <= self.most_bytes(splitter) || self.ends_in_name(line, splitter);
            if may_be
                && let Step::Record(record) = splitter.split(line, End::Eof, &mut fields)
                && self.is_header(&line[..record.end], &fields, current)
            {
                return Some(start);
            }
            at = end;
        }
        None
    }

    /// Whether a record is a header, or ends in one of another order than `current`.
    pub(super) fn is_header(&self, record: &[u8], fields: &Fields, current: Option<&Vec<usize>>) -> bool {
        let is_other = |order: Option<Vec<usize>>| order.as_ref() != current;
        self.order(record, fields).is_some() || self.joined_order(record, fields).is_some_and(is_other)
    }

    /// Whether the last cell of a line without quotes is a name, as of a header that was joined to a long row.
    fn ends_in_name(&self, line: &[u8], splitter: &Splitter) -> bool {
        let last = memrchr(splitter.delimiter[0], line).map_or(line, |at| &line[at + 1..]);
        self.may_be_name(last.trim_ascii())
    }

    /// Whether a cell is perhaps a name.
    fn may_be_name(&self, cell: &[u8]) -> bool {
        match cell {
            [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() && cell.is_ascii() => {
                self.names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(cell))
            }
            // The byte order mark and white space are ignored, and letters have two cases.
            _ => true,
        }
    }

    /// The most bytes of a header line: generous, because names may be padded with blanks.
    fn most_bytes(&self, splitter: &Splitter) -> usize {
        const PADDING: usize = 32;
        self.names.iter().map(|name| name.len() + splitter.delimiter.len() + PADDING).sum()
    }
}

/// A cell that may be a name.
struct Name {
    spelled: String,
    folded: String,
}

impl Name {
    fn of(cell: &str) -> Self {
        Self { spelled: cell.trim().to_owned(), folded: folded(cell) }
    }
}

/// The bit of a length; long ones share the last.
#[inline]
pub(crate) fn length_bit(len: usize) -> u64 {
    1 << len.min(63)
}
