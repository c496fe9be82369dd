//! Random tables with lines around them are read back row for row, or rejected with the setting that reads them. Tables
//! whose rows look like such lines lose none in silence.

use proptest::{prelude::*, sample::select};
use tributary_csv_gate::{Columns, Error, Feed, OpWords, Reject, Settings};

use crate::open;

const NAMES: [&str; 3] = ["sku", "name", "n"];

/// Lines around a table.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Title,
    /// The title of a spreadsheet, which fills the line with delimiters.
    WideTitle,
    Comments,
    Groups,
    Dashes,
    Units,
    Total,
    Count,
    Note,
    Second,
}

const FRAMES: [Frame; 10] = [
    Frame::Title,
    Frame::WideTitle,
    Frame::Comments,
    Frame::Groups,
    Frame::Dashes,
    Frame::Units,
    Frame::Total,
    Frame::Count,
    Frame::Note,
    Frame::Second,
];

/// Rows with a sku, a name and a number.
fn tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let pieces = select(vec!["a", "b c", "é", "1", ",", ";", "\"", "\n", " ", "-", "Total", "#", "x.y"]);
    let name = prop::collection::vec(pieces, 0..4).prop_map(|pieces| format!("x{}", pieces.concat()));
    let row = (0..99u32, name, 0..2000u32).prop_map(|(sku, name, n)| vec![format!("p{sku}"), name, n.to_string()]);
    prop::collection::vec(row, 2..9)
}

fn written(rows: &[Vec<String>], delimiter: u8) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row).expect("memory does not fail"));
    String::from_utf8(writer.into_inner().expect("memory does not fail")).expect("cells are text")
}

/// Returns the file, and whether a line of it must be a reject.
fn framed(frame: Frame, table: &[Vec<String>], title: &str, delimiter: u8) -> (String, bool) {
    let d = char::from(delimiter);
    let line = |cells: [&str; 3]| cells.join(&d.to_string()) + "\n";
    let (header, rows) = (line(NAMES), written(table, delimiter));
    let text = match frame {
        Frame::Title => format!("{title}\n\n{header}{rows}"),
        Frame::WideTitle => format!("{}{}{header}{rows}", line([title, "", ""]), line(["", "", ""])),
        Frame::Comments => format!("# {title}\n# made by x\n{header}{rows}"),
        Frame::Groups => format!("{}{header}{rows}", line(["", "Text", ""])),
        Frame::Dashes => format!("{header}{}{rows}", line(["---", "----", "-"])),
        Frame::Units => return (format!("{header}{}{rows}", line(["", "", "kg"])), true),
        Frame::Total => format!("{header}{rows}{}", line(["Total", "", "5"])),
        Frame::Count => format!("{header}{rows}\n({} rows)\n", table.len()),
        Frame::Note => format!("{header}{rows}\nSource of it\n"),
        Frame::Second => {
            return (format!("{header}{rows}\n{}{}", line(["sku", "place", "m"]), line(["q", "r", "5"])), true);
        }
    };
    (text, false)
}

/// A file that was read.
struct Found {
    /// The sku and the name of each row, as a feed has them.
    offers: Vec<Vec<String>>,
    rows: Vec<Vec<String>>,
    columns: Vec<String>,
    /// Why each reject is one.
    rejects: Vec<String>,
    /// The lines that were ignored.
    ignored: u64,
}

/// Reads a file, or returns the reason why a feed of it is rejected.
fn read(text: &str) -> Result<Found, String> {
    let open = || open("a.csv", text.as_bytes(), &Settings::default());
    let rejected = |error: Error| error.to_string();
    let mut feed = Feed::new(open().map_err(rejected)?, &Columns::default(), OpWords::new()).map_err(rejected)?;
    let mut offers = Vec::new();
    while let Some(offer) = feed.next_offer().map_err(rejected)? {
        offers.push(vec![offer.sku.to_owned(), offer.texts.get(0).to_owned()]);
    }
    let (why, ignored) = (|reject: &Reject| reject.reason.to_string(), feed.rejects().ignored.lines);
    let rejects = feed.rejects().kept.iter().map(why).collect();
    let mut table = open().map_err(rejected)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row().map_err(rejected)? {
        rows.push(row.fields().map(|cell| cell.into_owned()).collect());
    }
    Ok(Found { offers, rows, columns: table.columns().to_vec(), rejects, ignored })
}

/// Rows that look like the lines around a table.
fn odd_tables() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cells =
        vec!["", "", "Total", "5", "(3 rows)", "kg", "[kg]", "---", "# x", "Report of it", "1,5", "name", "p1", "x:"];
    let row = prop::collection::vec(select(cells).prop_map(str::to_owned), 3);
    prop::collection::vec(row, 0..9)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tables_within_other_lines_are_read_back(
        table in tables(), frame in select(FRAMES.to_vec()), delimiter in select(b",;\t|".to_vec()),
        title in select(vec!["Report of it", "Prices", "Made: 2024", "a, b; c", "x,y"])
    ) {
        let (text, has_reject) = framed(frame, &table, title, delimiter);
        match read(&text) {
            Ok(Found { offers, rows, columns, rejects, ignored }) => {
                let expect: Vec<_> = table.iter().map(|row| vec![row[0].clone(), row[1].trim().to_owned()]).collect();
                prop_assert!(offers == expect, "{frame:?} {text:?} gives {offers:?} and {rejects:?}");
                prop_assert!(columns != NAMES || rows == table, "{frame:?} {text:?} gives {rows:?} and {rejects:?}");
                prop_assert!(ignored > 0 || !rejects.is_empty());
                prop_assert!(!has_reject || rejects.len() == 1, "{rejects:?}");
            }
            Err(reason) => prop_assert!(reason.contains("skip_rows = "), "{frame:?} {text:?} is rejected: {reason}"),
        }
    }

    #[test]
    fn rows_like_other_lines_are_not_lost_in_silence(table in odd_tables(), delimiter in select(b",;\t|".to_vec())) {
        let names = NAMES.map(str::to_owned).to_vec();
        let text = written(&[&[names], &table[..]].concat(), delimiter);
        let mut found = open("a.csv", text.as_bytes(), &Settings::default()).expect("the first line is the header");
        let mut rows: Vec<Vec<String>> = Vec::new();
        while let Some(row) = found.next_row().expect("memory does not fail") {
            rows.push(row.fields().map(|cell| cell.into_owned()).collect());
        }
        let lines = found.rejects().total + found.rejects().ignored.lines;
        let mut rest = table.iter();
        prop_assert!(rows.iter().all(|row| rest.any(|written| written == row)), "{text:?} gives {rows:?}");
        let missing = (table.len() - rows.len()) as u64;
        prop_assert_eq!(missing, lines, "{:?} gives {:?}", text, rows);
    }
}
