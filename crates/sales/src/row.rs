//! One record: a department, anything, a number of sales.

use std::borrow::Cow;

use memchr::memchr;

/// A record that counts.
pub(crate) struct Row<'r> {
    pub(crate) department: Cow<'r, [u8]>,
    /// None if it is more than a `u64`.
    pub(crate) sales: Option<u64>,
}

/// Reads a record; `None` if it is malformed. Spaces around the record and around each field do not count.
pub(crate) fn parse(record: &[u8]) -> Option<Row<'_>> {
    let record = strip(text(record)?);
    let mut rest = Some(record);
    let mut field = || {
        let (field, behind) = next_field(rest?)?;
        rest = behind;
        Some(field)
    };
    let (department, _, sales) = (field()?, field()?, field()?);
    let department = match department {
        Cow::Borrowed(field) => Cow::Borrowed(strip(field)),
        Cow::Owned(field) => Cow::Owned(strip(&field).to_vec()),
    };
    let is_row = rest.is_none() && !department.is_empty();
    let sales = is_row.then(|| number(strip(&sales))).flatten()?;
    Some(Row { department, sales })
}

/// The bytes, if they are UTF-8.
fn text(bytes: &[u8]) -> Option<&[u8]> {
    (bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()).then_some(bytes)
}

/// Whether a byte is a space. Those outside of ASCII have more bytes.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x1c..=0x1f)
}

/// UTF-8 without the spaces at both ends.
fn strip(text: &[u8]) -> &[u8] {
    let begin = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(begin, |last| last + 1);
    let stripped = &text[begin..end];
    match (stripped.first(), stripped.last()) {
        (Some(first), Some(last)) if !first.is_ascii() || !last.is_ascii() => {
            std::str::from_utf8(stripped).map_or(stripped, |text| text.trim().as_bytes())
        }
        _ => stripped,
    }
}

/// A field, and what stands behind its comma, if there is one.
type Field<'r> = (Cow<'r, [u8]>, Option<&'r [u8]>);

/// The first field; `None` if its quote is not closed.
fn next_field(record: &[u8]) -> Option<Field<'_>> {
    if record.first() == Some(&b'"') {
        return quoted(record);
    }
    Some(match memchr(b',', record) {
        Some(at) => (Cow::Borrowed(&record[..at]), Some(&record[at + 1..])),
        None => (Cow::Borrowed(record), None),
    })
}

/// A field that begins with a quote: two quotes stand for one, and behind the closing quote it goes on as it stands.
fn quoted(record: &[u8]) -> Option<Field<'_>> {
    let (mut field, mut at) = (Vec::new(), 1);
    loop {
        let length = memchr(b'"', &record[at..])?;
        field.extend_from_slice(&record[at..at + length]);
        at += length + 1;
        if record.get(at) != Some(&b'"') {
            break;
        }
        field.push(b'"');
        at += 1;
    }
    let end = memchr(b',', &record[at..]).map(|length| at + length);
    field.extend_from_slice(&record[at..end.unwrap_or(record.len())]);
    Some((Cow::Owned(field), end.map(|end| &record[end + 1..])))
}

/// An integer that is not negative: a sign may stand before it, and single underscores between its digits. `None` if it is none, and
/// `Some(None)` if it is more than a `u64`.
fn number(text: &[u8]) -> Option<Option<u64>> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let (mut value, mut is_after_digit) = (Some(0_u64), false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                value = value.and_then(|value| value.checked_mul(10)?.checked_add(digit));
                is_after_digit = true;
            }
            b'_' if is_after_digit => is_after_digit = false,
            _ => return None,
        }
    }
    let is_number = is_after_digit && !(is_negative && value != Some(0));
    is_number.then_some(value)
}
