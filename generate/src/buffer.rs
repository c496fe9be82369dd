//! A reusable buffer of rows: bytes are appended without formatting machinery, which would cost more than everything else.

/// Length at which a buffer is written out.
const FULL_BYTES: usize = 1 << 20;
/// Space beyond that for the row that fills the buffer; the longest row of any shape has less than 1 KiB.
const MAX_ROW_BYTES: usize = 64 << 10;

/// The bytes of whole rows.
pub struct RowBuffer {
    /// Zeroed memory of a fixed length, so that a copy of a fixed length is one instruction.
    bytes: Box<[u8]>,
    /// Number of bytes in use.
    len: usize,
}

impl Default for RowBuffer {
    fn default() -> Self {
        Self { bytes: vec![0; FULL_BYTES + MAX_ROW_BYTES].into(), len: 0 }
    }
}

impl RowBuffer {
    /// A buffer for a single text.
    pub(crate) fn small() -> Self {
        Self { bytes: vec![0; 256].into(), len: 0 }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Returns the bytes as text; only ASCII is ever appended.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len >= FULL_BYTES
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(crate) fn put(&mut self, text: &[u8]) {
        self.bytes[self.len..][..text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    #[inline]
    pub(crate) fn put_byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Appends the first `len` bytes of a text. All of it is copied, and the next call overwrites the excess.
    #[inline]
    pub(crate) fn put_padded<const ROOM: usize>(&mut self, text: &[u8; ROOM], len: u8) {
        self.bytes[self.len..][..ROOM].copy_from_slice(text);
        self.len += usize::from(len);
    }

    /// Appends a number in decimal digits.
    #[inline]
    pub(crate) fn put_number(&mut self, number: u64) {
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let mut rest = number;
        for digit in self.bytes[self.len..][..digits].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.len += digits;
    }

    /// Appends an amount in hundredths with two decimals.
    #[inline]
    pub(crate) fn put_hundredths(&mut self, amount: u64) {
        self.put_number(amount / 100);
        let cents = (amount % 100) as u8;
        self.put(&[b'.', b'0' + cents / 10, b'0' + cents % 10]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        for number in powers.flat_map(|power| [power - 1, power, power + 1]).chain([7, u64::MAX]) {
            let mut buffer = RowBuffer::small();
            buffer.put_number(number);
            buffer.put_byte(b' ');
            buffer.put_hundredths(number);
            assert_eq!(buffer.into_text(), format!("{number} {}.{:02}", number / 100, number % 100));
        }
    }
}
