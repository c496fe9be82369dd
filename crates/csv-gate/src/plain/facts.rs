//! Facts about the cells of a column, as far as the types of SQL need them.

/// Eight bytes in a word: zeros as digits, the bits below the highest, and what sets the highest bit of a value above nine.
const ZERO_DIGITS: u64 = u64::from_ne_bytes([b'0'; 8]);
const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; 8]);
const ABOVE_NINE: u64 = u64::from_ne_bytes([0x7f - 9; 8]);

/// Facts about all cells of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Cells without text, quoted or not.
    pub empty: u64,
    /// Cells with white space at an end.
    pub padded: u64,
    /// Cells that are neither empty nor a plain number: `-?[0-9]+(\.[0-9]+)?`, without white space.
    pub texts: u64,
    /// The most digits before the point of a plain number, without zeros at its start.
    pub integer_digits: u32,
    /// The most digits after the point of a plain number.
    pub fraction_digits: u32,
    /// The length of the longest cell in bytes.
    pub max_bytes: u64,
}

impl ColumnFacts {
    /// Adds a cell.
    pub(super) fn add(&mut self, cell: &[u8]) {
        let ([first, ..], [.., last]) = (cell, cell) else {
            self.empty += 1;
            return;
        };
        self.max_bytes = self.max_bytes.max(cell.len() as u64);
        if let Some((before, after)) = digits(cell) {
            self.integer_digits = self.integer_digits.max(before);
            self.fraction_digits = self.fraction_digits.max(after);
            return;
        }
        self.texts += 1;
        if !first.is_ascii_graphic() || !last.is_ascii_graphic() {
            self.padded += u64::from(is_padded(cell));
        }
    }

    /// Adds those of other rows.
    pub(super) fn merge(&mut self, other: &Self) {
        self.empty += other.empty;
        self.padded += other.padded;
        self.texts += other.texts;
        self.integer_digits = self.integer_digits.max(other.integer_digits);
        self.fraction_digits = self.fraction_digits.max(other.fraction_digits);
        self.max_bytes = self.max_bytes.max(other.max_bytes);
    }
}

#[cold]
fn is_padded(cell: &[u8]) -> bool {
    std::str::from_utf8(cell).is_ok_and(|text| text.trim().len() < text.len())
}

/// The number of digits before and after the point of a plain number.
#[inline]
fn digits(cell: &[u8]) -> Option<(u32, u32)> {
    match cell.first() {
        Some(b'0'..=b'9') => short_digits(cell).map(|before| (before, 0)).or_else(|| any_digits(cell)),
        Some(b'-') => any_digits(cell),
        _ => None,
    }
}

/// The digits of a whole number of up to eight bytes, without zeros at its start; none if the cell is another one. A loop would take several times
/// as long, since no processor guesses where the next number ends.
#[inline]
fn short_digits(cell: &[u8]) -> Option<u32> {
    let last = cell.len().checked_sub(1)?;
    let word = match (cell.first_chunk(), cell.last_chunk()) {
        (Some(first), Some(end)) if last < 8 => {
            let [first, end] = [first, end].map(|four| u64::from(u32::from_le_bytes(*four)));
            first | end << (8 * (last - 3))
        }
        (Some(_), _) => return None,
        // The first, the middle and the last of up to three bytes, which may be the same.
        _ => [0, cell.len() / 2, last].iter().fold(0, |word, at| word | u64::from(cell[*at]) << (8 * at)),
    };
    // The value of each digit, at the high end of the word. What is below them are zeros.
    let values = (word ^ ZERO_DIGITS) << (8 * (7 - last));
    let is_number = (((values & LOW_BITS) + ABOVE_NINE) | values) & !LOW_BITS == 0;
    let zeros = (values >> (8 * (7 - last))).trailing_zeros() / 8;
    let len = last as u32 + 1;
    is_number.then(|| len - zeros.min(len))
}

fn any_digits(cell: &[u8]) -> Option<(u32, u32)> {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let before = point.unwrap_or(digits.len());
    let after = point.map(|point| digits.len() - point - 1);
    if before == 0 || after == Some(0) {
        return None;
    }
    let zeros = digits[..before].iter().take_while(|digit| **digit == b'0').count();
    Some((u32::try_from(before - zeros).ok()?, u32::try_from(after.unwrap_or_default()).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[test]
    fn numbers_are_plain_or_texts() {
        let check = |cell: &str, expect| assert_eq!(digits(cell.as_bytes()), expect, "{cell:?}");
        check("0", Some((0, 0)));
        check("-12", Some((2, 0)));
        check("007.50", Some((1, 2)));
        check("-0.5", Some((0, 1)));
        for text in
            ["", "-", ".", "1.", ".5", "+1", "1e3", "1.2.3", "--1", "1-", "1,5", " 1", "1 ", "0x1", "\u{664}", "NaN"]
        {
            check(text, None);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn short_numbers_have_the_digits_that_a_loop_finds(cell in vec(prop_oneof![6 => b'0'..=b'9', 2 => Just(b'0'), 1 => any::<u8>()], 0..11)) {
            let expect = any_digits(&cell).filter(|_| cell.len() <= 8 && cell.iter().all(u8::is_ascii_digit));
            prop_assert_eq!(short_digits(&cell), expect.map(|(before, _)| before));
        }
    }

    #[test]
    fn cells_are_counted() {
        let mut facts = ColumnFacts::default();
        for cell in ["", "12.5", "-3", " x", "y\u{a0}", "\u{e9}", "1 "] {
            facts.add(cell.as_bytes());
        }
        let expect = ColumnFacts { empty: 1, padded: 3, texts: 4, integer_digits: 2, fraction_digits: 1, max_bytes: 4 };
        assert_eq!(facts, expect);
        let mut twice = facts;
        twice.merge(&facts);
        assert_eq!(twice, ColumnFacts { empty: 2, padded: 6, texts: 8, ..facts });
    }
}
