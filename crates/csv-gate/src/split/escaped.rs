//! Fields of files without quoting in which an escape protects delimiters and line ends.

use memchr::memchr3;

use super::{Field, Fields, Span, Splitter, Stop};
use crate::{LineEnd, split::End};

impl Splitter {
    pub(super) fn escaped(&self, window: &[u8], end: End, start: usize, escape: u8, found: &mut Fields) -> Field {
        let (mut extra, mut lines) = (0, 0);
        let text = |to, extra, lines, stop| Field::Text {
            span: Span { start, end: to, escaped: extra > 0 },
            extra,
            lines,
            stop,
        };
        let line_end = self.line_end.byte();
        let mut at = start;
        // The start of the text after the last escape and what it protects: a CR there does not belong to a line end.
        let mut plain = start;
        while let Some(len) = memchr3(self.delimiter[0], line_end, escape, &window[at..]) {
            let hit = at + len;
            if window[hit] == escape {
                let Some(protected) = self.protected(&window[hit + 1..], end) else { return unfinished(end) };
                if protected == 0 {
                    break;
                }
                extra += 1;
                lines += u64::from(window[hit + protected] == line_end);
                if hit < self.record_bytes {
                    found.escapes.push(hit);
                }
                at = hit + 1 + protected;
                plain = at;
            } else if window[hit] == line_end {
                let to = self.without_cr(window, plain, hit);
                return text(to, extra, lines, Stop::Record { end: to, next: hit + 1 });
            } else if self.delimits(&window[hit..]) {
                return text(hit, extra, lines, Stop::Field { next: hit + self.delimiter.len() });
            } else {
                at = hit + 1;
            }
        }
        if end != End::Eof {
            return unfinished(end);
        }
        let to = self.without_cr(window, plain, window.len());
        text(to, extra, lines, Stop::Record { end: to, next: window.len() })
    }

    /// Returns the length of what an escape before `text` protects: one byte, or CR and LF; 0 at the end of the file.
    fn protected(&self, text: &[u8], end: End) -> Option<usize> {
        match (text, end) {
            ([], End::Eof) => Some(0),
            ([], _) | ([b'\r'], End::More | End::Full) => None,
            ([b'\r', b'\n', ..], _) if self.line_end == LineEnd::Lf => Some(2),
            _ => Some(1),
        }
    }
}

fn unfinished(end: End) -> Field {
    if end == End::More { Field::More } else { Field::Endless }
}
