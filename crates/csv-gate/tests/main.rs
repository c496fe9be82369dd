//! Tests of the gate's public API: files go in, rows and rejects come out.

mod detection;
mod dialects;
mod encodings;
mod feed_checks;
mod feeds;
mod frames;
mod joined;
mod once;
mod packing;
mod plain;
mod properties;
mod rejects;
mod settings;
mod sheets;
mod structure;

use std::io;

use tributary_csv_gate::{Blocks, Columns, Error, Feed, FileReject, OpWords, Rejects, Settings, Table};

/// A file read to its end.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    columns: Vec<String>,
    /// Line and fields, which are joined by `|`.
    rows: Vec<(u64, String)>,
    /// Line, reason, raw text.
    rejects: Vec<(u64, String, String)>,
}

fn open<'a>(path: &str, bytes: &'a [u8], settings: &Settings) -> Result<Table<&'a [u8]>, Error> {
    Table::open(path, bytes.len() as u64, || Ok(bytes), settings)
}

fn see(path: &str, bytes: &[u8], settings: &Settings) -> Result<Seen, Error> {
    let mut table = open(path, bytes, settings)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push((row.line(), row.fields().collect::<Vec<_>>().join("|")));
    }
    Ok(Seen { columns: table.columns().to_vec(), rows, rejects: flat(table.rejects()) })
}

fn flat(rejects: &Rejects) -> Vec<(u64, String, String)> {
    rejects.kept.iter().map(|reject| (reject.line, reject.reason.to_string(), reject.raw.clone())).collect()
}

/// Reads a file that the gate accepts and compares everything visible.
#[track_caller]
fn check(
    bytes: impl AsRef<[u8]>,
    settings: &Settings,
    columns: &str,
    rows: &[(u64, &str)],
    rejects: &[(u64, &str, &str)],
) {
    let expect = Seen {
        columns: columns.split('|').map(str::to_owned).collect(),
        rows: rows.iter().map(|(line, row)| (*line, (*row).to_owned())).collect(),
        rejects: rejects.iter().map(|(line, reason, raw)| (*line, (*reason).to_owned(), (*raw).to_owned())).collect(),
    };
    assert_eq!(see("a.csv", bytes.as_ref(), settings).expect("the gate accepts this file"), expect);
}

/// The rejection of a file that the gate does not accept, whether on opening or on reading.
#[track_caller]
fn file_reject(path: &str, bytes: &[u8], settings: &Settings) -> FileReject {
    match see(path, bytes, settings) {
        Err(Error::Rejected(reject)) => reject,
        other => panic!("{path} should be rejected, but gives {other:?}"),
    }
}

fn feed<'a>(bytes: &'a [u8], columns: &Columns) -> Result<Feed<&'a [u8]>, Error> {
    Feed::new(open("a.csv", bytes, &Settings::default())?, columns, OpWords::new())
}

/// Reads a feed and compares its offers, as `sku|name|description`, and its rejects: the line and a word of the reason. Read in
/// blocks, the table must give as many rows and rejects.
#[track_caller]
fn check_feed(bytes: impl AsRef<[u8]>, settings: &Settings, offers: &[&str], rejects: &[(u64, &str)]) {
    let bytes = bytes.as_ref();
    let shown = String::from_utf8_lossy(bytes);
    let table = open("a.csv", bytes, settings).expect("this is a table");
    let mut feed = Feed::new(table, &Columns::default(), OpWords::new()).expect("this is a feed");
    let mut found = Vec::new();
    while let Some(offer) = feed.next_offer().expect("memory does not fail") {
        found.push(format!("{}|{}|{}", offer.sku, offer.texts.get(0), offer.texts.get(1)));
    }
    assert_eq!(found, offers, "{shown:?} {:?}", feed.rejects().kept);
    let kept = flat(feed.rejects());
    let are_alike = kept.iter().zip(rejects).all(|((line, reason, _), (at, word))| line == at && reason.contains(word));
    assert!(kept.len() == rejects.len() && are_alike, "{shown:?} {kept:?}");
    check_blocks(bytes, settings);
}

/// Compares the rows and the rejects of a table with those of its blocks.
#[track_caller]
fn check_blocks(bytes: &[u8], settings: &Settings) {
    let seen = see("a.csv", bytes, settings).expect("this is a table");
    for size in [1, 24, 4096] {
        let mut blocks = Blocks::new(open("a.csv", bytes, settings).expect("this is a table"), size);
        let (columns, mut scratch) = (seen.columns.len(), String::new());
        let (mut found, mut rejects) = (Vec::new(), 0);
        while let Some(block) = blocks.next_block().expect("memory does not fail") {
            let mut rows = block.rows(9);
            while rows.advance() {
                let mut cell = |i| String::from_utf8_lossy(rows.bytes(i, &mut scratch)).into_owned();
                found.push((0..columns).map(&mut cell).collect::<Vec<_>>().join("|"));
            }
            rejects += rows.finish().1.total;
        }
        rejects += blocks.table().rejects().total;
        let rows: Vec<_> = seen.rows.iter().map(|(_, row)| row.clone()).collect();
        assert_eq!((found, rejects), (rows, seen.rejects.len() as u64), "{:?} {size}", String::from_utf8_lossy(bytes));
    }
}

/// A reader that returns `bytes` and then fails.
fn failing(bytes: &[u8]) -> impl io::Read + '_ {
    struct Fails;
    impl io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is on fire"))
        }
    }
    io::Read::chain(bytes, Fails)
}
