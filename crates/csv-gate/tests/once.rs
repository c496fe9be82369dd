//! Files that are read in one pass: the results, and the files that need two passes.

use tributary_csv_gate::{Columns, Error, Feed, OpWords, Settings, Table};

use crate::{
    failing, open,
    packing::{gzip, zstd},
};

fn once<'a>(path: &str, bytes: &'a [u8]) -> Result<Table<&'a [u8]>, Error> {
    Table::open_once(path, bytes.len() as u64, bytes, &Settings::default())
}

/// Reads a file to its end and counts its rows.
fn rows(path: &str, bytes: &[u8]) -> Result<u64, Error> {
    let mut table = once(path, bytes)?;
    while table.next_row()?.is_some() {}
    Ok(table.rows())
}

/// A file of a header and `lines` lines, longer than one MiB.
fn long(header: &str, line: &str, lines: usize) -> Vec<u8> {
    let bytes = format!("{header}{}", line.repeat(lines)).into_bytes();
    assert!(bytes.len() > 1 << 20);
    bytes
}

#[track_caller]
fn check_needs_two_passes(result: Result<u64, Error>) {
    assert!(matches!(result, Err(Error::NeedsTwoPasses)), "{result:?}");
}

#[test]
fn utf8_needs_one_pass() {
    let file = long("sku,name\n", "1,\"caf\u{e9}\n\"\n", 200_000);
    assert_eq!(rows("a.csv", &file).unwrap(), 200_000);
    assert_eq!(rows("a.csv.gz", &gzip(&file)).unwrap(), 200_000);
    assert_eq!(rows("a.csv.zst", &zstd(&file)).unwrap(), 200_000);
    assert_eq!(once("a.csv", &file).unwrap().dialect(), open("a.csv", &file, &Settings::default()).unwrap().dialect());
    let few_bad = [&file[..], b"2,caf\xe9\n"].concat();
    assert_eq!(rows("a.csv", &few_bad).unwrap(), 200_001);
}

#[test]
fn another_encoding_shows_at_the_end() {
    let ascii = long("sku,name\n", "1,plain\n", 200_000);
    for bytes in [&b"2,caf\xe9\n"[..], b"2,caf\xe9", b"2,caf\xc3"] {
        let file = [&ascii, bytes].concat();
        check_needs_two_passes(rows("a.csv", &file));
        check_needs_two_passes(rows("a.csv.gz", &gzip(&file)));
        let mut table = once("a.csv", &file).expect("the beginning is ASCII");
        for _ in 0..2 {
            while let Ok(row) = table.next_row() {
                assert!(row.is_some(), "asking again does not make it good");
            }
        }
    }
}

#[test]
fn the_beginning_decides_whether_one_pass_is_enough() {
    let ascii = long("sku,name\n", "1,plain\n", 200_000);
    // Not UTF-8 from the start, so it stops at once instead of reading everything in vain.
    check_needs_two_passes(once("a.csv", &[b"sku,gr\xf6\xdfe\n", &ascii[..]].concat()).map(|table| table.rows()));
    let one_line = format!("sku,\"{}\"\n", "x\n".repeat(1 << 19));
    check_needs_two_passes(once("a.csv", one_line.as_bytes()).map(|table| table.rows()));
    // A short file is surveyed as a whole, and a file with a byte order mark needs no survey.
    assert_eq!(once("a.csv", b"sku;name\n1;caf\xe9\n").unwrap().dialect().encoding, "windows-1252");
    let utf16 = String::from_utf8(ascii).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert_eq!(rows("a.csv", &[b"\xff\xfe", &utf16[..]].concat()).unwrap(), 200_000);
}

#[test]
fn corrupt_archives_and_failing_readers_are_errors_by_the_end() {
    let file = long("\u{feff}sku,name\n", "1,plain\n", 200_000);
    for (path, packed) in [("a.gz", gzip(&file)), ("a.zst", zstd(&file))] {
        let rejected = rows(path, &packed[..packed.len() - 1]);
        assert!(matches!(rejected, Err(Error::Rejected(_))), "{path}: {rejected:?}");
    }
    for bytes in [&file[..0], &file] {
        let size = bytes.len() as u64;
        let table = Table::open_once("a.csv", size, failing(bytes), &Settings::default());
        let feed = table.and_then(|table| Feed::new(table, &Columns::default(), OpWords::new()));
        let end = feed.and_then(|mut feed| {
            while feed.next_offer()?.is_some() {}
            Ok(feed.rows())
        });
        assert!(matches!(end, Err(Error::Io(_))), "{end:?}");
    }
}

#[test]
fn a_header_that_is_unusable_as_utf8_may_be_fine_in_the_true_encoding() {
    let beginning = [b"sku,gr\xf6\xdfe\n", "1,\u{e9}\n".repeat(100_000).as_bytes()].concat();
    let file = [&beginning[..], b"2,\xe9\n".repeat(100_000).as_slice()].concat();
    assert!(matches!(once("a.csv", &file).map(|_| ()), Err(Error::Rejected(_))));
    assert_eq!(open("a.csv", &file, &Settings::default()).unwrap().columns(), ["sku", "gr\u{f6}\u{df}e"]);
}
