//! Recognises what a file is by its first bytes. The ending of its name may be wrong: download scripts and mail gateways
//! rename files.

use memchr::memmem;
use tributary_formats::Packing;

use crate::{Error, rejects::raw_text};

/// Bytes that are looked at: enough for the names of the first files in an Excel workbook.
pub(super) const HEAD_BYTES: usize = 4 << 10;

/// First bytes of files that hold no text, what such a file is, and how to fix it.
const BINARY: [(&[u8], &str, &str); 8] = [
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook (xls), or one with a password",
        "export it as CSV, or save it as .xlsx without a password",
    ),
    (b"%PDF-", "a PDF document", "export its table as CSV"),
    (b"PAR1\x15", "a Parquet file", "export it as CSV"),
    (b"SQLite format 3\0", "a SQLite database", "export its table as CSV"),
    (b"BZh91AY&SY", "a bzip2 archive", "unpack it, or pack it as gzip or zstd"),
    (b"\xfd7zXZ\0", "an xz archive", "unpack it, or pack it as gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, or pack it as gzip or zstd"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it, or pack it as gzip or zstd"),
];

const PAGE: (&str, &str) = ("an HTML page", "check where the file comes from");
const JSON: (&str, &str) = ("JSON", "write it as CSV; if it tells an error, check where the file comes from");

/// First letters of texts of another kind in lowercase, what such a text is, and how to fix it.
const TEXTS: [(&str, (&str, &str)); 12] = [
    ("<!doctype html", PAGE),
    ("<html>", PAGE),
    ("<html ", PAGE),
    ("<html\n", PAGE),
    ("<html\r", PAGE),
    ("<table>", PAGE),
    ("<table ", PAGE),
    ("<br />\n", PAGE),
    ("<?xml ", ("an XML document", "export its table as CSV")),
    ("{\"", JSON),
    ("[{\"", JSON),
    ("version https://git-lfs.github.com/spec/", ("a pointer of Git LFS", "fetch the file itself with `git lfs pull`")),
];

const WORKBOOK_FIX: &str = "export it as CSV, or set a format with sheet = 1, which reads an Excel workbook";

/// Names in a zip archive, what the archive is then, and how to fix it.
const ZIPPED: [(&str, &str, &str); 4] = [
    ("application/vnd.oasis.opendocument", "an OpenDocument file", "export it as CSV"),
    ("word/", "a Word document", "export its table as CSV"),
    ("xl/", "an Excel workbook (xlsx)", WORKBOOK_FIX),
    ("[Content_Types].xml", "an Excel workbook (xlsx)", WORKBOOK_FIX),
];

/// Returns the packing of a file that begins with `head`.
///
/// # Errors
/// [`Error::Rejected`] if it is a file of another kind. `raw_bytes` limits the text of that reject.
pub(super) fn packing(head: &[u8], raw_bytes: usize) -> Result<Packing, Error> {
    match head {
        [0x1f, 0x8b, 8, ..] => return Ok(Packing::Gzip),
        // A frame, or a frame to skip, with which parallel packers begin.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => return Ok(Packing::Zstd),
        _ => {}
    }
    if let Some((what, fix)) = other_kind(head) {
        return Err(Error::file(format!("the file is {what}, not CSV: {fix}")));
    }
    match other_text(head) {
        Some((line, text, what, fix)) => {
            Err(Error::line(line, format!("this is {what}, not CSV: {fix}"), raw_text(text, raw_bytes)))
        }
        None => Ok(Packing::None),
    }
}

fn other_kind(head: &[u8]) -> Option<(&'static str, &'static str)> {
    // An archive, an empty archive, and the first part of a split one.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") || head.starts_with(b"PK\x07\x08") {
        let zipped = ZIPPED.iter().find(|(name, ..)| memmem::find(head, name.as_bytes()).is_some());
        return Some(
            zipped.map_or(("a zip archive", "unpack it, or pack its file as gzip or zstd"), |kind| (kind.1, kind.2)),
        );
    }
    // A tar archive begins with the name of its first file.
    if head.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", "unpack it, or pack its file as gzip or zstd"));
    }
    BINARY.iter().find(|(magic, ..)| head.starts_with(magic)).map(|kind| (kind.1, kind.2))
}

/// The number and the text of the first line that is not empty, if it begins a text of another kind; what that is, and how to
/// fix it.
fn other_text(head: &[u8]) -> Option<(u64, &[u8], &'static str, &'static str)> {
    let unmarked = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = unmarked.trim_ascii_start();
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with.as_bytes()));
    let (_, (what, fix)) = TEXTS.iter().find(|(with, _)| begins(with))?;
    let empty = unmarked[..unmarked.len() - text.len()].iter().filter(|byte| **byte == b'\n').count();
    let line = text.split(|byte| b"\r\n".contains(byte)).next()?;
    Some((empty as u64 + 1, line, what, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packings_are_told_by_content() {
        let check = |head: &[u8], expect| assert_eq!(packing(head, 9).expect("no other kind"), expect, "{head:?}");
        check(b"", Packing::None);
        check(b"sku,name\n", Packing::None);
        check(b"\x1f\x8b\x08\0", Packing::Gzip);
        check(b"\x1f\x8b", Packing::None);
        check(b"\x28\xb5\x2f\xfd", Packing::Zstd);
        check(b"\x50\x2a\x4d\x18", Packing::Zstd);
        // Headers of tables about archives, Parquet, keys and pages.
        check(b"PK,name\n", Packing::None);
        check(b"PAR1,PAR2\n", Packing::None);
        check(b"BZh,7z,Rar!\n", Packing::None);
        check(b"<htmlfile>,x\n", Packing::None);
        check(b"{x},[y]\n", Packing::None);
    }

    #[test]
    fn files_of_other_kinds_are_named() {
        let check = |head: &[u8], line, expect: &str| match packing(head, 9) {
            Err(Error::Rejected(reject)) => {
                assert_eq!(reject.line, line);
                assert!(reject.reason.contains(expect), "{} lacks {expect}", reject.reason);
            }
            other => panic!("{head:?} is {other:?}"),
        };
        check(b"PK\x03\x04...may.csv", 0, "a zip archive, not CSV: unpack it");
        check(b"PK\x05\x06", 0, "a zip archive");
        check(b"PK\x03\x04...[Content_Types].xml", 0, "an Excel workbook (xlsx), not CSV: export it as CSV");
        check(b"PK\x03\x04..._rels/.rels...xl/workbook.xml", 0, "an Excel workbook (xlsx)");
        check(b"PK\x03\x04...[Content_Types].xml...word/document.xml", 0, "a Word document");
        check(b"PK\x03\x04...mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK", 0, "an OpenDocument file");
        check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", 0, "an old Excel workbook (xls)");
        check(b"%PDF-1.7\n", 0, "a PDF document");
        check(&[&b"feed.csv"[..], &[0; 249], b"ustar\0"].concat(), 0, "a tar archive, not CSV: unpack it");
        check(b"<!doctype HTML>\n", 1, "an HTML page");
        check(b"{\"error\": 1}\n", 1, "this is JSON, not CSV");
        check(b"\n[{\"sku\": 1}]", 2, "JSON");
        check(b"<?xml version=\"1.0\"?>\n", 1, "an XML document");
        check(b"version https://git-lfs.github.com/spec/v1\n", 1, "git lfs pull");
        check(b"\xef\xbb\xbf\r\n \n<html lang=\"en\">\n", 3, "an HTML page");
    }
}
