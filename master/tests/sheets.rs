//! Sheets of Excel workbooks: from a folder to products, reports and `/read`.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use tributary_testkit::{http, process::Daemon, wait};

use crate::system::System;

/// A workbook of two sheets: one of texts, and one of prices below a title.
pub(crate) fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let notes = workbook.add_worksheet().set_name("Notes").unwrap();
    notes.write_column(0, 0, ["sku", "n1"]).unwrap();
    notes.write_column(0, 1, ["name", "A note"]).unwrap();
    let sheet = workbook.add_worksheet().set_name("Prices").unwrap();
    sheet.write(0, 0, "Price list 2024").unwrap();
    sheet.write_row(2, 0, ["sku", "name", "description", "price", "since"]).unwrap();
    sheet.write_row(3, 0, ["00123", "Tea, \"green\"", "two\nlines"]).unwrap();
    sheet.write(3, 3, 12.5).unwrap();
    let date = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write_with_format(3, 4, ExcelDateTime::parse_from_str("2024-01-31").unwrap(), &date).unwrap();
    sheet.write_row(5, 0, ["12345678901234567890", "Rum"]).unwrap();
    sheet.write(5, 3, Formula::new("=D4*2").set_result("25")).unwrap();
    sheet.write_row(6, 0, ["", "no key"]).unwrap();
    sheet.write(7, 0, 42).unwrap();
    sheet.write(7, 1, "Answer").unwrap();
    sheet.write(7, 3, 0.75).unwrap();
    workbook.save_to_buffer().unwrap()
}

/// Serves the folder `north` with a format of this sheet for its workbooks.
fn serve(system: &System, sheet: &str) -> Daemon {
    let formats = system.folder("north").with_file_name("formats.toml");
    std::fs::write(&formats, format!("[[format]]\nfiles = \"*.xlsx\"\nsheet = {sheet}\n")).unwrap();
    let mut command = system.command("data-source", &["--listen", "127.0.0.1:0", "--settle", "50ms", "--dir"]);
    command.arg(system.folder("north")).arg("--formats").arg(&formats);
    Daemon::start(command)
}

fn names(system: &System) -> Vec<(String, String)> {
    system.products().into_iter().map(|(sku, (name, _))| (sku, name)).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(sku, name)| ((*sku).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn a_sheet_is_a_table_like_any_other() {
    let mut system = System::new();
    system.write("north", "prices.xlsx", workbook());
    system.write("north", "a.csv", "sku,name\nc1,Cup\n");
    let source = serve(&system, "\"Prices\"");
    let read = String::from_utf8(http::get(&format!("{}/read", source.url)).unwrap().1).unwrap();
    let expect = "sku,name,description,price,since\n\
                  c1,Cup,,,\n\
                  00123,\"Tea, \"\"green\"\"\",\"two\nlines\",12.5,2024-01-31\n\
                  12345678901234567890,Rum,,25,\n\
                  ,no key,,,\n\
                  42,Answer,,0.75,\n";
    assert_eq!(read, expect);
    let report = |format: &str| {
        format!(
            "[[source]]\nname = \"north\"\nurl = \"{}\"\n[[report]]\nname = \"r\"\nfiles = \"*.xlsx\"\nfeed = true\n\
             metrics = {{ rows = \"count()\", total = \"sum(price)\" }}\n{format}",
            source.url
        )
    };
    system.configure(&report(""));
    let out = system.once();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let expect = [("00123", "Tea, \"green\""), ("12345678901234567890", "Rum"), ("42", "Answer"), ("c1", "Cup")];
    assert_eq!(names(&system), pairs(&expect));
    system.start_master(&[]);
    let row = &system.json("/api/v1/reports/r")["items"][0];
    assert_eq!((row["rows"].as_i64(), row["total"].to_string().trim_matches('"')), (Some(4), "38.25"), "{row}");
    let rejects = system.json("/api/v1/rejects?source=north");
    assert_eq!(rejects["items"][0]["line"], 7, "the row of the sheet: {rejects}");
}

#[test]
fn another_sheet_reads_the_workbook_again_and_a_wrong_one_keeps_its_rows() {
    let system = System::new();
    system.write("north", "prices.xlsx", workbook());
    let source = serve(&system, "\"Prices\"");
    let configure = |sheet: &str| {
        let format = format!("[[source.format]]\nfiles = \"*.xlsx\"\nsheet = {sheet}\n");
        system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n{format}", source.url));
    };
    configure("1");
    system.once_ok();
    assert_eq!(names(&system), pairs(&[("n1", "A note")]));
    configure("\"Stock\"");
    let out = system.once();
    let log = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{log}");
    assert!(log.contains("no sheet \"Stock\"; it has \"Notes\", \"Prices\""), "{log}");
    assert_eq!(names(&system), pairs(&[("n1", "A note")]));
}

#[test]
fn a_workbook_called_csv_is_rejected_with_the_setting() {
    let mut system = System::new();
    system.write("north", "a.csv", workbook());
    let url = system.serve("north");
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n"));
    let log = String::from_utf8(system.once().stderr).unwrap();
    assert!(log.contains("sheet = 1, which reads an Excel workbook"), "{log}");
}

#[test]
fn a_workbook_can_be_uploaded_where_a_format_reads_it() {
    let mut system = System::new();
    system.configure("[[uploads.format]]\nfiles = \"prices*\"\nsheet = 2\n");
    system.start_master(&[]);
    let upload = |name: &str| {
        let url = system.master_url(&format!("/api/v1/uploads?filename={name}"));
        http::request("POST", &url, &[], &workbook()).unwrap()
    };
    let refused = upload("other.xlsx");
    assert!(refused.status == 422 && refused.text().contains("sheet = 1"), "{}", refused.text());
    let accepted = upload("prices.xlsx");
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    wait::until("the products", || (system.products().len() == 3).then_some(()));
}
