//! Tells the escapes of database shells, such as `\t` and `\N` in what `COPY` of PostgreSQL writes, from text that holds
//! backslashes, such as the paths of Windows.

use memchr::memchr_iter;

use super::{Reading, Sample, Wanted, read_with};
use crate::split::Quoting;

/// The letters after the backslashes of a text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Escapes {
    /// Cells that are `\N`.
    nulls: u64,
    /// Letters for control characters.
    controls: u64,
    /// Letters for control characters that cannot begin a name in a path, such as in `\nText`. Behind a capital, as in
    /// `CORP\nSmith`, they may begin the name of a user.
    sure: u64,
    /// Delimiters and line ends.
    raw: u64,
}

/// Tabs without quoting, where every backslash is an escape of a database shell.
pub(super) fn dumped(sample: Sample<'_>, reading: &Reading, wanted: Wanted) -> Option<Reading> {
    if !wanted.quoting || reading.splitter.delimiter != b"\t" || reading.splitter.quoting.escape.is_some() {
        return None;
    }
    let escapes = Escapes::of(sample.text)?;
    let is_likely = escapes.nulls > 0 || (escapes.raw == 0 && escapes.sure > 0 && 2 * escapes.sure >= escapes.controls);
    if !is_likely {
        return None;
    }
    let quoting = Quoting { escape: Some(b'\\'), ..Quoting::default() };
    let found = read_with(sample, reading, quoting, wanted)?;
    let is_quoted = || match reading.splitter.quoting.quote {
        Some(quote) => sample.wrapped(&found.splitter, quote) > 0,
        None => false,
    };
    let fits = found.fit.fits_nearly_all() && found.fit.bad() <= reading.fit.bad();
    let explains = escapes.raw == 0 || found.fit.bad() < reading.fit.bad();
    (fits && explains && !is_quoted()).then_some(found)
}

impl Escapes {
    /// Returns none if some backslash is no escape.
    fn of(text: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut next = 0;
        for at in memchr_iter(b'\\', text) {
            if at < next {
                continue;
            }
            let Some(letter) = text.get(at + 1) else { break };
            next = at + 2;
            let before = at.checked_sub(1).map(|at| text[at]);
            let behind = text.get(next).copied();
            let is_between = |byte: Option<u8>| byte.is_none_or(|byte| b"\t\r\n".contains(&byte));
            match letter {
                b'\\' | b'\'' => {}
                _ if before == Some(b':') => return None,
                b'N' if is_between(before) && is_between(behind) => found.nulls += 1,
                b'\t' | b'\n' => found.raw += 1,
                b'n' | b't' | b'r' => {
                    found.controls += 1;
                    let begins_text = behind.is_some_and(|byte| byte == b' ' || byte.is_ascii_uppercase());
                    let ends_name = before.is_some_and(|byte| byte.is_ascii_uppercase());
                    found.sure += u64::from(begins_text && !ends_name);
                }
                b'b' | b'f' | b'v' => found.controls += 1,
                _ => return None,
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sniff::sniff,
        split::{End, Splitter},
    };

    #[test]
    fn dumps_are_told_from_paths() {
        let check = |cells: &str, expect: bool| {
            let text = format!("sku\tname\np1\t{cells}\np2\tNib\n");
            let wanted = Wanted { delimiter: true, quoting: true, ..Wanted::default() };
            let found = sniff(text.as_bytes(), End::Eof, &Splitter::for_tests(), wanted).quoting;
            assert_eq!((found.escape, found.quote.is_none()), (expect.then_some(b'\\'), expect), "{cells}");
        };
        check("\\N", true);
        check("Line\\nNext", true);
        check("Line\\n\\tIndented", true);
        check("a\\\\b\\t c", true);
        check("\\N\np3\t12\" \\\\ x", true);
        check("\\N\np3\tit\\'s", true);
        check("\\N\np3\ttwo\\\nlines", true);
        check("\\N\np3\ttab\\\tbed", true);
        check("C:\\new", false);
        check("C:\\new\\table", false);
        check("bin\\new\\Table", false);
        check("CORP\\nSmith", false);
        check("C:\\new\np3\tx\\nY", false);
        check("\\\\server\\new", false);
        check("\\N\np3\t\\d+", false);
        check("\\Nx", false);
        check("a\\", false);
        check("\"x\\nY\"", false);
        check("plain", false);
    }
}
