//! Random tables in every dialect are read back cell for cell, row by row and in blocks. The writers share no code with
//! the gate.

use proptest::{prelude::*, sample::select};
use tributary_csv_gate::{Blocks, Escapes, Header, Quote, Quotes, Ragged, Settings};

use crate::open;

/// A way to write a table, and the settings that read it; none if the gate must find them.
#[derive(Clone, Copy, Debug)]
enum Style {
    /// Doubled quotes, by the csv crate.
    Doubled(u8),
    /// `\"` inside quotes, as detected and as set.
    Escaped(bool),
    /// A backslash before delimiters, line ends and backslashes, without quoting.
    Dump,
    /// `'` around every field.
    Single,
    /// `"x", "y"`.
    Spaced,
    /// Tabs, and a quote is a letter.
    Letters,
    /// A delimiter at the end of every row.
    Trailing,
    /// `sep=;` above the header.
    SepLine,
    /// No header.
    Headerless,
    /// Comments between the rows, and lines above and below.
    Framed,
    /// Missing fields at the end of rows.
    Short,
    /// Extra empty fields at the end of rows.
    Long,
    /// The header again in the middle.
    Joined,
    /// Quotes inside quotes that are not doubled.
    Inner,
    /// PHP's half-escape.
    Half,
    /// Tabs with the escapes of database shells.
    Shell,
    /// Columns aligned with blanks.
    Aligned,
    /// Line feeds in bare cells, between lines that end with CR LF.
    LineFeeds,
}

const STYLES: [Style; 24] = [
    Style::Doubled(b','),
    Style::Doubled(b';'),
    Style::Doubled(b'\t'),
    Style::Doubled(b'|'),
    Style::Doubled(b'^'),
    Style::Doubled(b'~'),
    Style::Escaped(true),
    Style::Escaped(false),
    Style::Dump,
    Style::Single,
    Style::Spaced,
    Style::Letters,
    Style::Trailing,
    Style::SepLine,
    Style::Headerless,
    Style::Framed,
    Style::Short,
    Style::Long,
    Style::Joined,
    Style::Inner,
    Style::Half,
    Style::Shell,
    Style::Aligned,
    Style::LineFeeds,
];

/// Cells of three columns. The header is always the same, so that no row holds its names.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let pieces = vec!["a", "b c", "é", "1", ",", ";", "'", "\"", "\n", " ", "-", "\\", "x.y", "=", "\t"];
    // A cell whose lines all look like rows is taken for rows, see `stray_quotes_swallow_no_rows`.
    let looks_like_rows = |cell: &String| cell.matches('\n').count() > 1 && cell.contains([',', ';', '\t']);
    let cell = prop::collection::vec(select(pieces), 0..5).prop_map(|pieces| pieces.concat());
    let cell = cell.prop_map(move |cell| if looks_like_rows(&cell) { cell.replace('\n', "") } else { cell });
    // A text alone in the first cell, below an empty row, is a note, and dashes are a line below the table.
    let alone = |row: Vec<String>| match &row[..] {
        [text, rest @ ..] if rest.iter().all(|cell| cell.trim().is_empty()) => {
            let text = text.replace(' ', "");
            let is_line = text.bytes().all(|byte| b"-=".contains(&byte));
            [&[if is_line { text.replace(['-', '='], "") } else { text }], rest].concat()
        }
        _ => row,
    };
    // Empty rows at the end of a file are none. Some styles cannot write these signs.
    let is_empty = |cell: &String| cell.chars().all(|c| ",;'\"\n\t ".contains(c));
    let with_end = move |mut rows: Vec<Vec<String>>| {
        if let Some(last) = rows.last_mut().filter(|row| row.iter().all(is_empty)) {
            last[2] = "end".to_owned();
        }
        rows
    };
    prop::collection::vec(prop::collection::vec(cell, 3).prop_map(alone), 2..12).prop_map(with_end)
}

const NAMES: [&str; 3] = ["sku", "name", "text"];

fn all(table: &[Vec<String>]) -> Vec<Vec<String>> {
    let names = NAMES.map(str::to_owned).to_vec();
    std::iter::once(names).chain(table.iter().cloned()).collect()
}

/// Writes a table by the csv crate.
fn doubled(table: &[Vec<String>], delimiter: u8) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    table.iter().for_each(|row| writer.write_record(row).expect("memory does not fail"));
    String::from_utf8(writer.into_inner().expect("memory does not fail")).expect("cells are text")
}

