//! The texts of an offer or a product, one per column of the catalog, as one value. So a column more changes nothing on the way from
//! the file to the table.

/// The column of the name.
pub const NAME: usize = 0;
/// The column of the description.
pub const DESCRIPTION: usize = 1;

/// The texts of all columns in order, packed into one text. Equal texts are packed alike, so they are compared, hashed and copied
/// without being unpacked.
///
/// Each text follows its length in bytes, in decimal digits, and a colon. Empty texts at the end are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Texts<T = String>(pub(crate) T);

impl Texts {
    /// Packs the texts of all columns.
    #[must_use]
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str, IntoIter: Clone>) -> Self {
        /// Room for the length of a text.
        const LEN_BYTES: usize = 8;
        let texts = texts.into_iter();
        let mut packed = Vec::with_capacity(texts.clone().map(|text| text.len() + LEN_BYTES).sum());
        pack(&mut packed, texts);
        Self(String::from_utf8(packed).expect("texts, digits and colons are UTF-8"))
    }
}

impl<T: AsRef<str>> Texts<T> {
    /// The same texts, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Texts<&str> {
        Texts(self.0.as_ref())
    }
}

impl<'a> Texts<&'a str> {
    /// The text of a column; empty if the column has none.
    #[must_use]
    pub fn get(self, column: usize) -> &'a str {
        self.iter().nth(column).unwrap_or_default()
    }

    /// The texts of all columns up to the last that is not empty.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (len, digits) = leading_number(rest.as_bytes());
            let (text, next) = rest.get(digits + 1..)?.split_at_checked(len)?;
            rest = next;
            Some(text)
        })
    }
}

/// The number at the start, and how many digits it has. As `str::parse`, which takes several times as long.
fn leading_number(bytes: &[u8]) -> (usize, usize) {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold((0, 0), |(number, count), digit| (number * 10 + usize::from(digit - b'0'), count + 1))
}

/// Appends packed texts to `out`.
pub(crate) fn pack<'t>(out: &mut Vec<u8>, texts: impl IntoIterator<Item = &'t str>) {
    let mut empty = 0;
    for text in texts {
        if text.is_empty() {
            empty += 1;
            continue;
        }
        (0..std::mem::take(&mut empty)).for_each(|_| out.extend_from_slice(b"0:"));
        push_number(out, text.len());
        out.push(b':');
        out.extend_from_slice(text.as_bytes());
    }
}

/// As `write!`, which takes several times as long. It is called for each text of each row.
fn push_number(out: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_empty_ones_at_the_end_need_no_room() {
        let long = "é:1".repeat(100);
        for texts in [vec![], vec!["a"], vec!["", "", "b"], vec!["2:ab", "日本", ":", &long]] {
            let packed = Texts::new(texts.iter().copied());
            assert_eq!(packed.borrowed().iter().collect::<Vec<_>>(), texts);
            let longer = texts.iter().copied().chain(["", ""]);
            assert_eq!(Texts::new(longer), packed);
            assert_eq!(packed.borrowed().get(texts.len()), "");
        }
        assert_eq!(Texts::new(["", "bc"]).0, "0:2:bc");
        assert_eq!(Texts::new(["a", "bc"]).borrowed().get(DESCRIPTION), "bc");
    }
}
