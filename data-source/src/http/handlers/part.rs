//! Lets a part of a body through. It knows nothing of what is written.

/// Passes on `length` bytes after `skipped` others, and drops the rest.
pub(crate) struct Part {
    skipped: u64,
    length: u64,
}

impl Part {
    pub(crate) fn new(first: u64, last: u64) -> Self {
        Self { skipped: first, length: last - first + 1 }
    }

    /// Whether nothing more is passed on.
    pub(crate) fn is_complete(&self) -> bool {
        self.length == 0
    }

    /// Returns what is passed on of the next bytes.
    pub(crate) fn of<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        // Fits, because it is at most the length of the data.
        let at_most = |count: u64| count.min(data.len() as u64) as usize;
        let begin = at_most(self.skipped);
        self.skipped -= begin as u64;
        let end = begin + at_most(self.length).min(data.len() - begin);
        self.length -= (end - begin) as u64;
        &data[begin..end]
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
                let mut part = Part::new(first, last);
                for piece in whole.chunks(size) {
                    assert!(!part.is_complete() || piece[0] as u64 > last);
                    out.extend_from_slice(part.of(piece));
                }
                assert!(part.is_complete());
                assert_eq!(out, &whole[first as usize..=last as usize], "{first}-{last} by {size}");
            }
        }
    }
}
