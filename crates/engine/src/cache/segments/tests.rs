//! Tests that what was written is read again, and that damage is noticed.

use std::io::{Seek, Write};

use super::*;

fn segment(number: u64) -> Segment {
    Segment {
        digest: u128::from(number) << 70,
        rules: 7,
        mark: number,
        bytes: 100 + number,
        lines: 3,
        rows: 2,
        repaired: 0,
        is_regular: number != 1,
    }
}

fn skus(words: &[&str]) -> Skus {
    let mut skus = Skus::default();
    words.iter().for_each(|word| skus.push(word));
    skus
}

fn new() -> NewSegments {
    NewSegments::new(NamedTempFile::new().unwrap(), &ContentId::new("north", "a.csv", "hash", ""), 9)
}

fn written() -> TempPath {
    let mut new = new();
    let long = "x".repeat(300);
    for (number, words) in [(0, &["a", "", &long][..]), (1, &[]), (2, &["b"])] {
        new.push(segment(number), 2 + 3 * number, &skus(words)).unwrap();
    }
    new.finish(4).unwrap().path
}

#[test]
fn what_was_written_is_read_again() {
    let known = KnownFile::read(File::open(written()).unwrap()).unwrap();
    assert_eq!((known.offers, known.id), (4, ContentId::new("north", "a.csv", "hash", "").id));
    let found: Vec<_> = known.segments.iter().map(|placed| (placed.segment, placed.line)).collect();
    assert_eq!(found, [(segment(0), 2), (segment(1), 5), (segment(2), 8)]);
    let words = |index: usize| known.skus(index).unwrap().iter().map(|sku| sku.unwrap().len()).collect::<Vec<_>>();
    assert_eq!([words(0), words(1), words(2)], [vec![1, 0, 300], vec![], vec![1]]);
    let empty = new().finish(0).unwrap();
    assert!(KnownFile::read(File::open(&empty.path).unwrap()).unwrap().segments.is_empty());
}

#[test]
fn a_damaged_file_is_an_error() {
    let path = written();
    let bytes = std::fs::read(&path).unwrap();
    let is_error = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        KnownFile::read(file).is_err()
    };
    assert!(!is_error(&bytes));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(is_error(&damaged), "byte {at}");
        assert!(is_error(&bytes[..at]), "{at} bytes");
    }
}

#[test]
fn skus_that_do_not_decode_are_an_error() {
    for bytes in [&b"\x05\0abc"[..], b"\x01\0\xff", b"\x80", b"\xff\xff\xff\xff\xff\xff"] {
        assert!(Skus(bytes.to_vec()).iter().any(|sku| sku.is_err()), "{bytes:?}");
    }
}
