//! Finds the end of the last complete record in a file that is still being written. It knows no dialect: a line end counts
//! if it is outside of double quotes, by RFC 4180. It does no I/O.

/// Bytes at the beginning by which text is told from other content.
pub(crate) const HEAD_BYTES: usize = 4096;
/// Beginnings of UTF-16, gzip and zstd. Their line ends are not single bytes of the file.
const OTHER_BEGINNINGS: [&[u8]; 4] = [b"\xFF\xFE", b"\xFE\xFF", b"\x1F\x8B", b"\x28\xB5\x2F\xFD"];
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Returns whether lines can be told in a file that begins so: it is not packed, and its encoding extends ASCII.
pub(crate) fn has_lines(head: &[u8]) -> bool {
    !head.contains(&0) && !OTHER_BEGINNINGS.iter().any(|beginning| head.starts_with(beginning))
}

/// The state between two pieces of a file.
#[derive(Debug)]
pub(crate) struct Records {
    quoting: Quoting,
    /// The last byte that is not a space, outside of quotes.
    before: u8,
    /// Bytes of the file that can still belong to a byte order mark.
    mark: &'static [u8],
}

#[derive(Debug, Clone, Copy)]
enum Quoting {
    Outside,
    Inside,
    /// After a quote inside of quotes: another one would make it a plain character.
    Closing,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self { quoting: Quoting::Outside, before: b'\n', mark: BYTE_ORDER_MARK }
    }

    /// Takes the next piece of the file, and returns the place in it after the last line end outside of quotes.
    pub(crate) fn end_in(&mut self, piece: &[u8]) -> Option<usize> {
        let mut end = None;
        for (at, byte) in piece.iter().enumerate() {
            if self.take(*byte) {
                end = Some(at + 1);
            }
        }
        end
    }

    /// Returns whether the byte ends a record.
    fn take(&mut self, byte: u8) -> bool {
        if let [first, rest @ ..] = self.mark {
            self.mark = if *first == byte { rest } else { &[] };
            if *first == byte {
                return false;
            }
        }
        let (quoting, before) = match (self.quoting, byte) {
            (Quoting::Inside, b'"') => (Quoting::Closing, b'"'),
            (Quoting::Inside, _) => (Quoting::Inside, self.before),
            (Quoting::Closing, b'"') => (Quoting::Inside, b'"'),
            (_, b'"') if begins_field(self.before) => (Quoting::Inside, self.before),
            (_, b' ') => (Quoting::Outside, self.before),
            (_, byte) => (Quoting::Outside, byte),
        };
        (self.quoting, self.before) = (quoting, before);
        byte == b'\n' && matches!(quoting, Quoting::Outside)
    }
}

/// Returns whether a quote after this byte opens a field. After any other byte it is a plain character, as in `5" pipe`.
fn begins_field(before: u8) -> bool {
    before.is_ascii_control() || b",;|^~:".contains(&before)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is complete of a content, given in pieces of this size.
    fn complete(content: &[u8], piece: usize) -> &[u8] {
        let mut records = Records::new();
        let mut end = 0;
        for (number, bytes) in content.chunks(piece).enumerate() {
            end = records.end_in(bytes).map_or(end, |at| number * piece + at);
        }
        &content[..end]
    }

    #[test]
    fn the_last_line_end_outside_of_quotes_ends_the_last_record() {
        let check = |content: &str, rest: &str| {
            let expect = content.strip_suffix(rest).unwrap();
            for piece in [1, 2, 3, 7, 1000] {
                let found = String::from_utf8_lossy(complete(content.as_bytes(), piece)).into_owned();
                assert_eq!(found, expect, "{content:?} in pieces of {piece}");
            }
        };
        check("", "");
        check("sku,name", "sku,name");
        check("sku,name\n1,a", "1,a");
        check("sku,name\r\n1,a\r\n", "");
        check("sku,name\n1,\"a\nb", "1,\"a\nb");
        check("sku,name\n1,\"a\nb\"\n", "");
        check("sku,name\n1,\"a\"\"\nb\"\"", "1,\"a\"\"\nb\"\"");
        check("sku,name\n1,\"a\"\"\"\n2,", "2,");
        check("sku,name\n1,\"\"\n2,\"\n", "2,\"\n");
        check("\"sku\n\",name\n1", "1");
        check("\u{feff}\"sku\n", "\u{feff}\"sku\n");
        check("\u{feff}sku\n\"1\n", "\"1\n");
        check("sku;name\n1; \"a\n", "1; \"a\n");
        check("sku\tname\n1\t5\" pipe\n2\tsay \"hi\n3", "3");
        check("sku,name\n1,\"a\" \"b\n2", "2");
    }

    #[test]
    fn other_content_has_no_lines() {
        for text in [&b""[..], b"sku\n", b"\xEF\xBB\xBFsku\n", b"\xE9\n", b"\x01\n"] {
            assert!(has_lines(text), "{text:?}");
        }
        for other in [&b"\xFF\xFEs\0"[..], b"s\0k\0u\0", b"\xFE\xFF", b"\x1F\x8B\x08", b"\x28\xB5\x2F\xFD"] {
            assert!(!has_lines(other), "{other:?}");
        }
    }
}
