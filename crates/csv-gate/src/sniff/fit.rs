//! The fit of a way to read to the beginning of a file.

use memchr::memchr;

use crate::split::{End, Fields, Record, Splitter, Step, joint};

/// The beginning of a file, from its header on.
#[derive(Clone, Copy)]
pub(super) struct Sample<'a> {
    pub(super) text: &'a [u8],
    pub(super) end: End,
    /// The number of columns, if it is known without a header.
    pub(super) columns: Option<usize>,
}

/// The fit of a splitter to a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) columns: usize,
    pub(super) records: u64,
    /// Records with a field that is never closed properly.
    pub(super) malformed: u64,
    /// Records with as many fields as the header, the header included.
    equal: u64,
    /// Records with one more field, which is empty.
    longer: u64,
    /// Records with one field less than the header, whose last name is empty.
    shorter: u64,
}

/// Quoted fields of a sample.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) fields: u64,
    /// Records that hold some.
    pub(super) records: u64,
    /// Fields that span lines.
    pub(super) spanning: u64,
    /// The line ends in them.
    pub(super) line_ends: u64,
}

/// A record of a sample.
pub(super) enum Piece<'a> {
    Record(&'a [u8], &'a Record),
    Malformed,
    /// The sample ends within this record.
    Cut(&'a [u8]),
}

impl Fit {
    pub(super) fn beats(&self, other: &Self) -> bool {
        // Compares shares, not counts: a wrong delimiter breaks quoted fields apart and so finds more records.
        let (mine, theirs) = (self.alike() * other.records, other.alike() * self.records);
        (mine, self.columns) > (theirs, other.columns)
    }

    /// The number of records that are alike. A delimiter at the end of nearly all rows does not count.
    pub(super) fn alike(&self) -> u64 {
        if self.is_trailing() { self.equal + self.longer } else { self.equal }
    }

    /// Whether rows end in a delimiter that the header lacks: nearly all of them, else some are just too long.
    pub(super) fn is_trailing(&self) -> bool {
        self.is_nearly_all(self.longer)
    }

    /// Whether only the header ends in a delimiter.
    pub(super) fn is_header_trailing(&self) -> bool {
        self.is_nearly_all(self.shorter)
    }

    fn is_nearly_all(&self, rows: u64) -> bool {
        rows > 0 && 50 * (rows + 1) >= 49 * self.records
    }

    /// The number of records that do not fit.
    pub(super) fn bad(&self) -> u64 {
        let alike = if self.is_header_trailing() { self.equal + self.shorter } else { self.alike() };
        self.records.saturating_sub(alike)
    }

    pub(super) fn fits_nearly_all(&self) -> bool {
        self.columns > 1 && 50 * self.bad() <= self.records
    }
}

