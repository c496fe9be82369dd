//! Recognises UTF-16 without a byte order mark by its first bytes.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Bytes at the start of a file that are looked at: enough for a header, few enough to wait for.
pub(crate) const HEAD_BYTES: usize = 64;

/// Returns the encoding if most characters of `head` are Latin letters in UTF-16, so that every second byte is NUL. Text
/// of another encoding has no NUL bytes, and damage leaves runs of them.
pub(super) fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    let (pairs, _) = head[..head.len().min(HEAD_BYTES)].as_chunks::<2>();
    let count = |test: fn(&[u8; 2]) -> bool| pairs.iter().filter(|pair| test(pair)).count();
    let (big, little) = (count(|pair| pair[0] == 0), count(|pair| pair[1] == 0));
    // Text in ASCII up to a place where UTF-16 was appended.
    let ascii = count(|pair| pair.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')));
    let first = pairs.first()?;
    let most = |found: usize| pairs.len() >= 2 && found * 2 >= pairs.len() && ascii * 4 <= pairs.len();
    match (big, little) {
        (0, found) if most(found) && first[1] == 0 => Some(UTF_16LE),
        (found, 0) if most(found) && first[0] == 0 => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_byte_is_nul() {
        let utf16le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let check = |head: &[u8], expect| assert_eq!(utf16(head), expect, "{head:?}");
        check(b"", None);
        check(b"a\0", None);
        check(b"a\0\n\0", Some(UTF_16LE));
        check(b"\0a\0\n", Some(UTF_16BE));
        check(&utf16le("Größe;Farbe;Бренд\n1;rot;x\n"), Some(UTF_16LE));
        check(&utf16le("sku,name,説明\n"), Some(UTF_16LE));
        check(&utf16le("sku,name\n1,€\n")[..25], Some(UTF_16LE));
        check(b"sku,name\n1,x\n", None);
        check(b"\0\0\0\0\0\0", None);
        check(b"sku,name\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", None);
        check(&[b"a,b\r\n1,2\r\n", &utf16le("3,four and more\r\n")[..]].concat(), None);
        check(&[b"a\n", &utf16le("3,four and more\r\n")[..]].concat(), None);
        // One damaged character makes it doubtful.
        check(b"\0a\0\0\0b\0\n", None);
    }
}
