//! Finds the delimiters and line ends of a text without quotes, 64 bytes at a time. With short fields, a separate
//! search for each one would take as long as all other work on a row.

/// The positions of two bytes in a text, in order.
pub(super) struct Separators<'a> {
    text: &'a [u8],
    wanted: [u8; 2],
    /// The start of the 64 bytes that `bits` describes.
    base: usize,
    /// One bit per position that was found there and not returned yet.
    bits: u64,
}

/// Bytes that are searched at a time: one bit of a `u64` each.
const STRIDE: usize = 64;

impl<'a> Separators<'a> {
    pub(super) fn new(text: &'a [u8], first: u8, second: u8) -> Self {
        let mut separators = Self { text, wanted: [first, second], base: 0, bits: 0 };
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
        // The compiler compares 16 bytes or more at a time.
        let mut found = [0; STRIDE];
        for (found, byte) in found.iter_mut().zip(bytes) {
            *found = u8::from(*byte == self.wanted[0]) | u8::from(*byte == self.wanted[1]);
        }
        let mut bits = 0;
        for (at, word) in found.as_chunks::<8>().0.iter().enumerate() {
            // Gathers the low bits of the eight bytes in the highest byte.
            bits |= (u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at);
        }
        bits
    }
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
