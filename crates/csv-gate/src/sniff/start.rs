//! Finds the header of a file that begins with other lines: titles, comments, or the names of groups of columns. A
//! line is skipped only if nothing else explains it: to skip a header would lose a row and all names.

use std::collections::HashSet;

use memchr::memchr;

use super::{
    CANDIDATES, Sample, Sniffed, Wanted,
    profile::{ColumnProfile, Kind, PROFILE_BYTES, Profile, first_record, from_record, has_digit, kind, profile},
    sniff,
};
use crate::split::{End, Splitter};

/// Most lines above a header.
const MAX_LINES: usize = 30;
/// Longer names are text.
const MAX_NAME_BYTES: usize = 120;
/// The starts of lines that are comments.
const MARKERS: [&[u8]; 6] = [b"#", b"//", b"--", b"%", b"*", b"!"];

/// The beginning of a file.
struct Start<'a> {
    text: &'a [u8],
    end: End,
    splitter: Splitter,
    wanted: Wanted,
    /// Whether nearly all records are as wide as the first line.
    fits: bool,
}

/// A line that may be the header, with the records below it.
struct Candidate {
    splitter: Splitter,
    columns: usize,
    /// Whether a column has a name here and only numbers below.
    is_typed: bool,
}

/// A line above a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Above {
    Blank,
    /// It begins with a sign for comments.
    Comment,
    /// One cell of several words.
    Title,
    /// One cell of one word.
    Word,
    /// A few cells.
    Short,
    /// As many cells as the header, of which some are empty or the same.
    Group,
    /// Perhaps the header itself.
    Header,
}

/// Returns the length of the lines above the header; 0 if the first line is the header or in doubt. `found` is what the
/// sample looks like from its start.
pub(crate) fn find_start(text: &[u8], end: End, splitter: &Splitter, found: &Sniffed, wanted: Wanted) -> usize {
    let splitter = Splitter { delimiter: found.delimiter.clone(), quoting: found.quoting, ..splitter.clone() };
    let cut = if text.len() > PROFILE_BYTES { End::More } else { end };
    let text = &text[..text.len().min(PROFILE_BYTES)];
    let first = from_record(text, cut, &splitter);
    let is_plain =
        || first_record(first, cut, &splitter).is_none_or(|(cells, _)| !is_sparse(&cells) && !is_note(&cells));
    let is_markup = first.trim_ascii_start().first().is_some_and(|byte| b"<{[".contains(byte));
    if is_markup || (found.fits && (wanted.any_names || is_plain())) {
        return 0;
    }
    Start { text, end: cut, splitter, wanted, fits: found.fits }.search().unwrap_or(0)
}

/// Whether a header has several columns and no name for some, or one name twice.
fn is_sparse(cells: &[&[u8]]) -> bool {
    cells.len() > 1 && (cells.iter().any(|cell| cell.trim_ascii().is_empty()) || has_twins(cells))
}

fn has_twins(cells: &[&[u8]]) -> bool {
    let filled = cells.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
    distinct(cells) < filled
}

/// The number of different cells that are not empty.
fn distinct(cells: &[&[u8]]) -> usize {
    let cells: HashSet<_> = cells.iter().map(|cell| cell.trim_ascii()).filter(|cell| !cell.is_empty()).collect();
    cells.len()
}

/// Whether the first cell is a comment of words, such as `# created by`.
fn is_note(cells: &[&[u8]]) -> bool {
    let text = cells.first().map(|cell| cell.trim_ascii()).unwrap_or_default();
    let is_set_off = |marker: &[u8], rest: &[u8]| rest.starts_with(b" ") || rest.starts_with(marker);
    MARKERS.iter().any(|marker| text.strip_prefix(*marker).is_some_and(|rest| is_set_off(marker, rest)))
}

