//! Packed files, corrupt archives, archive bombs and failing readers.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use tributary_csv_gate::{Error, Limits, Settings, Table};
use tributary_formats::Packing;

use crate::{failing, file_reject, see};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).expect("memory takes all")
}

/// A file that compresses badly and is larger than every buffer.
fn long_file() -> Vec<u8> {
    let mut seed = 7u64;
    let mut file = b"a,b\n".to_vec();
    for _ in 0..60_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(file, "{seed},{}", seed.rotate_left(17)).expect("memory takes all");
    }
    file
}

#[test]
fn packed_files_give_the_same_rows_as_plain_ones() {
    let (file, set) = (long_file(), Settings::default());
    let (first, second) = file.split_at(file.len() / 3);
    let plain = see("a.csv", &file, &set).unwrap();
    assert_eq!(plain.rows.len(), 60_000);
    assert_eq!(see("a.csv.gz", &gzip(&file), &set).unwrap(), plain);
    assert_eq!(see("a.csv.ZST", &zstd(&file), &set).unwrap(), plain);
    assert_eq!(see("a.csv.GZ", &[gzip(first), gzip(second)].concat(), &set).unwrap(), plain);
    assert_eq!(see("a.csv.zst", &[zstd(first), zstd(second)].concat(), &set).unwrap(), plain);
}

#[test]
fn the_content_tells_the_packing() {
    let (file, set) = (long_file(), Settings::default());
    let plain = see("a.csv", &file, &set).unwrap();
    for path in ["a.csv", "a.csv.gz", "a.csv.zst"] {
        for (bytes, packing) in
            [(file.clone(), Packing::None), (gzip(&file), Packing::Gzip), (zstd(&file), Packing::Zstd)]
        {
            assert_eq!(see(path, &bytes, &set).unwrap(), plain, "{packing} in {path}");
            let table = Table::open_once(path, bytes.len() as u64, &bytes[..], &set).unwrap();
            assert_eq!(table.dialect().packing, packing, "{path}");
        }
    }
}

#[test]
fn zeros_behind_a_gzip_archive_are_ignored() {
    let packed = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n"), vec![0; 100_000]].concat();
    assert_eq!(see("a.gz", &packed, &Settings::default()).unwrap().rows.len(), 2);
    let reject = file_reject("a.gz", &[&packed[..], b"x"].concat(), &Settings::default());
    assert!(reject.reason.contains("archive is corrupt or cut short"), "{reject}");
}

#[test]
fn zstd_windows_are_limited() {
    let packed = zstd(&long_file());
    let with = |max_window| Settings { limits: Limits { max_window, ..Limits::default() }, ..Settings::default() };
    assert!(see("a.zst", &packed, &with(4 << 20)).is_ok());
    for max_window in [0, 1 << 20] {
        let reject = file_reject("a.zst", &packed, &with(max_window));
        assert!(reject.reason.contains("raise `max_window`"), "{reject}");
    }
    // What it cannot be raised to is no error of the file.
    assert!(see("a.zst", &packed, &with(u64::MAX)).is_ok());
}

#[test]
fn files_of_other_kinds_are_rejected() {
    let check = |bytes: &[u8], expect: &str| {
        let reject = file_reject("a.csv", bytes, &Settings::default());
        assert!(reject.reason.contains(expect), "{} lacks {expect}", reject.reason);
        let once = Table::open_once("a.csv", bytes.len() as u64, bytes, &Settings::default());
        assert!(matches!(once.map(|_| ()), Err(Error::Rejected(found)) if found == reject));
    };
    check(b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0may.csvsku,name\n", "a zip archive");
    check(b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0[Content_Types].xml<Types/>", "an Excel workbook");
    check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0", "an old Excel workbook");
    check(b"%PDF-1.4\n", "a PDF document");
    check(b"<!DOCTYPE html>\n<html>\n", "an HTML page");
}

#[test]
fn progress_counts_packed_bytes() {
    let packed = gzip(&long_file());
    let mut table = Table::open("a.gz", packed.len() as u64, || Ok(&packed[..]), &Settings::default()).unwrap();
    assert!(table.bytes_read() < packed.len() as u64);
    while table.next_row().unwrap().is_some() {}
    assert_eq!(table.bytes_read(), packed.len() as u64);
}

#[test]
fn corrupt_archives_are_rejected() {
    for (path, packed) in [("a.gz", gzip(&long_file())), ("a.zst", zstd(&long_file()))] {
        let half = packed.len() / 2;
        let mut flipped = packed.clone();
        flipped[half..half + 64].fill(0x55);
        for bytes in [&packed[..half], &packed[..packed.len() - 1], &flipped, &[&packed[..], b"junk"].concat()] {
            let reject = file_reject(path, bytes, &Settings::default());
            assert!(reject.reason.contains("archive is corrupt or cut short"), "{path}: {reject}");
        }
        // A byte order mark ends the survey of a plain file early, but not of an archive.
        let marked = [b"\xef\xbb\xbf".to_vec(), long_file()].concat();
        let packed = if path == "a.gz" { gzip(&marked) } else { zstd(&marked) };
        let cut = &packed[..packed.len() - 1];
        assert!(Table::open(path, cut.len() as u64, || Ok(cut), &Settings::default()).is_err());
    }
}

#[test]
fn archive_bombs_are_rejected() {
    let bomb = [&b"a,b\n"[..], &vec![b'x'; 9 << 20]].concat();
    for (path, packed) in [("a.gz", gzip(&bomb)), ("a.zst", zstd(&bomb))] {
        let reject = file_reject(path, &packed, &Settings::default());
        assert!(reject.reason.contains("more than 8388608 bytes unpacked"), "{path}: {reject}");
        let limits = Limits { unpacked_floor: 16 << 20, ..Limits::default() };
        assert!(see(path, &packed, &Settings { limits, ..Settings::default() }).is_ok());
    }
    let limits = Limits { unpacked_bytes: 7, ..Limits::default() };
    let reject = file_reject("a.csv", b"a,b\n1,2\n", &Settings { limits, ..Settings::default() });
    assert!(reject.reason.contains("more than 7 bytes"), "{reject}");
}

#[test]
fn a_failing_reader_says_nothing_about_the_file() {
    let file = long_file();
    let cases = [("a.csv", file.clone()), ("a.gz", gzip(&file)), ("a.zst", zstd(&file))];
    for (path, packed) in &cases {
        for bytes in [&packed[..0], &packed[..packed.len() / 2]] {
            let result = Table::open(path, packed.len() as u64, || Ok(failing(bytes)), &Settings::default());
            match result.map(|_| ()) {
                Err(Error::Io(error)) => assert_eq!(error.to_string(), "the disk is on fire"),
                other => panic!("{path}: {other:?}"),
            }
        }
    }
    let gone = || Err::<&[u8], _>(io::Error::from(io::ErrorKind::NotFound));
    assert!(matches!(Table::open("a.csv", 1, gone, &Settings::default()).map(|_| ()), Err(Error::Io(_))));
}

#[test]
fn an_interrupted_read_is_retried() {
    struct Interrupted<'a>(&'a [u8], bool);
    impl io::Read for Interrupted<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 { Err(io::ErrorKind::Interrupted.into()) } else { self.0.read(out) }
        }
    }
    let mut table = Table::open("a.csv", 8, || Ok(Interrupted(b"a,b\n1,2\n", false)), &Settings::default()).unwrap();
    assert!(table.next_row().unwrap().is_some());
}
