//! A file that is cut into blocks of any size gives the same rows and rejects as row by row.

use std::borrow::Cow;

use proptest::prelude::*;

use super::{Drip, almost_utf8, joined, nasty_bytes, settings, text};
use crate::{Blocks, Error, Reason, Reject, Rejects, Settings, Table};

/// The results to compare.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    rows: Vec<Vec<String>>,
    /// In file order. If the test rejects good rows too, their lines and raw texts are compared here.
    rejects: Vec<Reject>,
    /// The number of rows, good and bad.
    count: u64,
    repaired: u64,
}

fn row_by_row(mut table: Table<Drip<'_>>, set_aside: bool) -> Result<Seen, Error> {
    let mut rows = Vec::new();
    while table.advance()? {
        rows.push(table.row().fields().map(Cow::into_owned).collect());
        if set_aside {
            table.reject_row(Reason::NoSku);
        }
    }
    let Rejects { kept, repaired, .. } = table.rejects().clone();
    Ok(Seen { rows, rejects: kept, count: table.rows(), repaired })
}

fn in_blocks(table: Table<Drip<'_>>, set_aside: bool, size: usize) -> Result<Seen, Error> {
    let columns = table.columns().len();
    let (mut blocks, mut seen, mut scratch) = (Blocks::new(table, size), Seen::default(), String::new());
    while let Some(block) = blocks.next_block()? {
        let mut rows = block.rows(usize::MAX);
        while rows.advance() {
            let mut field =
                |i| std::str::from_utf8(rows.bytes(i, &mut scratch)).expect("a good row's fields are text").to_owned();
            seen.rows.push((0..columns).map(&mut field).collect());
            if set_aside {
                rows.reject(|_| Reason::NoSku);
            }
        }
        let (count, rejects) = rows.finish();
        assert_eq!(rejects.total, rejects.kept.len() as u64);
        seen.count += count;
        seen.repaired += rejects.repaired;
        seen.rejects.extend(rejects.kept);
    }
    seen.count += blocks.table().rows();
    seen.repaired += blocks.table().rejects().repaired;
    seen.rejects.extend(blocks.table().rejects().kept.iter().cloned());
    seen.rejects.sort_by_key(|reject| reject.byte);
    Ok(seen)
}

/// Compares both ways of reading a file whose bytes arrive `drip` at a time and are read `chunk` at a time.
fn compare(bytes: &[u8], settings: &Settings, size: usize, drip: usize, chunk: usize) -> Result<(), TestCaseError> {
    let len = bytes.len() as u64;
    let open = || Ok(Drip { bytes, most: drip });
    for set_aside in [false, true] {
        let table = || Table::open_in_chunks("a.csv", len, open, settings, chunk);
        let expect = table().and_then(|table| row_by_row(table, set_aside));
        let found = table().and_then(|table| in_blocks(table, set_aside, size));
        prop_assert_eq!(found.map_err(|error| text(&error)), expect.map_err(|error| text(&error)));
    }
    Ok(())
}

/// A file of several rows, most of them good and of one width.
fn almost_table() -> impl Strategy<Value = Vec<u8>> {
    let fields: Vec<&'static [u8]> = vec![
        b"",
        b"a",
        b"12",
        b"bc d",
        b"\"q\"",
        b"\"q\"\"q\"",
        b"\"two\nlines\"",
        b"\"a,b\"",
        b"\"open",
        b"\r",
        b"\xff",
        b"\0",
        b"x",
        b"y",
        b"\"5\" tall\"",
        b"a long field that has more than sixty-four bytes in it, all of them harmless",
    ];
    // With the fields `x` and `y`, a header is repeated, perhaps in another order.
    let ends: Vec<&'static [u8]> = vec![b"\ny,x\n", b"\nx,y\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r\r\n", b",x\n"];
    let row = (prop::collection::vec(prop::sample::select(fields), 2..3), prop::sample::select(ends));
    (prop::collection::vec(row, 0..30), any::<bool>()).prop_map(|(rows, is_ended)| {
        let mut bytes = b"x,y\n".to_vec();
        for (fields, end) in rows {
            bytes.extend(fields.join(&b','));
            bytes.extend(end);
        }
        if !is_ended {
            bytes.pop();
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_a_file_is_cut_does_not_show(
        bytes in prop_oneof![nasty_bytes(), almost_utf8()], settings in settings(),
        size in prop_oneof![9 => 1..64usize, 1 => Just(1 << 20)], drip in 1..8usize, chunk in 1..120usize
    ) {
        compare(&bytes, &settings, size, drip, chunk)?;
    }

    #[test]
    fn how_an_almost_regular_file_is_cut_does_not_show(
        bytes in prop_oneof![3 => almost_table(), 1 => joined()], settings in settings(), detect in any::<bool>(),
        size in prop_oneof![9 => 1..300usize, 1 => Just(1 << 20)], chunk in 1..120usize
    ) {
        let settings = match detect {
            true => Settings::default(),
            false => Settings { skip_rows: 0, delimiter: None, encoding: None, ..settings },
        };
        compare(&bytes, &settings, size, usize::MAX, chunk)?;
    }
}
