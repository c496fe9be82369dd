//! Numbers of bytes as people type them.

/// Units, the larger before the smaller.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

/// Writes a number of bytes in the largest unit that gives a whole number.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    let is_whole = |(_, factor): &&(&str, u64)| bytes > 0 && bytes.is_multiple_of(*factor);
    let (unit, factor) = UNITS.iter().find(is_whole).unwrap_or(&("B", 1));
    format!("{} {unit}", bytes / factor)
}

/// Parses a number of bytes: a whole number and a unit.
///
/// # Errors
/// The text is not a size; the error says how to write one.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size; write for example 500MiB, 64GiB or 10GB");
    let typed = text.trim();
    let digits = typed.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(typed.len());
    let (number, unit) = typed.split_at(digits);
    let is_written = |(name, _): &&(&str, u64)| name.eq_ignore_ascii_case(unit.trim());
    let (_, factor) = UNITS.iter().find(is_written).ok_or_else(wrong)?;
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(*factor)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(size(text).ok(), expect, "{text}");
        check("0B", Some(0));
        check("1 KiB", Some(1024));
        check(" 500MB ", Some(500_000_000));
        check("64gib", Some(64 << 30));
        check("2TiB", Some(2 << 40));
        for wrong in ["", "12", "GiB", "1.5GiB", "-1GiB", "1 G", "99999999999TiB"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_size_is_written_as_it_would_be_typed() {
        for text in ["0 B", "1 B", "1025 B", "3 kB", "1 KiB", "500 MB", "1536 MiB", "64 GiB", "2 TiB"] {
            assert_eq!(size_text(size(text).unwrap()), text);
        }
    }
}
