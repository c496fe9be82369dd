//! Writers that count the bytes of a body, or let a part of it through. They know nothing of what is written.

use std::io::{self, Write};

/// Counts bytes.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    /// The bytes so far.
    pub(crate) bytes: u64,
}

impl Write for Counter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.bytes += data.len() as u64;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Passes on `length` bytes after `skipped` others, and drops the rest.
pub(crate) struct Part<'a, W> {
    out: &'a mut W,
    skipped: u64,
    length: u64,
}

impl<'a, W: Write> Part<'a, W> {
    pub(crate) fn new(out: &'a mut W, first: u64, last: u64) -> Self {
        Self { out, skipped: first, length: last - first + 1 }
    }

    /// Whether nothing more is passed on.
    pub(crate) fn is_complete(&self) -> bool {
        self.length == 0
    }
}

impl<W: Write> Write for Part<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        // Fits, because it is at most the length of the data.
        let at_most = |count: u64| count.min(data.len() as u64) as usize;
        let begin = at_most(self.skipped);
        self.skipped -= begin as u64;
        let end = begin + at_most(self.length).min(data.len() - begin);
        self.out.write_all(&data[begin..end])?;
        self.length -= (end - begin) as u64;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_same_however_the_whole_is_written() {
        let whole: Vec<u8> = (0..50).collect();
        for (first, last) in [(0, 0), (0, 49), (49, 49), (7, 7), (7, 31), (20, 49)] {
            for size in [1, 3, 10, 50] {
                let mut out = Vec::new();
                let mut part = Part::new(&mut out, first, last);
                for piece in whole.chunks(size) {
                    assert!(!part.is_complete() || piece[0] as u64 > last);
                    part.write_all(piece).unwrap();
                }
                assert!(part.is_complete());
                assert_eq!(out, &whole[first as usize..=last as usize], "{first}-{last} by {size}");
            }
        }
    }
}