/// Joins cells that `cell` writes.
fn joined(table: &[Vec<String>], delimiter: &str, cell: impl Fn(&str) -> String) -> String {
    let row = |row: &Vec<String>| row.iter().map(|text| cell(text)).collect::<Vec<_>>().join(delimiter) + "\n";
    table.iter().map(row).collect()
}

fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// Writes a table. Some styles cannot write every cell: `table` is changed to what they can.
fn write(style: Style, table: &mut [Vec<String>]) -> (String, Settings) {
    let mut set = Settings { encoding: Some("UTF-8".into()), ..Settings::default() };
    let text = match style {
        Style::Doubled(delimiter) => {
            // Without quoting, some tables of few rows would fit as well.
            set.quote = (delimiter == b'\t').then_some(Quote::Char(b'"'));
            doubled(&all(table), delimiter)
        }
        Style::Escaped(is_set) => {
            set.escape = is_set.then_some(b'\\');
            table[0][1] = "say \"hi\" now".into();
            joined(&all(table), ",", |cell| format!("\"{}\"", cell.replace('\\', "\\\\").replace('"', "\\\"")))
        }
        Style::Dump => {
            (set.delimiter, set.quote, set.escape) = (Some("\t".into()), Some(Quote::None), Some(b'\\'));
            let escaped = |cell: &str| cell.replace('\\', "\\\\").replace('\t', "\\\t").replace('\n', "\\n");
            joined(&all(table), "\t", escaped)
        }
        Style::Single => {
            without(table, &["\""]);
            joined(&all(table), ",", |cell| format!("'{}'", cell.replace('\'', "''")))
        }
        Style::Spaced => joined(&all(table), ", ", quoted),
        Style::Letters => {
            set.quote = Some(Quote::None);
            without(table, &["\t", "\n"]);
            joined(&all(table), "\t", str::to_owned)
        }
        Style::Trailing => {
            let rows: String = table
                .iter()
                .map(|row| joined(std::slice::from_ref(row), ",", quoted).replace_last("\n", ",\n"))
                .collect();
            format!("{}{rows}", doubled(&all(&[]), b','))
        }
        Style::SepLine => format!("sep=;\n{}", doubled(&all(table), b';')),
        _ => return write_with_settings(style, table, set),
    };
    (text, set)
}

fn write_with_settings(style: Style, table: &mut [Vec<String>], mut set: Settings) -> (String, Settings) {
    let text = match style {
        Style::Headerless => {
            set.header = Header::Names(NAMES.map(str::to_owned).to_vec());
            doubled(table, b',')
        }
        Style::Framed => {
            (set.skip_rows, set.skip_footer, set.comment) = (2, 3, Some("#".into()));
            format!("Title\n\n#\"\n{}# end\nTotal,\n\n5", doubled(&all(table), b','))
        }
        Style::Short => {
            set.ragged = Ragged::Pad;
            let row = |row: &Vec<String>| {
                let kept = row.iter().rposition(|cell| !cell.is_empty()).unwrap_or(0) + 1;
                joined(&[row[..kept].to_vec()], ",", quoted)
            };
            doubled(&all(&[]), b',') + &table.iter().map(row).collect::<String>()
        }
        Style::Long => {
            set.ragged = Ragged::Trim;
            let row = |(at, row): (usize, &Vec<String>)| {
                let extra = if at % 3 == 0 { "\n" } else { ",\"\",\n" };
                joined(std::slice::from_ref(row), ",", quoted).replace_last("\n", extra)
            };
            doubled(&all(&[]), b',') + &table.iter().enumerate().map(row).collect::<String>()
        }
        Style::Joined => {
            let half = table.len() / 2;
            format!("{}\u{feff}{}", doubled(&all(&table[..half]), b','), doubled(&all(&table[half..]), b','))
        }
        Style::Inner => {
            set.quotes = Quotes::Lenient;
            without(table, &[";", "\n", "\"\"\"\"", "\"\"\"", "\"\""]);
            table.iter_mut().flatten().for_each(|cell| *cell = format!("x{cell}x"));
            joined(&all(table), ";", |cell| format!("\"{cell}\""))
        }
        Style::Shell | Style::Aligned | Style::LineFeeds => write_bare(style, table),
        // As fputcsv writes it. It cannot write a backslash at the end of a cell so that it is read again.
        _ => {
            (set.escape, set.escapes) = (Some(b'\\'), Escapes::Kept);
            table.iter_mut().flatten().for_each(|cell| cell.push('.'));
            let half = |cell: &str| quoted(cell).replace("\\\"\"", "\\\"");
            joined(&all(table), ",", half)
        }
    };
    (text, set)
}

