//! Finds the delimiters and line ends of a text without quotes, 64 bytes at a time. With short fields, a separate
//! search for each one would take as long as all other work on a row.

/// The positions of two bytes in a text, in order.
pub(super) struct Separators<'a> {
    text: &'a [u8],
    /// Each of the two bytes, repeated eight times.
    wanted: [u64; 2],
    /// The start of the 64 bytes that `bits` describes.
    base: usize,
    /// One bit per position that was found there and not returned yet.
    bits: u64,
}

/// Bytes that are searched at a time: one bit of a `u64` each.
const STRIDE: usize = 64;

impl<'a> Separators<'a> {
    pub(super) fn new(text: &'a [u8], first: u8, second: u8) -> Self {
        let wanted = [first, second].map(|byte| u64::from_ne_bytes([byte; 8]));
        let mut separators = Self { text, wanted, base: 0, bits: 0 };
        separators.bits = separators.search(0);
        separators
    }

    /// Returns the next position, or none at the end.
    #[inline]
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.base += STRIDE;
            if self.base >= self.text.len() {
                return None;
            }
            self.bits = self.search(self.base);
        }
        let at = self.bits.trailing_zeros();
        self.bits &= self.bits - 1;
        Some(self.base + at as usize)
    }

    /// Searches the 64 bytes from `base` on.
    #[inline]
    fn search(&self, base: usize) -> u64 {
        let rest = &self.text[base..];
        if let Some(bytes) = rest.first_chunk() {
            return self.find(bytes);
        }
        let mut padded = [0; STRIDE];
        padded[..rest.len()].copy_from_slice(rest);
        // Masks out the padding.
        self.find(&padded) & ((1 << rest.len()) - 1)
    }

    #[inline]
    fn find(&self, bytes: &[u8; STRIDE]) -> u64 {
        let mut bits = 0;
        for (at, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let found = zero_bytes(word ^ self.wanted[0]) | zero_bytes(word ^ self.wanted[1]);
            // Gathers the high bits of the eight bytes in the highest byte.
            bits |= ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
        }
        bits
    }
}

/// Sets the high bit of each byte that is zero in `word`, and no other bit.
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
        fn every_position_is_found(text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'\n'), any::<u8>()], 0..300)) {
            let mut separators = Separators::new(&text, b',', b'\n');
            let mut found = Vec::new();
            while let Some(at) = separators.next() {
                found.push(at);
            }
            let expect: Vec<_> = (0..text.len()).filter(|at| matches!(text[*at], b',' | b'\n')).collect();
            prop_assert_eq!(found, expect);
        }
    }
}
