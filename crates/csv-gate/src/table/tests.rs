//! Property tests of whole files: reading them in chunks of any size, in one pass or two, or in blocks gives the same
//! result. They are not in `tests/` because they choose how much is read at a time. This file holds what they share.

mod blocks;
mod chunks;
mod round_trip;

use proptest::{prelude::*, sample::select};

use crate::{Dialect, Error, Escapes, Header, Limits, Quote, Quotes, Ragged, Reject, Settings, Table, drip::Drip};

/// Everything visible of a file: dialect, columns, rows with their lines, rejects.
#[derive(Debug, PartialEq)]
struct Seen {
    dialect: Dialect,
    columns: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
    rejects: Vec<Reject>,
}

/// Reads a file in two passes.
fn see(bytes: &[u8], settings: &Settings, drip: usize, chunk: usize) -> Result<Seen, String> {
    let size = bytes.len() as u64;
    let open = || Ok(Drip { bytes, most: drip });
    read_to_end(Table::open_in_chunks("a.csv", size, open, settings, chunk)).map_err(|error| text(&error))
}

/// Reads a file like [`see`], but in one pass.
fn see_once(bytes: &[u8], settings: &Settings, drip: usize, chunk: usize) -> Result<Seen, Error> {
    let size = bytes.len() as u64;
    read_to_end(Table::open_once_in_chunks("a.csv", size, Drip { bytes, most: drip }, settings, chunk))
}

fn read_to_end(table: Result<Table<Drip<'_>>, Error>) -> Result<Seen, Error> {
    let mut table = table?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push((row.line(), row.fields().map(|field| field.into_owned()).collect()));
    }
    assert_eq!(table.rows(), rows.len() as u64 + table.rejects().total);
    let (dialect, columns) = (table.dialect().clone(), table.columns().to_vec());
    Ok(Seen { dialect, columns, rows, rejects: table.rejects().kept.clone() })
}

fn text(error: &Error) -> String {
    assert!(matches!(error, Error::Rejected(_)), "these readers do not fail: {error}");
    error.to_string()
}

/// Bytes that are special to the gate far more often than random ones.
fn nasty_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"\"",
        b"\"\"",
        b",",
        b"::",
        b":",
        b";",
        b"\n",
        b"\r\n",
        b"\r",
        b"a",
        b"bc",
        b" ",
        b"  ",
        b"\\",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\xa9",
        b"\xe2\x82\xac",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x82\xa0",
        b"0123456789",
    ];
    prop::collection::vec(select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

fn settings() -> impl Strategy<Value = Settings> {
    let encoding = select(vec!["UTF-8", "windows-1252", "Shift_JIS", "UTF-16LE"]);
    let delimiter = select(vec![",", ";", "::", ":,", "  "]);
    let escape = select(vec![None, Some(b'\\')]);
    let quote = select(vec![None, Some(Quote::None), Some(Quote::Char(b'a'))]);
    let limits = (select(vec![4, 1 << 20]), select(vec![10, 1 << 20]), select(vec![0, 7, 16, 1 << 20]));
    let limits = limits.prop_map(|(field_bytes, record_bytes, lookahead_bytes)| Limits {
        field_bytes,
        record_bytes,
        lookahead_bytes,
        columns: 8,
        ..Limits::default()
    });
    let lines = (0..3u64, 0..3u64, headers(), select(vec![None, Some("b"), Some("0123")]));
    let cells = (select(vec![vec![], vec!["a".to_owned(), "\\a".to_owned()]]), any::<bool>());
    let ragged = select(vec![Ragged::Reject, Ragged::Pad, Ragged::Trim]);
    let quoting =
        (quote, select(vec![Quotes::Strict, Quotes::Lenient]), escape, select(vec![Escapes::Dropped, Escapes::Kept]));
    (encoding, delimiter, quoting, limits, lines, cells, ragged).prop_map(
        |(encoding, delimiter, (quote, quotes, escape, escapes), limits, lines, (null, text_cells), ragged)| {
            let (skip_rows, skip_footer, header, comment) = lines;
            let (encoding, delimiter) = (Some(encoding.to_owned()), Some(delimiter.to_owned()));
            let comment = comment.map(str::to_owned);
            Settings {
                encoding,
                delimiter,
                quote,
                quotes,
                escape,
                escapes,
                skip_rows,
                skip_footer,
                header,
                comment,
                ragged,
                sheet: None,
                null,
                text_cells,
                limits,
            }
        },
    )
}

fn headers() -> impl Strategy<Value = Header> {
    let names = |names: &[&str]| Header::Names(names.iter().map(|name| (*name).to_owned()).collect());
    select(vec![Header::FirstLine, Header::FirstLine, Header::None, names(&["a", "bc"]), names(&["x"])])
}

/// Lines of UTF-8 with a few bytes changed: some keep nine in ten lines valid and some do not.
fn almost_utf8() -> impl Strategy<Value = Vec<u8>> {
    let pieces = select(vec!["a", "a,b", "\"", "\n", "\r", "\r\n", "é\n", "é,€\n", "\"é\n\",1\n", "😀\n", "é\r"]);
    let bad = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    (prop::collection::vec(pieces, 1..60), bad).prop_map(|(pieces, bad)| {
        let mut bytes = pieces.concat().into_bytes();
        for (at, byte) in bad {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

/// Lines of UTF-8 and of windows-1252, and some of both. Some files are UTF-16.
fn joined() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&'static [u8]> = vec![
        b"a,b\n",
        b"caf\xc3\xa9,b\n",
        b"caf\xe9,b\n",
        b"caf\xe9,\xc3\xa9\n",
        b"\"\xe9\n\",b\n",
        b"a,\xe2\x82\xac\r\n",
        b"P\xd3\xa3KA,b\n",
        b"a\0,\0b\0\n\0",
        b"\xe9\r",
    ];
    prop::collection::vec(select(lines), 0..40).prop_map(|lines| lines.concat())
}

/// Comments fill all that is searched for a footer, and begin where the search does: 4,097 bytes from the end, if one is a line end.
#[test]
fn a_footer_may_begin_where_its_search_does() {
    let comments = format!("# {}\n# {}\n", "x".repeat(2_000), "y".repeat(4_097 - 2_000 - 6));
    assert_eq!(comments.len(), 4_097);
    for rows in 290..330 {
        let rows: String = (0..rows).map(|row| format!("s{row:05},Pen,blue\n")).collect();
        let file = format!("sku,name,description\n{rows}{comments}");
        for chunk in [64, 1_000, 1 << 16] {
            let open = || Ok(file.as_bytes());
            let mut table =
                Table::open_in_chunks("a.csv", file.len() as u64, open, &Settings::default(), chunk).unwrap();
            while table.advance().unwrap() {}
            assert_eq!((table.rejects().total, table.rejects().ignored.lines), (0, 2), "{} bytes", file.len());
        }
    }
}
