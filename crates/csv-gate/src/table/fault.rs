//! Judges records, and words the rejection of an unusable header.

use memchr::memchr;

use crate::{Ragged, Reason};

/// Returns what is wrong with a syntactically correct record, if anything. `clean`: its bytes are known to be valid
/// text. `expected`: the number of columns, 0 while the header is read.
pub(super) fn fault(
    record: &[u8],
    clean: bool,
    fields: usize,
    (expected, ragged): (usize, Ragged),
    encoding: &'static str,
) -> Option<Reason> {
    if !clean && memchr(0, record).is_some() {
        return Some(Reason::Nul);
    }
    if !clean && simdutf8::basic::from_utf8(record).is_err() {
        return Some(Reason::Encoding { encoding });
    }
    let fits = match ragged {
        _ if expected == 0 => true,
        Ragged::Reject => fields == expected,
        Ragged::Pad => fields <= expected,
    };
    (!fits).then_some(Reason::FieldCount { found: fields, expected })
}

pub(super) fn unusable_header(reason: &Reason) -> String {
    let hint = match reason {
        Reason::Nul => ": if this is a UTF-16 file without a byte order mark, set its encoding",
        Reason::NeverClosed => ": check the quotes, or read the file without quoting",
        _ => "",
    };
    format!("no usable header: {reason}{hint}")
}
