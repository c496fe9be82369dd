//! Finds the lines below the last row that are not rows: totals, counts and notes. Only lines that cannot be rows of the
//! file are taken: every other one stays a row or a reject.

use crate::{
    sniff::profile::{Kind, Profile, first_record, kind, without_trailing},
    split::{End, Quoting, Splitter},
};

/// Bytes at the end of a file in which a footer is searched.
pub(crate) const TAIL_BYTES: usize = 4 << 10;
/// Fewest dashes that are a line drawn below a table. A single one is a word for nothing.
const MIN_LINE_BYTES: usize = 3;
/// Most lines of a footer.
const MAX_LINES: usize = 12;

/// Words for a total and for what is computed of rows like one, in lowercase.
const TOTALS: [&str; 48] = [
    "total",
    "totals",
    "subtotal",
    "sum",
    "sums",
    "summe",
    "summen",
    "summa",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
    "insgesamt",
    "endsumme",
    "totaal",
    "totale",
    "totali",
    "totaux",
    "somme",
    "totales",
    "suma",
    "razem",
    "celkem",
    "összesen",
    "yhteensä",
    "toplam",
    "итого",
    "всего",
    "合計",
    "小計",
    "总计",
    "합계",
    "총계",
    "รวม",
    "average",
    "mean",
    "median",
    "min",
    "max",
    "minimum",
    "maximum",
    "durchschnitt",
    "mittelwert",
    "moyenne",
    "promedio",
    "total général",
    "total general",
    "total geral",
    "i alt",
];
/// Words for what a count counts, and words that may follow.
const COUNTED: [&str; 12] =
    ["row", "rows", "record", "records", "line", "lines", "tuple", "tuples", "zeile", "zeilen", "ligne", "lignes"];
const AFTER_COUNT: [&str; 8] = ["affected", "in", "set", "selected", "returned", "exported", "sec", "total"];

/// Knows the rows of a file, to tell a footer from them.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) splitter: Splitter,
    /// The rows at the beginning of the file.
    pub(crate) profile: Profile,
    /// Whether a line of one cell is a row.
    pub(crate) is_padded: bool,
}

/// A line at the end of a file.
#[derive(Debug)]
struct TailLine<'a> {
    start: usize,
    cells: Vec<&'a [u8]>,
    kind: LineKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineKind {
    Blank,
    /// Empty cells.
    Padded,
    /// It says how many rows there are.
    Count,
    /// A word for a total, numbers, and empty cells.
    Total,
    /// One cell of several words, or of dashes.
    Note,
    /// The same in the first of several cells, of which the others are empty.
    PaddedNote,
    Comment,
}

impl Tail {
    /// Returns the start of the footer in the text at the end of a file, or its length if it has none. `is_line_start`:
    /// the text begins at the start of a line.
    pub(crate) fn find(&self, text: &[u8], is_line_start: bool) -> usize {
        // A single cell may hold anything.
        let lines = if self.profile.columns.len() > 1 { self.last_lines(text, is_line_start) } else { Vec::new() };
        let mut before = LineKind::Total;
        let mut padded = None;
        for line in &lines {
            let after_blank = matches!(before, LineKind::Blank | LineKind::Padded);
            let is_footer = match line.kind {
                LineKind::Blank | LineKind::Padded => false,
                LineKind::Count => true,
                LineKind::Total => self.is_total(line, &lines),
                LineKind::PaddedNote => {
                    after_blank && self.profile.columns[0].empty == 0 && self.lacks_cell(line, &lines)
                }
                LineKind::Note => !self.is_padded && after_blank,
                LineKind::Comment => !self.is_padded,
            };
            if is_footer {
                return padded.unwrap_or(line.start);
            }
            padded = if line.kind == LineKind::Padded { padded.or(Some(line.start)) } else { None };
            before = line.kind;
        }
        text.len()
    }

