//! Checks the parts of a workbook before anything interprets them. A zip archive of some kilobytes can unpack to gigabytes, and
//! what its directory says of the sizes may be a lie.

use std::io::{self, Cursor, Read};

use memchr::memmem;
use zip::ZipArchive;

use crate::{MAX_PACKED_BYTES, MAX_UNPACKED_BYTES, WorkbookError};

/// First bytes of an OLE container.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The part that every workbook has.
const CONTENT_TYPES: &str = "[Content_Types].xml";
/// The end of the name of the part with the texts, whatever its case and folder.
const SHARED_STRINGS: &str = "sharedstrings.xml";

/// Unpacks every part once and counts.
pub(crate) fn check(workbook: &[u8]) -> Result<(), WorkbookError> {
    if workbook.starts_with(OLE) {
        return Err(WorkbookError::OldOrEncrypted);
    }
    if !workbook.starts_with(b"PK") {
        return Err(WorkbookError::NotAWorkbook);
    }
    if workbook.len() as u64 > MAX_PACKED_BYTES {
        return Err(too_large("on disk", MAX_PACKED_BYTES));
    }
    let mut archive = ZipArchive::new(Cursor::new(workbook)).map_err(damaged)?;
    if archive.index_for_name(CONTENT_TYPES).is_none() {
        return Err(WorkbookError::NotAWorkbook);
    }
    let mut left = MAX_UNPACKED_BYTES;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(damaged)?;
        let is_texts = part.name().map_err(damaged)?.to_ascii_lowercase().ends_with(SHARED_STRINGS);
        // One byte more than allowed shows that there is more.
        let mut bounded = part.take(left + 1);
        let unpacked = match is_texts {
            true => check_texts(&mut bounded),
            false => io::copy(&mut bounded, &mut io::sink()).map_err(damaged),
        }?;
        left = left.checked_sub(unpacked).ok_or_else(|| too_large("unpacked", MAX_UNPACKED_BYTES))?;
    }
    Ok(())
}

pub(crate) fn too_large(what: &'static str, limit: u64) -> WorkbookError {
    WorkbookError::TooLarge { what, limit }
}

fn damaged(error: impl std::fmt::Display) -> WorkbookError {
    WorkbookError::Damaged(error.to_string())
}

/// Checks the number of texts that the part announces: calamine allocates room for as many, so a wrong one could abort the
/// process (tafia/calamine#684). Returns the size of the part.
fn check_texts(part: &mut impl Read) -> Result<u64, WorkbookError> {
    let mut text = Vec::new();
    part.read_to_end(&mut text).map_err(damaged)?;
    // XML has no such characters. In UTF-16 and in encodings with shifts they could hide the number.
    if text.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace()) {
        return Err(WorkbookError::Damaged("its texts are not UTF-8".to_owned()));
    }
    let announces_too_many = memmem::find_iter(&text, "uniqueCount").any(|at| {
        let value = text[at..].split(|byte| b"\"'".contains(byte)).nth(1).unwrap_or_default();
        let digits = value.iter().filter(|byte| byte.is_ascii_digit());
        let count = digits.fold(0_u64, |count, digit| count.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        // Each takes more than a byte.
        count > text.len() as u64
    });
    match announces_too_many {
        true => Err(WorkbookError::Damaged("it announces more texts than it has room for".to_owned())),
        false => Ok(text.len() as u64),
    }
}