impl Sample<'_> {
    pub(super) fn fit(self, splitter: &Splitter) -> Fit {
        let mut fit = Fit { columns: self.columns.unwrap_or(0), ..Fit::default() };
        let mut is_last_name_empty = false;
        self.read(splitter, |piece, _| {
            let (text, fields) = match piece {
                Piece::Record(text, record) => (text, record.fields),
                Piece::Malformed => {
                    fit.malformed += 1;
                    (&[][..], 0)
                }
                Piece::Cut(_) => return,
            };
            let is_last_empty = text.ends_with(&splitter.delimiter) && !splitter.is_aligned();
            if fit.records == 0 && self.columns.is_none() {
                fit.columns = fields;
                is_last_name_empty = is_last_empty;
            }
            fit.records += 1;
            fit.equal += u64::from(fields == fit.columns);
            fit.longer += u64::from(fields == fit.columns + 1 && is_last_empty);
            fit.shorter += u64::from(is_last_name_empty && fields + 1 == fit.columns);
        });
        fit
    }

    /// Counts the quoted fields.
    pub(super) fn quoted(self, splitter: &Splitter) -> Quoted {
        let mut found = Quoted::default();
        let line_end = splitter.line_end.byte();
        let line_ends = |text: &[u8]| text.iter().filter(|byte| **byte == line_end).count() as u64;
        self.read(&with_spans(splitter), |piece, fields| match piece {
            Piece::Record(text, _) => {
                let before = found.fields;
                let is_quoted = |start: usize| start > 0 && Some(text[start - 1]) == splitter.quoting.quote;
                for span in fields.spans.iter().filter(|span| is_quoted(span.start)) {
                    let inside = line_ends(&text[span.start..span.end]);
                    found.fields += 1;
                    found.spanning += u64::from(inside > 0);
                    found.line_ends += inside;
                }
                found.records += u64::from(found.fields > before);
            }
            Piece::Malformed => {}
            // A field that is not even closed within the sample.
            Piece::Cut(rest) => found.line_ends += line_ends(rest),
        });
        found
    }

    /// Counts the fields that begin and end with `quote`, read without quoting.
    pub(super) fn wrapped(self, splitter: &Splitter, quote: u8) -> u64 {
        let mut wrapped = 0;
        self.read(&with_spans(splitter), |piece, fields| {
            if let Piece::Record(text, _) = piece {
                let is_wrapped = |text: &[u8]| text.len() > 1 && text.starts_with(&[quote]) && text.ends_with(&[quote]);
                wrapped += fields.spans.iter().filter(|span| is_wrapped(&text[span.start..span.end])).count() as u64;
            }
        });
        wrapped
    }

    pub(super) fn read(self, splitter: &Splitter, mut take: impl FnMut(Piece<'_>, &Fields)) {
        let mut rest = self.text;
        let mut found = Fields::default();
        while !rest.is_empty() {
            rest = &rest[joint(rest)..];
            if rest.is_empty() {
                return;
            }
            if let Some(len) = splitter.empty_line(rest).or_else(|| comment(splitter, rest, self.end)) {
                rest = &rest[len..];
                continue;
            }
            let next = match splitter.split(rest, self.end, &mut found) {
                Step::Record(record) => {
                    take(Piece::Record(&rest[..record.end], &record), &found);
                    record.next
                }
                Step::NeverClosed { next: Some(next), .. } => {
                    take(Piece::Malformed, &found);
                    next
                }
                Step::NeverClosed { next: None, .. } | Step::Endless { .. } | Step::More => {
                    take(Piece::Cut(rest), &found);
                    return;
                }
            };
            rest = &rest[next..];
        }
    }
}

/// The number of fields that most records have; of several such numbers, that of the first record. None if no record is sound.
pub(crate) fn usual_width(text: &[u8], end: End, splitter: &Splitter, is_sheet: bool) -> Option<usize> {
    let mut widths: Vec<(usize, u64)> = Vec::new();
    Sample { text, end, columns: None }.read(splitter, |piece, _| {
        let Piece::Record(_, Record { fields, .. }) = piece else { return };
        match widths.iter_mut().find(|(width, _)| width == fields) {
            Some((_, count)) => *count += 1,
            None => widths.push((*fields, 1)),
        }
    });
    match is_sheet {
        // A row ends with its last cell that is not empty.
        true => widths.into_iter().map(|(width, _)| width).max(),
        false => widths.into_iter().rev().max_by_key(|(_, count)| *count).map(|(width, _)| width),
    }
}

pub(super) fn with_spans(splitter: &Splitter) -> Splitter {
    /// Most fields of a record that are looked at.
    const MAX_SPANS: usize = 4096;
    Splitter { spans_kept: MAX_SPANS, ..splitter.clone() }
}

/// Returns the length of the comment at the start of a text, if there is one.
pub(super) fn comment(splitter: &Splitter, text: &[u8], end: End) -> Option<usize> {
    let is_comment = splitter.is_comment(text, end) == Some(true);
    is_comment.then(|| memchr(splitter.line_end.byte(), text).map_or(text.len(), |found| found + 1))
}
