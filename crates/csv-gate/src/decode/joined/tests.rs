//! Compares joined files with a model that decodes line by line, however the bytes arrive.

use std::io::{self, Read};

use encoding_rs::{SHIFT_JIS, WINDOWS_1252};
use proptest::{prelude::*, sample::select};

use super::*;
use crate::{Limits, drip::Drip};

fn decoded(bytes: &[u8], encoding: &'static Encoding, line_end: LineEnd, most: usize, room: usize) -> Vec<u8> {
    let size = bytes.len() as u64;
    let mut source = Unpacked::new(Drip { bytes, most }, size, &Limits::default()).unwrap();
    let mut joined = Joined::new(encoding, line_end);
    let (mut text, mut out) = (Vec::new(), vec![0; room]);
    loop {
        match joined.read(&mut source, &mut out).unwrap() {
            0 => return text,
            len => text.extend_from_slice(&out[..len]),
        }
    }
}

/// The rule of docs/reference/csv-rules.md#encoding, with U+FFFD for invalid bytes.
fn model(bytes: &[u8], encoding: &'static Encoding, line_end: LineEnd) -> String {
    let lines = bytes.split_inclusive(|byte| *byte == line_end.byte());
    let read = |line: &[u8]| {
        let has_sequence = String::from_utf8_lossy(line).chars().any(|c| !c.is_ascii() && c != '\u{fffd}');
        match std::str::from_utf8(line) {
            Ok(text) => text.to_owned(),
            Err(_) if has_sequence && encoding.is_single_byte() => String::from_utf8_lossy(line).into_owned(),
            Err(_) => encoding.decode_without_bom_handling(line).0.into_owned(),
        }
    };
    lines.map(read).collect()
}

fn joined_lines() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"a",
        b"\n",
        b"\r",
        b"\xc3\xa9",
        b"\xe9",
        b"\xe2\x82\xac\n",
        b"\x83\x65",
        b"\x82\n",
        b"caf\xe9\n",
        b"\"",
        b"xyz\n",
    ];
    prop::collection::vec(select(pieces), 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_decoded_one_by_one(
        bytes in joined_lines(), encoding in select(vec![WINDOWS_1252, SHIFT_JIS]),
        line_end in select(vec![LineEnd::Lf, LineEnd::Cr]), most in 1..20usize, room in 64..200usize
    ) {
        let found = decoded(&bytes, encoding, line_end, most, room);
        prop_assert_eq!(String::from_utf8_lossy(&found), model(&bytes, encoding, line_end));
    }
}

#[test]
fn a_line_of_any_length_takes_bounded_memory() {
    for (first, expect) in [(&b"\xe9"[..], "\u{e9}"), ("\u{e9}".as_bytes(), "\u{e9}")] {
        let long = b"x".repeat(3 * MAX_JUDGED_BYTES);
        let bytes = [first, &long, b"\xe9\ncaf\xe9\n"].concat();
        let found = decoded(&bytes, WINDOWS_1252, LineEnd::Lf, usize::MAX, 1 << 20);
        assert!(found.starts_with(expect.as_bytes()));
        // The rest of a line that began as UTF-8 passes unchanged, and the next line is judged anew.
        let behind: &[u8] = if first.len() == 1 { "\u{e9}\ncaf\u{e9}\n".as_bytes() } else { b"\xe9\ncaf\xc3\xa9\n" };
        assert_eq!(found.len(), expect.len() + long.len() + behind.len());
        assert!(found.ends_with(behind));
    }
    let mut source = Unpacked::new(io::repeat(b'x').take(64 << 20), 1, &Limits::default()).unwrap();
    let mut joined = Joined::new(WINDOWS_1252, LineEnd::Lf);
    let mut out = vec![0; 1 << 16];
    while joined.read(&mut source, &mut out).unwrap() > 0 {}
    assert_eq!(joined.raw.len(), MAX_JUDGED_BYTES);
}