/// Writes a table without quotes, as it must be detected.
fn write_bare(style: Style, table: &mut [Vec<String>]) -> String {
    match style {
        Style::Shell => {
            table[0][1] = String::new();
            table.iter_mut().flatten().filter(|cell| cell.starts_with('"')).for_each(|cell| cell.insert(0, 'x'));
            let escaped = |cell: &str| match cell {
                "" => "\\N".to_owned(),
                _ => cell.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n"),
            };
            joined(&all(table), "\t", escaped)
        }
        Style::Aligned => {
            without(table, &["\"", "'"]);
            let cells = table.iter_mut().flatten();
            cells.for_each(|cell| *cell = format!("x {cell}").split_whitespace().collect::<Vec<_>>().join(" "));
            joined(&all(table), "  ", |cell| format!("{cell:9}")).replace("sku", "  sku")
        }
        _ => {
            without(table, &["\"", ",", "'"]);
            // An empty line might be the start or the end of such a cell.
            table.iter_mut().flatten().filter(|cell| cell.contains('\n')).for_each(|cell| *cell = format!("x{cell}x"));
            all(table).iter().map(|row| row.join(",") + "\r\n").collect()
        }
    }
}

trait ReplaceLast {
    fn replace_last(&self, from: &str, to: &str) -> String;
}

impl ReplaceLast for String {
    fn replace_last(&self, from: &str, to: &str) -> String {
        self.strip_suffix(from).map_or_else(|| self.clone(), |start| format!("{start}{to}"))
    }
}

fn without(table: &mut [Vec<String>], pieces: &[&str]) {
    for cell in table.iter_mut().flatten() {
        *cell = pieces.iter().fold(cell.clone(), |cell, piece| cell.replace(piece, ""));
    }
}

/// The rows of a file, read row by row, and the rejects as text.
fn rows(text: &str, settings: &Settings) -> (Vec<Vec<String>>, String) {
    let mut table = open("a.csv", text.as_bytes(), settings).expect("the writers write a header");
    let mut rows = Vec::new();
    while let Some(row) = table.next_row().expect("memory does not fail") {
        rows.push(row.fields().map(|cell| cell.into_owned()).collect());
    }
    (rows, format!("{:?}", table.rejects().kept))
}

/// The rows of a file, read in blocks.
fn block_rows(text: &str, settings: &Settings) -> Vec<Vec<String>> {
    let table = open("a.csv", text.as_bytes(), settings).expect("the writers write a header");
    let (columns, mut blocks) = (table.columns().len(), Blocks::new(table, 40));
    let (mut found, mut scratch) = (Vec::new(), String::new());
    while let Some(block) = blocks.next_block().expect("memory does not fail") {
        let mut rows = block.rows(0);
        while rows.advance() {
            let mut cell = |i| String::from_utf8_lossy(rows.bytes(i, &mut scratch)).into_owned();
            found.push((0..columns).map(&mut cell).collect());
        }
    }
    found
}

/// Cells of one column, which may be empty.
fn cells() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = select(vec!["", "", "a", "b c", "é", "1", "-", "Total", "# x", "(3 rows)", "---", "kg"]);
    prop::collection::vec(cell.prop_map(|cell| vec![cell.to_owned()]), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_of_every_dialect_are_read_back(table in tables(), style in select(STYLES.to_vec())) {
        let mut table = table;
        let (text, settings) = write(style, &mut table);
        let (found, rejects) = rows(&text, &settings);
        prop_assert_eq!(&found, &table, "{:?} {:?} {}", style, text, rejects);
        prop_assert_eq!(block_rows(&text, &settings), table, "{:?} {:?} in blocks", style, text);
    }

    #[test]
    fn every_line_of_one_column_is_a_row(table in cells(), crlf in any::<bool>()) {
        let text = "text\n".to_owned() + &joined(&table, "", str::to_owned);
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let (found, rejects) = rows(&text, &Settings::default());
        prop_assert_eq!(&found, &table, "{:?} {}", text, rejects);
        prop_assert_eq!(block_rows(&text, &Settings::default()), table, "{:?} in blocks", text);
    }
}
