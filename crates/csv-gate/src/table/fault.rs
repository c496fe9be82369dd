//! What is wrong with a record, and what is said of a header that is no good.

use memchr::memchr;

use crate::{Ragged, Reason};

/// What is wrong with a record that is well written. `clean`: its bytes are known to be text. `expected`: how many fields
/// it should have, 0 while the columns are being read.
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
        Reason::Nul => ": a UTF-16 file without a byte order mark has to be given its encoding",
        Reason::NeverClosed => ": look at the quotes, or read the file without quoting",
        _ => "",
    };
    format!("no usable header: {reason}{hint}")
}