    /// The lines at the end that may belong to a footer, in order.
    fn last_lines<'a>(&self, text: &'a [u8], is_line_start: bool) -> Vec<TailLine<'a>> {
        let line_end = self.splitter.line_end.byte();
        let mut found = Vec::new();
        let mut end = text.len();
        while end > 0 && found.len() < MAX_LINES {
            let start = memchr::memrchr(line_end, &text[..end - 1]).map(|at| at + 1);
            let Some(start) = start.or(is_line_start.then_some(0)) else { break };
            let Some(line) = self.line(start, &text[start..end]) else { break };
            found.push(line);
            end = start;
        }
        found.reverse();
        found
    }

    fn line<'a>(&self, start: usize, text: &'a [u8]) -> Option<TailLine<'a>> {
        if text.trim_ascii().is_empty() {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Blank });
        }
        let (cells, len) = first_record(text, End::Eof, &self.splitter).filter(|_| !self.may_be_quoted(text))?;
        if len != text.len() || std::str::from_utf8(text).is_err() {
            return None;
        }
        // No record of the profile, so it has no cells that could be compared.
        if self.splitter.is_comment(text, End::Eof) == Some(true) {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Comment });
        }
        let cells = without_trailing(&cells, self.profile.columns.len()).to_vec();
        let mut filled = cells.iter().map(|cell| cell.trim_ascii()).filter(|cell| !cell.is_empty());
        let Some(first) = filled.next() else {
            return Some(TailLine { start, cells: Vec::new(), kind: LineKind::Padded });
        };
        let first = String::from_utf8_lossy(first).to_lowercase();
        let is_alone = filled.next().is_none();
        let is_line = first.len() >= MIN_LINE_BYTES && first.bytes().all(|byte| b"-=_*".contains(&byte));
        let is_note = first.contains(' ') || is_line;
        let kind = if is_alone && is_count(&first) {
            LineKind::Count
        } else if is_total_word(&first) {
            LineKind::Total
        } else if cells.len() == 1 && (first.starts_with('#') || first.starts_with("-- ")) {
            LineKind::Comment
        } else if is_note && cells.len() == 1 {
            LineKind::Note
        } else if is_note && is_alone && cells.len() > 2 && !cells[0].trim_ascii().is_empty() {
            LineKind::PaddedNote
        } else {
            return None;
        };
        Some(TailLine { start, cells, kind })
    }

    /// Whether a line may stand inside quotes. Then it holds an odd number of them, unless some are text.
    fn may_be_quoted(&self, text: &[u8]) -> bool {
        let Quoting { quote, escape, lenient, .. } = self.splitter.quoting;
        let count = |byte: Option<u8>| byte.map_or(0, |byte| memchr::memchr_iter(byte, text).count());
        let quotes = count(quote);
        quotes > 0 && (lenient || count(escape) > 0 || !quotes.is_multiple_of(2))
    }

    /// Whether a total lacks a cell that every row has, and holds only numbers beside its word.
    fn is_total(&self, line: &TailLine<'_>, lines: &[TailLine<'_>]) -> bool {
        line.cells.iter().filter(|cell| kind(cell) == Kind::Text).count() == 1 && self.lacks_cell(line, lines)
    }

    /// Whether a line lacks a cell that every row has.
    fn lacks_cell(&self, line: &TailLine<'_>, lines: &[TailLine<'_>]) -> bool {
        let columns = &self.profile.columns;
        let is_empty =
            |line: &TailLine<'_>, at: usize| line.cells.get(at).is_none_or(|cell| cell.trim_ascii().is_empty());
        // The footer is part of the profile if the sample is all of the file.
        let of_rows: Vec<_> =
            lines.iter().filter(|line| self.profile.is_whole && line.cells.len() == columns.len()).collect();
        let lacks = |at: usize| {
            let in_footer = of_rows.iter().filter(|line| is_empty(line, at)).count() as u64;
            is_empty(line, at) && columns[at].empty <= in_footer
        };
        let rows = self.profile.rows.saturating_sub(of_rows.len() as u64);
        rows > 0 && line.cells.len() <= columns.len() && (0..columns.len()).any(lacks)
    }
}

/// Whether a text in lowercase stands for a total, such as `total`, `grand total` or `totals for may`.
fn is_total_word(text: &str) -> bool {
    let text = text.trim_end_matches([':', ' ']);
    let ends = [" total", " totals", " gesamt"].iter().any(|end| text.ends_with(end));
    let begins = ["total for ", "totals for ", "total ("].iter().any(|begin| text.starts_with(begin));
    TOTALS.contains(&text) || ends || begins
}

