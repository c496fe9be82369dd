//! Well-formed tables are read exactly as written, by the csv crate and by the gate itself.

use proptest::{prelude::*, sample::select};

use super::see;
use crate::{Quote, Settings, write_texts};

/// Tables of one to four columns whose fields contain everything that has to be quoted.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let pieces = select(vec!["a", "é", "€", "\"", ",", ";", "\t", "\n", "\r\n", "\r", " ", "\u{fffd}", "x y", "\\"]);
    let field = prop::collection::vec(pieces, 0..5).prop_map(|pieces| pieces.concat());
    // Empty rows at the end of a file are none, unless they are quoted.
    let with_end = |mut table: Vec<Vec<String>>| {
        let last = table.last_mut().filter(|row| row.len() > 1 && row.iter().all(|cell| cell.trim().is_empty()));
        last.into_iter().for_each(|row| "a".clone_into(&mut row[0]));
        table
    };
    let rows = move |columns| prop::collection::vec(prop::collection::vec(field.clone(), columns), 1..8);
    (1..5usize).prop_flat_map(rows).prop_map(with_end)
}

/// The columns and the rows up to one that holds the header's cells in another order, or to an empty row. A row that equals the header
/// is one.
fn expected(table: &[Vec<String>]) -> (Vec<String>, Vec<Vec<String>>) {
    let trimmed = |row: &Vec<String>| row.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>();
    let columns = trimmed(&table[0]);
    let is_header = |row: &Vec<String>| columns.len() > 1 && columns.concat() != "" && trimmed(row) == columns;
    let mut names = columns.clone();
    names.sort();
    let is_reordered = |row: &Vec<String>| {
        let mut cells = trimmed(row);
        cells.sort();
        cells == names
    };
    // Behind an empty row a footer or a second table may follow, which have tests of their own.
    let is_empty = |row: &Vec<String>| row.iter().all(|cell| cell.trim().is_empty());
    let ends = |at: &usize| is_empty(&table[*at]) || is_reordered(&table[*at]) && !is_header(&table[*at]);
    let end = (1..table.len()).find(ends).unwrap_or(table.len());
    let rows = table[1..end].iter().filter(|row| !is_header(row)).cloned().collect();
    (columns, rows)
}

/// A field of which each line looks like a row is taken for rows, unless the quote is set.
fn settings(table: &[Vec<String>], delimiter: u8) -> Settings {
    let looks_like_rows = |cell: &String| cell.contains(['\n', '\r']) && cell.contains(char::from(delimiter));
    let quote = table.iter().flatten().any(looks_like_rows).then_some(Quote::Char(b'"'));
    let delimiter = Some(char::from(delimiter).to_string());
    Settings { delimiter, encoding: Some("UTF-8".into()), quote, ..Settings::default() }
}

fn check_read_back(written: &[u8], settings: &Settings, table: &[Vec<String>], chunk: usize) {
    let seen = see(written, settings, usize::MAX, chunk).expect("a well-formed table is read");
    let rows = seen.rows.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>();
    let (columns, expect) = expected(table);
    assert_eq!((seen.columns, &rows[..expect.len().min(rows.len())]), (columns, &expect[..]));
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
        let settings = settings(&table, delimiter);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(&written[..]);
        let read: Vec<Vec<String>> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&read, &table);
        check_read_back(&written, &settings, &table, chunk);
    }

    #[test]
    fn what_the_gate_writes_it_reads(table in tables(), chunk in 1..40usize) {
        let mut written = Vec::new();
        for record in &table {
            write_texts(&mut written, record);
        }
        check_read_back(&written, &settings(&table, b','), &table, chunk);
    }
}
