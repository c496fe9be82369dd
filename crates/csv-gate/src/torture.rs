//! Property tests of the gate as a whole: neither how the bytes arrive nor in how many passes they are read may show in
//! what comes out, and no bytes may make it panic. They are here and not in `tests/` because they choose how much is read at a time. No product code.

mod blocks;

use std::io::{self, Read};

use proptest::{prelude::*, sample::select};

use crate::{
    Dialect, Error, Limits, Quote, Ragged, Reject, Settings, Table, head::HEAD_SLICES, line_end::LineEndSearch,
    write_record,
};

/// A reader that hands out a few bytes at a time.
struct Drip<'a> {
    bytes: &'a [u8],
    most: usize,
}

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(out.len());
        self.bytes.read(&mut out[..most])
    }
}

/// All that can be seen of a file: columns, rows with their lines, rejects; or why it is none.
#[derive(Debug, PartialEq)]
struct Seen {
    dialect: Dialect,
    columns: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
    rejects: Vec<Reject>,
}

fn see(bytes: &[u8], settings: &Settings, drip: usize, chunk: usize) -> Result<Seen, String> {
    let size = bytes.len() as u64;
    let open = || Ok(Drip { bytes, most: drip });
    read_to_end(Table::open_in_chunks("a.csv", size, open, settings, chunk)).map_err(|error| text(&error))
}

/// The same in one pass.
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

/// Bytes that mean something to the gate far oftener than random ones would.
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
    let told = select(vec!["UTF-8", "windows-1252", "Shift_JIS", "UTF-16LE"]);
    let delimiter = select(vec![",", ";", "::", ":,"]);
    let escape = select(vec![None, Some(b'\\')]);
    let quote = select(vec![None, Some(Quote::None), Some(Quote::Char(b'a'))]);
    let limits = (select(vec![4, 1 << 20]), select(vec![10, 1 << 20]), select(vec![0, 7, 16, 1 << 20]));
    let ragged = select(vec![Ragged::Reject, Ragged::Pad]);
    (told, delimiter, escape, quote, limits, 0..3u64, any::<bool>(), ragged).prop_map(
        |(told, delimiter, escape, quote, (field_bytes, record_bytes, lookahead_bytes), skip_rows, header, ragged)| {
            let limits = Limits { field_bytes, record_bytes, lookahead_bytes, columns: 8, ..Limits::default() };
            let (encoding, delimiter) = (Some(told.to_owned()), Some(delimiter.to_owned()));
            Settings { encoding, delimiter, quote, escape, skip_rows, header, ragged, limits }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn how_the_bytes_arrive_does_not_show(
        bytes in nasty_bytes(), settings in settings(), drip in 1..8usize, chunk in 1..40usize
    ) {
        let whole = see(&bytes, &settings, usize::MAX, 1 << 20);
        prop_assert_eq!(&see(&bytes, &settings, drip, chunk), &whole);
        if let Ok(seen) = whole {
            prop_assert!(seen.rows.iter().all(|(_, fields)| fields.len() == seen.columns.len()));
            prop_assert!(seen.rows.is_sorted_by(|before, after| before.0 < after.0));
            prop_assert!(seen.rejects.is_sorted_by(|before, after| before.line <= after.line && before.byte < after.byte));
        }
    }

    #[test]
    fn all_detected_bytes_never_panic(bytes in prop_oneof![nasty_bytes(), prop::collection::vec(any::<u8>(), 0..300)]) {
        let settings = Settings::default();
        prop_assert_eq!(see(&bytes, &settings, 3, 1 << 20), see(&bytes, &settings, usize::MAX, 1 << 20));
    }
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

/// Whether the beginning that is looked at before splitting tells the line end, or is the whole file.
fn head_will_do(bytes: &[u8], settings: &Settings, chunk: usize) -> bool {
    let head = HEAD_SLICES * chunk;
    let mut lines = LineEndSearch::new(encoding_rs::UTF_8, settings.quote.unwrap_or(Quote::Char(b'"')).byte());
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    lines.update(&text[..text.len().min(head - (bytes.len() - text.len()).min(head))]);
    bytes.len() < head || lines.found().is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_pass_gives_what_two_give_or_says_that_it_cannot(
        bytes in prop_oneof![nasty_bytes(), almost_utf8()], settings in settings(), detect in any::<[bool; 2]>(),
        drip in 1..8usize, chunk in 1..120usize
    ) {
        let mut settings = settings;
        let [detect_encoding, detect_delimiter] = detect;
        settings.encoding = settings.encoding.filter(|_| !detect_encoding);
        settings.delimiter = settings.delimiter.filter(|_| !detect_delimiter);
        let twice = see(&bytes, &settings, usize::MAX, chunk);
        let once = see_once(&bytes, &settings, drip, chunk);
        let whole = see_once(&bytes, &settings, usize::MAX, chunk);
        // Two errors are as good as one: which of them comes first may depend on how early the end is met.
        prop_assert_eq!(once.as_ref().ok(), whole.as_ref().ok());
        if std::str::from_utf8(&bytes).is_ok() && detect_encoding && head_will_do(&bytes, &settings, chunk) {
            prop_assert_eq!(&once.as_ref().map_err(text), &twice.as_ref().map_err(String::clone));
        }
        match once {
            Ok(seen) => prop_assert_eq!(Ok(seen), twice),
            Err(Error::Rejected(_) | Error::Misjudged) => {}
            Err(error) => prop_assert!(false, "these readers do not fail: {error}"),
        }
    }
}

/// Tables of one to four columns whose fields hold all that has to be quoted.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let pieces = select(vec!["a", "é", "€", "\"", ",", ";", "\t", "\n", "\r\n", "\r", " ", "\u{fffd}", "x y", "\\"]);
    let field = prop::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat());
    (1..5usize).prop_flat_map(move |columns| prop::collection::vec(prop::collection::vec(field.clone(), columns), 1..8))
}

fn expected(table: &[Vec<String>]) -> (Vec<String>, Vec<Vec<String>>) {
    (table[0].iter().map(|name| name.trim().to_owned()).collect(), table[1..].to_vec())
}

fn check_read_back(written: &[u8], settings: &Settings, table: &[Vec<String>], chunk: usize) {
    let seen = see(written, settings, usize::MAX, chunk).expect("a well-formed table is read");
    let rows = seen.rows.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>();
    assert_eq!((seen.columns, rows), expected(table));
    assert_eq!(seen.rejects, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_csv_crate_writes_is_read_as_it_reads_it(
        table in tables(), delimiter in select(vec![b',', b';', b'\t', b'|']), crlf in any::<bool>(),
        always in any::<bool>(), chunk in 1..40usize
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        for record in &table {
            writer.write_record(record).unwrap();
        }
        let written = writer.into_inner().unwrap();
        let settings = Settings {
            delimiter: Some(char::from(delimiter).to_string()), encoding: Some("UTF-8".into()), ..Settings::default()
        };
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(&written[..]);
        let read: Vec<Vec<String>> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&read, &table);
        check_read_back(&written, &settings, &table, chunk);
    }

    #[test]
    fn what_the_gate_writes_it_reads(table in tables(), chunk in 1..40usize) {
        let mut written = Vec::new();
        for record in &table {
            write_record(&mut written, record);
        }
        let settings = Settings { delimiter: Some(",".into()), encoding: Some("UTF-8".into()), ..Settings::default() };
        check_read_back(&written, &settings, &table, chunk);
    }
}
