//! Words the rejection of an unusable header.

use crate::{Reason, Reject};

/// The sign that stands for NUL in the text of a reject.
const NUL: char = '\u{2400}';

pub(super) fn unusable_header(Reject { reason, raw, byte, .. }: &Reject) -> String {
    let hint = match reason {
        Reason::Nul => of_nul(raw, *byte),
        _ => "",
    };
    format!("no usable header: {reason}{hint}")
}

/// Names the setting for UTF-16 without a byte order mark, if the text is that. The first byte of a delimiter is NUL in one order, and
/// the second one in the other. `start` is the offset of the text.
fn of_nul(raw: &str, start: u64) -> &'static str {
    let chars: Vec<char> = raw.chars().collect();
    let nuls = chars.iter().zip(start..).filter(|(c, _)| **c == NUL);
    let big = nuls.clone().filter(|(_, at)| at.is_multiple_of(2)).count();
    let little = nuls.count() - big;
    let has_run = chars.windows(2).any(|two| two == [NUL, NUL]);
    match big.cmp(&little) {
        _ if chars.starts_with(&['\u{1f}']) => ": the file is a gzip archive in another one; unpack it once",
        _ if has_run => ": the file is no text; check where it comes from",
        std::cmp::Ordering::Greater => {
            ": if this is a UTF-16 file without a byte order mark, set encoding = \"utf-16be\""
        }
        std::cmp::Ordering::Less => ": if this is a UTF-16 file without a byte order mark, set encoding = \"utf-16le\"",
        std::cmp::Ordering::Equal => {
            ": if this is a UTF-16 file without a byte order mark, set encoding = \"utf-16le\" or \"utf-16be\""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_bytes_is_found_by_the_places_of_nul() {
        let check = |raw: &str, expect: &str| {
            let raw = raw.replace('\0', "\u{2400}");
            let reject = Reject { line: 1, byte: 0, reason: Reason::Nul, raw };
            let found = unusable_header(&reject);
            assert!(found.starts_with("no usable header: NUL byte: ") && found.contains(expect), "{found}");
        };
        check("\u{4}0\u{4};\0;\u{4}8\u{4}<\0\r\0", "utf-16be\"");
        check("0\u{4};\u{4};\08\u{4}<\u{4}\r\0", "utf-16le\"");
        check("a\0bc\0", "\"utf-16le\" or \"utf-16be\"");
        check("feed.csv\0\0\0x", "no text");
        check("\u{1f}\u{fffd}\u{8}\0x", "gzip");
    }
}
