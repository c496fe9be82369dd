//! Finds the header of a file that begins with other lines by the names of columns that it must have.

use memchr::memchr;

use super::{Sniffed, Wanted, profile::first_record, sniff};
use crate::{
    columns::find_first,
    folded,
    split::{End, Splitter},
};

/// Most lines above a header, not counting empty ones.
const MAX_ABOVE: usize = 30;

/// The header that is looked for.
pub(crate) struct NamedHeader<'a> {
    /// The columns, each with the names that it may have.
    pub(crate) wanted: &'a [Vec<&'a str>],
    pub(crate) splitter: &'a Splitter,
    pub(crate) dialect: Wanted,
}

/// A line above the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Above {
    Empty,
    /// It lacks a cell that the header has, or has more.
    Other,
    /// It has as many cells as the header, and all are filled.
    Row,
}

impl NamedHeader<'_> {
    /// Returns the start of the first line of `text` that has all names. Above the text stands the line `first`. None if
    /// one of the lines above may be a header itself, or a row.
    pub(crate) fn find(&self, first: &[u8], text: &[u8], end: End) -> Option<usize> {
        let mut above = vec![first];
        let (mut at, mut filled) = (0, 1);
        while filled <= MAX_ABOVE {
            let rest = &text[at..];
            let found = memchr(self.splitter.line_end.byte(), rest);
            let len = found.map(|found| found + 1).or((end == End::Eof && !rest.is_empty()).then_some(rest.len()))?;
            let line = &rest[..len];
            if self.may_hold(line)
                && let Some((splitter, columns)) = self.header(rest, end)
            {
                return are_other_lines(&above, &splitter, columns).then_some(at);
            }
            filled += usize::from(!line.trim_ascii().is_empty());
            above.push(line);
            at += len;
        }
        None
    }

    /// Whether a line holds a name of each column somewhere.
    fn may_hold(&self, line: &[u8]) -> bool {
        let line = folded(&String::from_utf8_lossy(line));
        self.wanted.iter().all(|names| names.iter().any(|name| line.contains(&folded(name))))
    }

    /// Reads the line at the start of `text` as a header: the way to read it, and the number of its columns.
    fn header(&self, text: &[u8], end: End) -> Option<(Splitter, usize)> {
        let Sniffed { delimiter, quoting, crlf_only, .. } = sniff(text, end, self.splitter, self.dialect);
        let splitter = Splitter { delimiter, quoting, crlf_only, ..self.splitter.clone() };
        let (cells, _) = first_record(text, end, &splitter)?;
        let names: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        let has = |wanted: &Vec<&str>| matches!(find_first(&names, wanted), Ok(Some(_)));
        self.wanted.iter().all(has).then_some((splitter, names.len()))
    }
}

/// Whether the lines above a header are none of its rows. One alone, with an empty line below it, may be a title with as many
/// commas.
fn are_other_lines(above: &[&[u8]], splitter: &Splitter, columns: usize) -> bool {
    let kinds: Vec<_> = above.iter().map(|line| kind(line, splitter, columns)).collect();
    let mut rows = kinds.iter().enumerate().filter(|(_, kind)| **kind == Above::Row).map(|(at, _)| at);
    match (rows.next(), rows.next()) {
        (None, _) => true,
        (Some(at), None) => kinds[at..].contains(&Above::Empty),
        _ => false,
    }
}

fn kind(line: &[u8], splitter: &Splitter, columns: usize) -> Above {
    let cells = match first_record(line, End::Eof, splitter) {
        _ if line.trim_ascii().is_empty() => return Above::Empty,
        Some((cells, _)) => cells,
        None => return Above::Other,
    };
    let filled = cells.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
    match filled {
        0 => Above::Empty,
        _ if cells.len() == columns && filled == columns => Above::Row,
        _ => Above::Other,
    }
}
