//! The lines of a file, one at a time and of bounded length. It knows nothing of their content.

use std::io::{self, BufRead, Read};

/// Most bytes of a line, without its end.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;
/// Bytes of the longest line end.
const MAX_END_BYTES: usize = 2;

/// Reads lines, of which only one is held at a time.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
    line: Vec<u8>,
}

/// A line that holds more than blanks.
pub(super) struct Line<'a> {
    /// Its number, from 1; empty lines count.
    pub(super) number: u64,
    /// Its bytes, without the end of the line.
    pub(super) bytes: &'a [u8],
}

/// A line that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("line {number} is longer than 1 MiB; split its operations over several lines")]
    TooLong { number: u64 },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0, line: Vec::new() }
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, LineError> {
        loop {
            self.line.clear();
            let most = (MAX_LINE_BYTES + MAX_END_BYTES) as u64;
            if self.reader.by_ref().take(most).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let length = without_end(&self.line).len();
            if length > MAX_LINE_BYTES {
                return Err(LineError::TooLong { number: self.number });
            }
            self.line.truncate(length);
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, bytes: &self.line }));
            }
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[(u64, &str)]) {
        let (mut lines, mut got) = (Lines::new(text.as_bytes()), Vec::new());
        while let Some(line) = lines.next().unwrap() {
            got.push((line.number, String::from_utf8(line.bytes.to_vec()).unwrap()));
        }
        let expect: Vec<_> = expect.iter().map(|(number, line)| (*number, (*line).to_owned())).collect();
        assert_eq!(got, expect, "{text:?}");
    }

    #[test]
    fn lines_have_numbers_and_no_ends() {
        check("", &[]);
        check("\n \n\r\n", &[]);
        check("a\n b \r\n\nc", &[(1, "a"), (2, " b "), (4, "c")]);
        check("a\rb\n", &[(1, "a\rb")]);
    }

    #[test]
    fn a_long_line_is_an_error() {
        let longest = "x".repeat(MAX_LINE_BYTES);
        for end in ["", "\n", "\r\n"] {
            check(&format!("{longest}{end}y\n")[..MAX_LINE_BYTES + end.len()], &[(1, longest.as_str())]);
        }
        for text in [format!("a\n{longest}x"), format!("a\n{longest}x\n"), format!("a\n{longest}xx\r\n")] {
            let mut lines = Lines::new(text.as_bytes());
            assert_eq!(lines.next().unwrap().unwrap().bytes, b"a");
            assert!(matches!(lines.next(), Err(LineError::TooLong { number: 2 })));
        }
    }
}
