//! Sheets of workbooks pass through the gate like any file.

use rust_xlsxwriter::{Workbook, Worksheet};
use tributary_csv_gate::{Columns, Error, Feed, Header, OpWords, Settings, Sheet, Table};

fn workbook(fill: impl Fn(&mut Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet());
    workbook.save_to_buffer().expect("a workbook in memory")
}

fn rows_of(rows: &[&[&str]]) -> Vec<u8> {
    workbook(|sheet| {
        for (at, row) in rows.iter().enumerate() {
            for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                sheet.write(at as u32, column as u16, *text).expect("a cell of the sheet");
            }
        }
    })
}

fn first_sheet() -> Settings {
    Settings { sheet: Some(Sheet::Number(1)), ..Settings::default() }
}

/// Columns, rows with their line, and rejects with their line: the same in one pass and in two.
type Read = (Vec<String>, Vec<(u64, Vec<Option<String>>)>, Vec<(u64, String)>);

fn read(workbook: &[u8], settings: &Settings) -> Result<Read, Error> {
    let size = workbook.len() as u64;
    let two = read_table(Table::open("a.xlsx", size, || Ok(workbook), settings));
    let one = read_table(Table::open_once("a.xlsx", size, workbook, settings));
    assert_eq!(two.as_ref().ok(), one.as_ref().ok());
    two
}

fn read_table(table: Result<Table<&[u8]>, Error>) -> Result<Read, Error> {
    let (mut table, mut rows) = (table?, Vec::new());
    while let Some(row) = table.next_row()? {
        let cells = (0..row.len()).map(|field| row.value(field).map(|text| text.into_owned())).collect();
        rows.push((row.line(), cells));
    }
    let rejects = table.rejects().kept.iter().map(|reject| (reject.line, reject.reason.to_string())).collect();
    Ok((table.columns().to_vec(), rows, rejects))
}

fn cells(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (!text.is_empty()).then(|| (*text).to_owned())).collect()
}

#[test]
fn rows_have_the_numbers_of_the_sheet() {
    let file = rows_of(&[
        &["sku", "name", "price"],
        &["00123", "one\ntwo\n\nthree", "1,5"],
        &[],
        &["2"],
        &["3", "a,b,c\nd,e,f\n", "", "too far"],
        &["4", "\"", " x "],
    ]);
    let (columns, rows, rejects) = read(&file, &first_sheet()).unwrap();
    assert_eq!(columns, ["sku", "name", "price"]);
    assert_eq!(
        rows,
        [
            (2, cells(&["00123", "one\ntwo\n\nthree", "1,5"])),
            (4, cells(&["2", "", ""])),
            (6, cells(&["4", "\"", " x "])),
        ]
    );
    assert_eq!(rejects.len(), 1);
    assert!(
        rejects[0].0 == 5 && rejects[0].1.contains("4 cells where the header has 3: give each column a name"),
        "{rejects:?}"
    );
}

#[test]
fn the_header_is_found_below_titles_or_set() {
    let file = rows_of(&[&["Price list 2024"], &[], &["sku", "name"], &["1", "a"], &["2", "b"], &["3", "c"]]);
    let (columns, rows, _) = read(&file, &first_sheet()).unwrap();
    assert_eq!((columns.as_slice(), rows[0].0, rows.len()), (&["sku".to_owned(), "name".to_owned()][..], 4, 3));
    let set = Settings { skip_rows: 3, header: Header::Names(vec!["a".into(), "b".into()]), ..first_sheet() };
    let (columns, rows, _) = read(&file, &set).unwrap();
    assert_eq!((columns.as_slice(), &rows[0]), (&["a".to_owned(), "b".to_owned()][..], &(4, cells(&["1", "a"]))));
    let null = Settings { null: vec!["NULL".into(), "-".into()], ..first_sheet() };
    let (_, rows, _) = read(&rows_of(&[&["sku", "a", "b"], &["1", "NULL", "-"], &["2", "x", "y"]]), &null).unwrap();
    assert_eq!(rows[0].1, cells(&["1", "", ""]));
}

#[test]
fn a_feed_of_a_sheet_gives_offers() {
    let file = workbook(|sheet| {
        for (row, (sku, name)) in [("sku", "name"), ("A1", "Tea")].into_iter().enumerate() {
            sheet.write(row as u32, 0, sku).unwrap();
            sheet.write(row as u32, 1, name).unwrap();
        }
        sheet.write(2, 0, 12.0).unwrap();
        sheet.write(2, 1, "Rum").unwrap();
    });
    let table = Table::open("a.xlsx", file.len() as u64, || Ok(&file[..]), &first_sheet()).unwrap();
    let mut feed = Feed::new(table, &Columns::default(), OpWords::new()).unwrap();
    let mut offers = Vec::new();
    while let Some(offer) = feed.next_offer().unwrap() {
        offers.push((offer.sku.to_string(), offer.texts.get(0).to_string(), offer.line));
    }
    assert_eq!(offers, [("A1".to_owned(), "Tea".to_owned(), 2), ("12".to_owned(), "Rum".to_owned(), 3)]);
}

#[test]
fn what_cannot_be_read_is_a_rejected_file() {
    let check = |file: &[u8], settings: &Settings, word: &str| match read(file, settings) {
        Err(Error::Rejected(reject)) => assert!(reject.reason.contains(word), "{}", reject.reason),
        other => panic!("{word}: {other:?}"),
    };
    let file = rows_of(&[&["sku"], &["1"]]);
    check(b"sku,name\n1,a\n", &first_sheet(), "not an Excel workbook");
    check(&file[..file.len() / 2], &first_sheet(), "damaged");
    check(&file, &Settings { sheet: Some(Sheet::Name("Prices".into())), ..first_sheet() }, "no sheet \"Prices\"");
    check(&rows_of(&[]), &first_sheet(), "no header");
    check(&file, &Settings::default(), "sheet = 1, which reads an Excel workbook");
}
