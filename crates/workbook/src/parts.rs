//! Checks the parts of a workbook before anything interprets them. A zip archive of some kilobytes can unpack to gigabytes, and
//! what its directory says of the sizes may be a lie.

use std::io::{self, Cursor, Read, Write};

use memchr::memmem;
use zip::ZipArchive;

use crate::{MAX_PACKED_BYTES, MAX_UNPACKED_BYTES, WorkbookError};

/// First bytes of an OLE container.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// The part that every workbook has.
const CONTENT_TYPES: &str = "[Content_Types].xml";
/// The end of the name of the part with the texts, whatever its case and folder.
const SHARED_STRINGS: &str = "sharedstrings.xml";

/// The ends of the names of other parts that calamine holds in memory.
const HELD_PARTS: [&str; 2] = ["styles.xml", ".rels"];
/// Begins of the lists of the sheets and of the names. It holds them too, and their part may have any name.
const HELD_ELEMENTS: [&[u8]; 4] = [b"<sheets", b":sheets", b"<definedName", b":definedName"];
/// The most elements of such a part, begins and ends counted. An empty one of five bytes takes up to 200 in memory.
pub(crate) const MAX_ELEMENTS: u64 = 1 << 20;
/// The most bytes of a part without the begin of an element, so of a text or an attribute in one piece. calamine makes several copies of it.
pub(crate) const MAX_PIECE_BYTES: usize = 4 << 20;
/// The most texts. Each takes 24 bytes in memory beside its letters.
pub(crate) const MAX_TEXTS: u64 = 1 << 23;

/// Unpacks every part once and counts.
pub(crate) fn check(workbook: &[u8]) -> Result<(), WorkbookError> {
    if workbook.starts_with(OLE) {
        return Err(WorkbookError::OldOrEncrypted);
    }
    if !workbook.starts_with(b"PK") {
        return Err(WorkbookError::NotAWorkbook);
    }
    if workbook.len() as u64 > MAX_PACKED_BYTES {
        return Err(too_large("bytes on disk", MAX_PACKED_BYTES));
    }
    let mut archive = ZipArchive::new(Cursor::new(workbook)).map_err(damaged)?;
    if archive.index_for_name(CONTENT_TYPES).is_none() {
        return Err(WorkbookError::NotAWorkbook);
    }
    let mut left = MAX_UNPACKED_BYTES;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(damaged)?;
        let name = part.name().map_err(damaged)?.to_ascii_lowercase();
        // One byte more than allowed shows that there is more.
        let mut bounded = part.take(left + 1);
        let unpacked = match name.ends_with(SHARED_STRINGS) {
            true => check_texts(&mut bounded),
            false => check_elements(&mut bounded, HELD_PARTS.iter().any(|end| name.ends_with(end))),
        }?;
        left = left.checked_sub(unpacked).ok_or_else(|| too_large("bytes unpacked", MAX_UNPACKED_BYTES))?;
    }
    Ok(())
}

pub(crate) fn too_large(what: &'static str, limit: u64) -> WorkbookError {
    WorkbookError::TooLarge { what, limit }
}

fn damaged(error: impl std::fmt::Display) -> WorkbookError {
    WorkbookError::Damaged(error.to_string())
}

/// Checks the number of elements, if calamine holds them. Returns the size of the part.
fn check_elements(part: &mut impl Read, is_held: bool) -> Result<u64, WorkbookError> {
    let mut elements = Elements { is_held, ..Elements::default() };
    let copied = io::copy(part, &mut elements);
    if elements.longest_piece > MAX_PIECE_BYTES {
        return Err(too_large("bytes in one text", MAX_PIECE_BYTES as u64));
    }
    let size = copied.map_err(damaged)?;
    match elements.is_held && elements.count > MAX_ELEMENTS {
        true => Err(too_large("elements of styles, sheets or names", MAX_ELEMENTS)),
        false => Ok(size),
    }
}

/// Counts the elements of what is written.
#[derive(Default)]
struct Elements {
    count: u64,
    is_held: bool,
    /// Bytes since the last begin of an element, and the most of them so far.
    piece: usize,
    longest_piece: usize,
    /// The last piece, and before it the end of the one before, so that no word is cut.
    window: Vec<u8>,
}

impl Write for Elements {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        const LONGEST: usize = HELD_ELEMENTS[3].len();
        let mut from = 0;
        for at in memchr::memchr_iter(b'<', piece) {
            self.longest_piece = self.longest_piece.max(self.piece + at - from);
            (self.count, self.piece, from) = (self.count + 1, 0, at);
        }
        self.piece += piece.len() - from;
        self.longest_piece = self.longest_piece.max(self.piece);
        if self.longest_piece > MAX_PIECE_BYTES {
            return Err(io::Error::other("a text is too long"));
        }
        self.window.drain(..self.window.len().saturating_sub(LONGEST));
        self.window.extend_from_slice(piece);
        // What is not UTF-8 could hide a word.
        self.is_held |= piece.iter().any(is_no_xml) || HELD_ELEMENTS.iter().any(|word| has(&self.window, word));
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn has(text: &[u8], word: &[u8]) -> bool {
    memmem::find(text, word).is_some()
}

/// Whether XML has no such character. UTF-16 and encodings with shifts have such bytes.
fn is_no_xml(byte: &u8) -> bool {
    *byte < b' ' && !byte.is_ascii_whitespace()
}

/// Checks the number of texts, and the one that the part announces: calamine allocates room for as many, so a wrong one could abort the
/// process (tafia/calamine#684). Returns the size of the part.
fn check_texts(part: &mut impl Read) -> Result<u64, WorkbookError> {
    let mut text = Vec::new();
    part.read_to_end(&mut text).map_err(damaged)?;
    // Otherwise the numbers could be hidden.
    if text.iter().any(is_no_xml) {
        return Err(WorkbookError::Damaged("its texts are not UTF-8".to_owned()));
    }
    if text.split(|byte| *byte == b'<').any(|piece| piece.len() > MAX_PIECE_BYTES) {
        return Err(too_large("bytes in one text", MAX_PIECE_BYTES as u64));
    }
    let announces_too_many = memmem::find_iter(&text, "uniqueCount").any(|at| {
        let value = text[at..].split(|byte| b"\"'".contains(byte)).nth(1).unwrap_or_default();
        let digits = value.iter().filter(|byte| byte.is_ascii_digit());
        let count = digits.fold(0_u64, |count, digit| count.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        // Each takes more than a byte.
        count > text.len() as u64
    });
    let texts = memmem::find_iter(&text, "si").filter(|at| is_begin(&text, *at)).count() as u64;
    if texts > MAX_TEXTS {
        return Err(too_large("texts", MAX_TEXTS));
    }
    match announces_too_many {
        true => Err(WorkbookError::Damaged("it announces more texts than it has room for".to_owned())),
        false => Ok(text.len() as u64),
    }
}

/// Whether the element of a text begins at its name, which may have a prefix.
fn is_begin(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    before.is_some_and(|before| b"<:".contains(before))
        && text.get(at + 2).is_some_and(|after| b"/>".contains(after) || after.is_ascii_whitespace())
}
