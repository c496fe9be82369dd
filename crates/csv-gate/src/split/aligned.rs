//! Fields of columns that are aligned with blanks: two or more of them are a delimiter, and those around a line mean
//! nothing.

use memchr::memchr2;

use super::{Field, Span, Splitter, Stop};
use crate::{LineEnd, split::End};

impl Splitter {
    /// Whether runs of blanks are the delimiter.
    pub(crate) fn is_aligned(&self) -> bool {
        *self.delimiter == *b"  "
    }

    /// The length of the delimiter at the start of `text`.
    #[inline]
    pub(super) fn delimiter_len(&self, text: &[u8]) -> usize {
        match *self.delimiter {
            [_] => 1,
            _ if self.is_aligned() => blanks(text),
            _ => self.delimiter.len(),
        }
    }

    pub(super) fn aligned(&self, window: &[u8], end: End, start: usize) -> Field {
        let unfinished = if end == End::More { Field::More } else { Field::Endless };
        let text = |from, to, stop| Field::Text {
            span: Span { start: from, end: to, escaped: false },
            extra: 0,
            lines: 0,
            stop,
        };
        let from = if start == 0 { blanks(window) } else { start };
        let mut at = from;
        while let Some(found) = memchr2(b' ', self.line_end.byte(), &window[at..]) {
            let hit = at + found;
            let next = hit + blanks(&window[hit..]);
            let rest = &window[next..];
            let is_cut = rest.is_empty() || (self.line_end == LineEnd::Lf && rest.iter().all(|byte| *byte == b'\r'));
            if is_cut && end != End::Eof {
                return unfinished;
            }
            if let Some(len) = self.empty_line(rest) {
                // A CR before the LF belongs to the line end.
                let to = self.without_cr(window, from, hit.min(next));
                return text(from, to, Stop::Record { end: to, next: next + len });
            }
            if rest.is_empty() {
                return text(from, hit, Stop::Record { end: hit, next });
            }
            if next - hit > 1 {
                return text(from, hit, Stop::Field { next });
            }
            at = next.max(hit + 1);
        }
        match end {
            End::Eof => {
                let to = self.without_cr(window, from, window.len());
                text(from, to, Stop::Record { end: to, next: window.len() })
            }
            _ => unfinished,
        }
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b' ').count()
}
