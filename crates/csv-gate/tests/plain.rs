//! Files that are called plain are read alike by a reader that shares no code with the gate, and may be cut at any line end.

use csv::ReaderBuilder;
use proptest::{prelude::*, sample::select, strategy::ValueTree};
use tributary_csv_gate::{
    Settings, Table,
    plain::{PlainTable, plain_table},
};

/// Rows of texts as the csv crate reads them, without the header.
fn other_reader(bytes: &[u8], delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(bytes);
    let records = reader.records().map(|record| record.expect("a plain file has no ragged rows and is UTF-8"));
    records.map(|record| record.iter().map(str::to_owned).collect()).collect()
}

fn gates_rows(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut table = Table::open("a.csv", bytes.len() as u64, || Ok(bytes), &Settings::default()).expect("it is plain");
    let mut rows = Vec::new();
    while let Some(row) = table.next_row().expect("memory does not fail") {
        rows.push(row.fields().map(|cell| cell.into_owned()).collect());
    }
    rows
}

fn plain(bytes: &[u8]) -> Option<PlainTable> {
    plain_table("a.csv", bytes.len() as u64, || Ok(bytes), &Settings::default(), |_| true)
        .expect("memory does not fail")
        .ok()
}

/// Texts of few different pieces, so that many of them are nearly tables.
fn files() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a", "b", "1", "2.5", "-3", " ", "x y", "\u{e9}", ",", ",", ",", ";", "\t", "\n", "\n", "\n", "\r\n", "\r",
        "\"", "\"\"", "\"q\"", "'", "\\", "#", "=", "\u{1a}", "\u{feff}", "\0", "sep=;", "a,b\n", "total,",
    ]);
    let free = proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    let cell = select(vec!["", "a", "1", "2.5", " x", "\"\"", "\"q,\"", "\"say \"\"x\"\"\"", "\u{e9}", "'", "\\"]);
    let row = (cell.clone(), cell).prop_map(|(one, two)| format!("{one},{two}"));
    let table = (proptest::collection::vec(row, 1..8), select(vec!["\n", "\r\n"]))
        .prop_map(|(rows, end)| format!("a,b{end}{}{end}", rows.join(end)));
    prop_oneof![
        free,
        table.clone(),
        (table, any::<prop::sample::Index>(), "[\"\r\n,;#a]{1,2}").prop_map(|(table, at, extra)| {
            let at = table.floor_char_boundary(at.index(table.len() + 1));
            format!("{}{extra}{}", &table[..at], &table[at..])
        })
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn other_readers_see_the_same_rows(file in files()) {
        let bytes = file.as_bytes();
        if let Some(found) = plain(bytes) {
            let (rows, all) = (gates_rows(bytes), other_reader(bytes, found.delimiter));
            let names: Vec<_> = all[0].iter().map(|name| name.trim().to_owned()).collect();
            prop_assert_eq!(names, found.columns);
            prop_assert_eq!(&all[1..], &rows[..]);
            prop_assert_eq!(found.rows, rows.len() as u64);
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
            for cut in ends {
                let halves = [&bytes[..cut], &bytes[cut..]].map(|half| other_reader(half, found.delimiter));
                prop_assert_eq!(halves.concat(), all.clone());
            }
        }
    }
}

#[test]
fn random_tables_are_mostly_plain() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let count =
        (0..300).filter(|_| plain(files().new_tree(&mut runner).unwrap().current().as_bytes()).is_some()).count();
    assert!(count > 60, "only {count} of 300 files are plain: the property says little");
}
