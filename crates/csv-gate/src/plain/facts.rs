//! Facts about the cells of a column, as far as the types of SQL need them.

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
fn digits(cell: &[u8]) -> Option<(u32, u32)> {
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
