//! Rows as nearly every file has them, read in one pass: ASCII, and no quotes, signs or spaces that mean something. The general way of
//! [`row`](crate::row) takes three times as long.

use memchr::memchr3_iter;

use crate::row::Row;

/// The longest row that is read so.
const MAX_ROW_BYTES: usize = 64 << 10;
/// Digits of a number that cannot be too large.
const MAX_DIGITS: usize = 18;

/// Gives the rows at the begin of `bytes` to `each`, up to the first that needs the general way. Returns where that one begins.
pub(crate) fn rows<E>(bytes: &[u8], mut each: impl FnMut(Row<'_>) -> Result<(), E>) -> Result<usize, E> {
    let is_ascii = bytes.is_ascii();
    let (mut begin, mut commas, mut found) = (0, [0; 2], 0);
    let mut signs = memchr3_iter(b',', b'\n', b'\r', bytes);
    while let Some(mut at) = signs.next() {
        if bytes[at] == b',' {
            if found == commas.len() {
                break;
            }
            commas[found] = at;
            found += 1;
            continue;
        }
        let end = at;
        if bytes[at] == b'\r' {
            // It must be the begin of a line break, of which all has come.
            match signs.next() {
                Some(next) if next == at + 1 && bytes[next] == b'\n' => at = next,
                _ => break,
            }
        }
        if found < commas.len() || end - begin > MAX_ROW_BYTES || !(is_ascii || bytes[begin..end].is_ascii()) {
            break;
        }
        let department = &bytes[begin..commas[0]];
        let is_plain = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic());
        if !is_plain(department.last())
            || !is_plain(department.first())
            || department[0] == b'"'
            || bytes[commas[0] + 1] == b'"'
        {
            break;
        }
        let Some(sales) = number(&bytes[commas[1] + 1..end]) else { break };
        each(Row { department: department.into(), sales: Some(sales) })?;
        (begin, found) = (at + 1, 0);
    }
    Ok(begin)
}

fn number(digits: &[u8]) -> Option<u64> {
    if !(1..=MAX_DIGITS).contains(&digits.len()) {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}