/// Leaves out a line at the end of a file that counts its rows.
pub(crate) fn without_count(text: &[u8], line_end: u8) -> &[u8] {
    let rows = text.trim_ascii_end();
    let start = memchr::memrchr(line_end, rows).map_or(0, |at| at + 1);
    let is_short = rows.len() - start < 80;
    match is_short && is_count(&String::from_utf8_lossy(&rows[start..]).to_lowercase()) {
        true => &text[..start],
        false => text,
    }
}

/// Whether a text in lowercase counts rows, such as `(3 rows)` or `-- 3 rows`.
fn is_count(text: &str) -> bool {
    // The end of a dump by `psql`.
    if text == "\\." {
        return true;
    }
    let bare = text.trim_start_matches(['-', '#', ' ', '(']);
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
    let mut words = digits.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let counts = digits.len() < bare.len() && words.next().is_some_and(|word| COUNTED.contains(&word));
    counts && words.all(|word| AFTER_COUNT.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sniff::{Wanted, profile::of_sample, sniff};

    /// Cuts the footer off a file, whose header is its first line.
    fn cut(text: &str, is_padded: bool) -> &str {
        let splitter = Splitter::for_tests();
        let wanted = Wanted { delimiter: true, quoting: true, ..Wanted::default() };
        let found = sniff(text.as_bytes(), End::Eof, &splitter, wanted);
        let splitter = Splitter { delimiter: found.delimiter, quoting: found.quoting, ..splitter };
        let profile = of_sample(text.as_bytes(), End::Eof, &splitter).expect("these files have a header");
        &text[..Tail { splitter, profile, is_padded }.find(text.as_bytes(), true)]
    }

    #[test]
    fn footers_are_cut_off() {
        let check = |footer: &str| {
            let rows = "sku,name,amount\nb1,Roads,1\nb2,Schools,2\nb3,Parks,3\n";
            assert_eq!(cut(&format!("{rows}{footer}"), false).trim_end(), rows.trim_end(), "{footer}");
        };
        check("Total,,6\n");
        check(",Total:,\"6\"");
        check("Total,6\n");
        check("\r\nSumme,,6\n\nSource: treasury, preliminary figures\n".replace("y, p", "y p").as_str());
        check("Total,,6\n\nSource of it\n# end\n");
        check("(3 rows)\n");
        check("(3 rows affected)\n\n");
        check("-- 3 rows\n");
        check("3 rows in set (0.00 sec)\n");
        check("# end of export");
        check("#eof\n");
        check("Report Total,,6\nAverage,,2\n");
        check(",,\nTotal,,6\n,,\nPrinted on 01.01.2024,,\n");
        check(",,\nAll prices net of tax,,\n");
        check("\\.\n");
        check("\n---\n");
    }

    #[test]
    fn rows_are_not_cut_off() {
        let check = |text: &str| assert_eq!(cut(text, false), text);
        check("sku,name,n\na,Pen,1\nb,Nib,2\nTotal,Energy,3\n");
        check("sku,name,n\na,,1\nb,Nib,2\nTotal,,3\n");
        check("sku,name,n\na,Pen,1\nb,Nib,2\nTotals x,,3\n");
        check("sku,name,n\na,Pen,1\nTotal,,3\nb,Nib,2\n");
        check("sku,name,n\na,Pen,1\nb,Nib,2\np9\n");
        check("sku,name,n\na,Pen,1\nb,Nib,2\n\np9\n");
        check("sku,name,n\na,Pen,1\nb,Nib,2\ncut here\n");
        check("sku,name,n\na,Pen,1\nb,\"two\nTotal,,5\n\",2\n");
        check("text\na\n(3 rows)\n");
        check("sku,name\na,Pen\nTotal,3\n");
        check("sku,name,n\n");
        check("sku,name,n\na,Pen,1\nb,Nib,2\n,,\n");
        check("sku,name,n\na,Pen,1\n,,\n-,,\n");
        let padded = "sku,name,n\na,Pen,1\nb,Nib,2\n\nnot a note\n";
        assert_eq!(cut(padded, true), padded);
    }
}
