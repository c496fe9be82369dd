//! Where delimiters and line ends stand in a text without quotes, found for 64 bytes at a time: in short fields, to search
//! for each of them anew takes as long as all else that is done for a row.

/// The places of two bytes in a text, in order.
pub(super) struct Marks<'a> {
    text: &'a [u8],
    /// Both bytes, eight times each.
    wanted: [u64; 2],
    /// Where the part begins of which `bits` tells.
    base: usize,
    /// A bit for each place that was found in the part and not given out.
    bits: u64,
}

const PART: usize = 64;

impl<'a> Marks<'a> {
    pub(super) fn new(text: &'a [u8], first: u8, second: u8) -> Self {
        let wanted = [first, second].map(|byte| u64::from_ne_bytes([byte; 8]));
        let mut marks = Self { text, wanted, base: 0, bits: 0 };
        marks.bits = marks.look(0);
        marks
    }

    /// The next place; none at the end.
    #[inline]
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.base += PART;
            if self.base >= self.text.len() {
                return None;
            }
            self.bits = self.look(self.base);
        }
        let at = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.base + at as usize)
    }

    /// Finds the places in the part that begins at `base`.
    #[inline]
    fn look(&self, base: usize) -> u64 {
        let rest = &self.text[base..];
        if let Some(part) = rest.first_chunk() {
            return self.find(part);
        }
        let mut last = [0; PART];
        last[..rest.len()].copy_from_slice(rest);
        // What was added is none of the text.
        self.find(&last) & ((1 << rest.len()) - 1)
    }

    #[inline]
    fn find(&self, part: &[u8; PART]) -> u64 {
        let mut bits = 0;
        for (at, word) in part.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let found = zero_bytes(word ^ self.wanted[0]) | zero_bytes(word ^ self.wanted[1]);
            // Gathers the eight highest bits in the highest byte.
            bits |= ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
        }
        bits
    }
}

/// The highest bit of each byte that is zero.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    !(((word & LOW) + LOW) | word | LOW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_place_is_found(text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\n'), any::<u8>()], 0..300)) {
            let mut marks = Marks::new(&text, b',', b'\n');
            let mut found = Vec::new();
            while let Some(at) = marks.next() {
                found.push(at);
            }
            let expect: Vec<_> = (0..text.len()).filter(|at| matches!(text[*at], b',' | b'\n')).collect();
            prop_assert_eq!(found, expect);
        }
    }
}
