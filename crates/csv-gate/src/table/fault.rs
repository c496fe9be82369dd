//! Words the rejection of an unusable header.

use crate::Reason;

pub(super) fn unusable_header(reason: &Reason) -> String {
    let hint = match reason {
        Reason::Nul => ": if this is a UTF-16 file without a byte order mark, set encoding = \"utf-16le\"",
        _ => "",
    };
    format!("no usable header: {reason}{hint}")
}
