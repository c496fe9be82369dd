//! Cells with another meaning than their text: words for an empty cell, and text in the notation of spreadsheets.

use crate::split::Span;

/// The meaning of cells, as set.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    pub(super) null: Vec<String>,
    /// Whether `="x"` and `'x` are the text x.
    pub(super) text_cells: bool,
    pub(super) quote: Option<u8>,
}

impl Cells {
    /// Returns the part of a cell that is its text. `record` is the text that was split.
    pub(super) fn read(&self, record: &[u8], span: Span) -> Span {
        let raw = &record[span.start..span.end];
        let start = span.start + raw.len() - raw.trim_ascii_start().len();
        let raw = raw.trim_ascii();
        let is_quoted = span.start > 0 && Some(record[span.start - 1]) == self.quote;
        if !is_quoted && self.null.iter().any(|word| word.as_bytes() == raw) {
            return Span { start, end: start, escaped: false };
        }
        match self.text_cells.then(|| self.text(raw, is_quoted)).flatten() {
            Some((skipped, len)) => Span { start: start + skipped, end: start + skipped + len, ..span },
            None => span,
        }
    }

    /// Returns the start and the length of the text in a cell that spreadsheets show as text.
    fn text(&self, raw: &[u8], is_quoted: bool) -> Option<(usize, usize)> {
        if let [b'\'', text @ ..] = raw {
            return Some((1, text.len()));
        }
        let double: &[u8] = if is_quoted && self.quote == Some(b'"') { b"\"\"" } else { b"\"" };
        let text = raw.strip_prefix(b"=")?.strip_prefix(double)?.strip_suffix(double)?;
        // More quotes belong to a formula, such as ="a"&"b".
        (!text.contains(&b'"')).then_some((1 + double.len(), text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_text_cells() {
        let check = |record: &str, range: std::ops::Range<usize>, expect: &str| {
            let cells = Cells { null: vec!["NA".into(), "\\N".into()], text_cells: true, quote: Some(b'"') };
            let span = Span { start: range.start, end: range.end, escaped: false };
            let found = cells.read(record.as_bytes(), span);
            assert_eq!(&record[found.start..found.end], expect, "{record}");
        };
        check("x,NA", 2..4, "");
        check("x, NA ", 2..6, "");
        check("x,\\N", 2..4, "");
        check("x,NAN", 2..5, "NAN");
        check("\"NA\"", 1..3, "NA");
        check("=\"007\"", 0..6, "007");
        check(" =\"007\" ", 0..8, "007");
        check("\"=\"\"007\"\"\"", 1..9, "007");
        check("'007", 0..4, "007");
        check("\"'007\"", 1..5, "007");
        check("'", 0..1, "");
        check("=\"\"", 0..3, "");
        check("=\"a\"&\"b\"", 0..8, "=\"a\"&\"b\"");
        check("=\"", 0..2, "=\"");
        check("=1+2", 0..4, "=1+2");
    }
}
