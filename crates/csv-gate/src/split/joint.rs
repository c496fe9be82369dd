//! The signs at the joint of two files that were put together: they stand before a record and belong to no cell.

/// Marks the end of a text in DOS.
pub(crate) const END_OF_FILE: u8 = 0x1a;
/// The byte order mark of the second file.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// The first byte of the mark.
pub(super) const FIRST_OF_MARK: u8 = MARK[0];

/// Returns the length of the signs at the start of a record.
#[inline(always)]
pub(crate) fn joint(text: &[u8]) -> usize {
    match text.first() {
        Some(&(END_OF_FILE | FIRST_OF_MARK)) => joint_len(text),
        _ => 0,
    }
}

#[cold]
fn joint_len(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some(next) = rest.strip_prefix(&[END_OF_FILE]).or_else(|| rest.strip_prefix(MARK)) {
        rest = next;
    }
    text.len() - rest.len()
}

/// Whether a text is the beginning of a mark.
pub(crate) fn may_be_joint(text: &[u8]) -> bool {
    !text.is_empty() && text.len() < MARK.len() && MARK.starts_with(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_joined_files() {
        let check = |text: &str, expect| assert_eq!(joint(text.as_bytes()), expect, "{text:?}");
        check("", 0);
        check("a\u{feff}", 0);
        check("\u{feff}a", 3);
        check("\u{1a}\u{1a}\u{feff}a", 5);
        check("\u{ff01}a", 0);
        assert!(may_be_joint(b"\xef\xbb") && !may_be_joint(b"") && !may_be_joint(b"\xef\xbc"));
    }
}
