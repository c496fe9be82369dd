//! The fields of the record that was split last.

use super::Span;

/// The fields of a record.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    /// As many as [`Splitter::spans_kept`] allows.
    pub(crate) spans: Vec<Span>,
    /// Positions of escapes and of the first half of each doubled quote, in order: searching for them again would take
    /// as long as splitting. Incomplete for records over the limit, whose text is never needed.
    pub(super) escapes: Vec<usize>,
    /// Whether a quote is text only because quotes are lenient.
    pub(super) repaired: bool,
    /// Whether a quoted field perhaps holds rows.
    pub(super) doubtful: bool,
    /// Whether `n`, `r` and `t` after an escape are control characters.
    pub(super) control: bool,
}

impl Fields {
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.escapes.clear();
        self.control = false;
        self.repaired = false;
        self.doubtful = false;
    }

    /// The raw cells of the record that was split, as many as spans were kept.
    pub(crate) fn cells<'a>(&self, record: &'a [u8]) -> Vec<&'a [u8]> {
        self.spans.iter().map(|span| &record[span.start..span.end]).collect()
    }

    /// Appends the unescaped text of a field to `out`. `record` is the text that was split.
    pub(crate) fn unescape(&self, record: &str, span: Span, out: &mut String) {
        let first = self.escapes.partition_point(|escape| *escape < span.start);
        let mut start = span.start;
        // The byte after an escape is always text.
        for escape in self.escapes[first..].iter().take_while(|escape| **escape < span.end) {
            out.push_str(&record[start..*escape]);
            start = escape + 1;
            if let Some(control) = self.control.then(|| record.as_bytes().get(start).and_then(control)).flatten() {
                out.push(control);
                start += 1;
            }
        }
        out.push_str(&record[start..span.end]);
    }
}

/// Returns the control character that a letter stands for after an escape.
fn control(letter: &u8) -> Option<char> {
    match letter {
        b'n' => Some('\n'),
        b'r' => Some('\r'),
        b't' => Some('\t'),
        b'b' => Some('\u{8}'),
        b'f' => Some('\u{c}'),
        b'v' => Some('\u{b}'),
        _ => None,
    }
}
