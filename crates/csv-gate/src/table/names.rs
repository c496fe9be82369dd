//! Headers in the middle of a file: joined files repeat their header, and some have its columns in another order.

use std::collections::HashSet;

use memchr::{memchr, memmem::Finder, memrchr};

use crate::{
    folded,
    split::{End, Fields, Quoting, Splitter, Step},
};

/// The byte order mark of a file that was joined to another.
const BOM: &str = "\u{feff}";

/// The names of the columns, to recognise their header again.
#[derive(Clone, Debug)]
pub(super) struct HeaderNames {
    names: Vec<String>,
    /// Whether no name is empty or occurs twice. Else a row may well hold the same cells in another order.
    are_distinct: bool,
    /// Whether this is so without regard to case.
    are_distinct_folded: bool,
    /// Finds the longest name, which few texts hold.
    longest: Finder<'static>,
}

impl HeaderNames {
    /// Returns none if rows may look like a header: if all names are empty, or if there is one column, which may list
    /// its own name.
    pub(super) fn new(names: &[String]) -> Option<Self> {
        if names.len() < 2 {
            return None;
        }
        let longest = names.iter().max_by_key(|name| name.len()).filter(|name| !name.is_empty())?;
        let filled = || names.iter().filter(|name| !name.is_empty());
        let are_distinct = filled().collect::<HashSet<_>>().len() == names.len();
        let are_distinct_folded = filled().map(|name| folded(name)).collect::<HashSet<_>>().len() == names.len();
        let longest = Finder::new(longest.as_bytes()).into_owned();
        Some(Self { longest, are_distinct, are_distinct_folded, names: names.to_vec() })
    }

    /// The first bytes of records that may be headers, and the lengths of their first cells.
    pub(super) fn first_cells(&self, splitter: &Splitter) -> impl Iterator<Item = (u8, u64)> {
        let Quoting { quote, escape, .. } = splitter.quoting;
        let layout = [quote.unwrap_or(b'"'), b' ', b'\t', splitter.delimiter[0], BOM.as_bytes()[0]];
        // The other case of a letter may be longer.
        let is_fixed = move |name: &str| escape.is_none() && name.is_ascii();
        let lengths = move |name: &str| if is_fixed(name) { length_bit(name.len()) } else { u64::MAX };
        let first = |name: &str| name.bytes().next();
        let names = self.names.iter().flat_map(move |name| {
            [first(name), first(&name.to_lowercase()), first(&name.to_uppercase())]
                .map(|byte| Some((byte?, lengths(name))))
        });
        names.flatten().chain(layout.map(|byte| (byte, u64::MAX)))
    }

    /// Returns the field that holds each column if a record is a header. The inner `Option` is none for the order of
    /// the first header.
    pub(super) fn order(&self, record: &[u8], fields: &Fields, splitter: &Splitter) -> Option<Option<Vec<usize>>> {
        let spans = fields.spans.get(..self.names.len())?;
        let first = record.get(spans[0].start..spans[0].end)?;
        if !spans[0].escaped && !self.may_be_name(first) {
            return None;
        }
        let record = simdutf8::basic::from_utf8(record).ok()?;
        let mut text = String::new();
        let mut is_name = |field: usize, name: &str, ignores_case: bool| {
            text.clear();
            fields.unescape(record, spans[field], &mut text);
            let found = bare(&text, splitter.quoting.quote);
            found == name || (ignores_case && folded(found) == folded(name))
        };
        if (0..spans.len()).all(|field| is_name(field, &self.names[field], self.are_distinct_folded)) {
            return Some(None);
        }
        let mut is_name = |field, name| is_name(field, name, false);
        // The first cell is no name in almost all rows.
        self.names.iter().find(|name| self.are_distinct && is_name(0, name))?;
        let order = self.names.iter().map(|name| (0..spans.len()).find(|field| is_name(*field, name)));
        order.collect::<Option<_>>().map(Some)
    }

    /// Returns the start of the first line of `text` that is a header in another order than `current`. Nothing in the
    /// text is quoted.
    pub(super) fn find_other_order(
        &self,
        text: &[u8],
        splitter: &Splitter,
        current: Option<&Vec<usize>>,
    ) -> Option<usize> {
        let (mut at, mut fields) = (0, Fields::default());
        let line_end = splitter.line_end.byte();
        while let Some(found) = self.longest.find(&text[at..]) {
            let hit = at + found;
            let start = memrchr(line_end, &text[..hit]).map_or(0, |at| at + 1);
            let end = memchr(line_end, &text[hit..]).map_or(text.len(), |found| hit + found + 1);
            let may_be = end - start <= self.most_bytes(splitter);
            if may_be
                && let Step::Record(record) = splitter.split(&text[start..end], End::Eof, &mut fields)
                && let Some(order) = self.order(&text[start..start + record.end], &fields, splitter)
                && order.as_ref() != current
            {
                return Some(start);
            }
            at = end;
        }
        None
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

/// The bit of a length; long ones share the last.
#[inline]
pub(super) fn length_bit(len: usize) -> u64 {
    1 << len.min(63)
}

/// Removes a byte order mark, white space and, after a byte order mark, quotes.
fn bare(text: &str, quote: Option<u8>) -> &str {
    let Some(rest) = text.strip_prefix(BOM) else { return text.trim() };
    let rest = rest.trim();
    let quote = quote.map(char::from).unwrap_or('"');
    rest.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).unwrap_or(rest).trim()
}