impl Start<'_> {
    fn search(&self) -> Option<usize> {
        let mut above: Vec<&[u8]> = Vec::new();
        let mut at = 0;
        while above.len() < MAX_LINES {
            let rest = &self.text[at..];
            let len = memchr(self.splitter.line_end.byte(), rest)? + 1;
            if at > 0
                && !rest[..len].trim_ascii().is_empty()
                && self.splitter.is_comment(rest, self.end) != Some(true)
                && let Some(found) = self.candidate(rest)
            {
                return self.is_allowed(&above, &found).then_some(at);
            }
            above.push(&rest[..len]);
            at += len;
        }
        None
    }

    /// Reads the line at the start of `text` as a header.
    fn candidate(&self, text: &[u8]) -> Option<Candidate> {
        let splitter = match self.fits {
            true => self.splitter.clone(),
            false => {
                let Sniffed { delimiter, quoting, .. } = sniff(text, self.end, &self.splitter, self.wanted);
                Splitter { delimiter, quoting, ..self.splitter.clone() }
            }
        };
        let (names, len) = first_record(text, self.end, &splitter)?;
        let next = first_record(from_record(&text[len..], self.end, &splitter), self.end, &splitter);
        if names.len() < 2 || !may_be_header(&names) || next.is_some_and(|(next, _)| is_like(&names, &next)) {
            return None;
        }
        let below = profile(Sample { text, end: self.end, columns: None }, &splitter, names.len(), 1);
        let is_indented =
            |(name, column): (&&[u8], &ColumnProfile)| name.starts_with(b" ") && column.indented < below.rows;
        if !fits(&below) || names.iter().zip(&below.columns).any(is_indented) {
            return None;
        }
        let is_typed = below.columns.iter().any(|column| column.is_numeric());
        Some(Candidate { splitter, columns: names.len(), is_typed })
    }

    /// Whether the lines above a candidate are no header and no rows.
    fn is_allowed(&self, above: &[&[u8]], found: &Candidate) -> bool {
        let mut lines: Vec<Above> = Vec::new();
        for line in above {
            match found.above(line, self.wanted.any_names) {
                Some(Above::Header) | None => return false,
                Some(line) => lines.push(line),
            }
        }
        let last_blank = lines.iter().rposition(|line| *line == Above::Blank);
        let is_detached = |at: usize| last_blank.is_some_and(|blank| blank > at);
        let first = lines.iter().find(|line| **line != Above::Blank);
        let has_title = matches!(first, Some(Above::Comment | Above::Title | Above::Word));
        let mut shown = lines.iter().enumerate().filter(|(_, line)| **line != Above::Blank);
        let likely = shown.clone().all(|(at, line)| match line {
            Above::Blank => true,
            // Rows may look so too where the first line has as many cells as all others.
            _ if self.fits && !(found.is_typed && found.columns > 2) => false,
            Above::Comment | Above::Title => true,
            Above::Word => found.is_typed || is_detached(at),
            Above::Short => is_detached(at) && has_title,
            Above::Group => found.is_typed && at + 1 == lines.len(),
            Above::Header => false,
        });
        shown.next().is_some() && likely
    }
}

impl Candidate {
    /// Tells what a line above the header is; none if it is no complete record.
    fn above(&self, line: &[u8], any_names: bool) -> Option<Above> {
        let text = line.trim_ascii();
        if text.is_empty() {
            return Some(Above::Blank);
        }
        if self.splitter.is_comment(line, End::Eof) == Some(true) {
            return Some(Above::Comment);
        }
        let is_marked = MARKERS.iter().any(|marker| text.starts_with(marker));
        let cells = match first_record(line, End::Eof, &self.splitter) {
            Some((cells, len)) if len == line.len() => cells,
            _ => return is_marked.then_some(Above::Comment),
        };
        if any_names && cells.len() == self.columns {
            return Some(Above::Header);
        }
        // The first name of a header may begin with such a sign.
        if is_marked && (cells.len() == 1 || is_note(&cells)) {
            return Some(Above::Comment);
        }
        let mut filled = cells.iter().map(|cell| cell.trim_ascii()).filter(|cell| !cell.is_empty());
        Some(match (filled.next(), filled.next()) {
            (None, _) => Above::Blank,
            (Some(title), None) if is_list(title) => Above::Header,
            (Some(title), None) if title.iter().any(|byte| b" :".contains(byte)) => Above::Title,
            (Some(_), None) => Above::Word,
            _ if cells.len() < self.columns => Above::Short,
            // A header may have one name twice, or none for some columns.
            _ if cells.len() == self.columns && 2 * distinct(&cells) <= cells.len() + 1 => Above::Group,
            _ => Above::Header,
        })
    }
}

/// Whether a text looks like a header of another delimiter: parts with no blank between them.
fn is_list(text: &[u8]) -> bool {
    let is_parted = |delimiter: &u8| {
        let parts = || text.split(|byte| byte == delimiter);
        parts().count() > 1 && parts().all(|part| part.first().is_some_and(|first| *first != b' '))
    };
    CANDIDATES.iter().any(is_parted)
}

/// Whether cells may be the names of columns.
pub(super) fn may_be_header(cells: &[&[u8]]) -> bool {
    !has_twins(cells) && !is_note(cells) && cells.iter().all(is_name)
}

/// Whether a record looks like the next one: some cell has digits in the same places, as in `B1` above `B2`. Names do not.
pub(super) fn is_like(cells: &[&[u8]], next: &[&[u8]]) -> bool {
    let mask = |cell: &[u8]| -> Vec<u8> {
        let class = |byte: &u8| if byte.is_ascii_digit() { b'0' } else { *byte & 0b1110_0000 };
        let mut classes: Vec<_> = cell.trim_ascii().iter().map(class).collect();
        classes.dedup();
        classes
    };
    cells.iter().zip(next).any(|(cell, next)| has_digit(cell) && mask(cell) == mask(next))
}

/// Whether a cell may be a name: not empty, and not a number.
fn is_name(cell: &&[u8]) -> bool {
    let text = cell.trim_ascii();
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let is_text = kind(text) == Kind::Text && !digits.first().is_some_and(u8::is_ascii_digit);
    is_text && text.len() <= MAX_NAME_BYTES && !text.iter().any(|byte| b"\r\n\"".contains(byte))
}

/// Whether nearly all records have the width of the header, apart from a footer.
fn fits(below: &Profile) -> bool {
    let records = below.rows + below.misfits;
    below.rows > 0 && 50 * below.early_misfits <= records && below.rows >= below.misfits
}
