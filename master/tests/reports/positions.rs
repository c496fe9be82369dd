//! Reports over columns by position: computed by sources, by the master in place of an older one, and over what is sent.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    http,
};

use super::{changes::computed, wait_for, with_reports};
use crate::system::System;

const REPORT: &str = r#"
[[report]]
name = "sales"
files = ["*.csv", "*.xlsx"]
columns = { department = 1, sales = 3 }
check = "sales >= 0"
group_by = "department"
metrics = { rows = "count()", total = "sum(sales)" }
"#;
const NO_HEADER: &str = "[[report.format]]\nfiles = \"*raw*\"\nheader = false\n";

fn row(department: &str, rows: u64, total: &Value) -> Value {
    json!({"department": department, "rows": rows, "total": total})
}

#[test]
fn sources_sum_columns_of_any_header_and_of_none() {
    let files = [
        ("a.csv", "Department Name,Date,Number of Sales\nToys,2026-05-01,5\n"),
        ("empty.csv", ",,\nToys,2026-05-01,0.1\nBooks,2026-05-01,2\n"),
        ("twice.csv", "x;x;x\nToys;2026-05-01;0.2\nBooks;3\nBooks;2026-05-02;-1\n"),
        ("raw.csv", "Books,2026-05-01,4\nToys,2026-05-01,7\n"),
        ("narrow.csv", "a,b\n1,2\n"),
    ];
    let system = with_reports(&files, &format!("{REPORT}{NO_HEADER}"));
    wait_for(&system, "sales", &json!([row("Books", 2, &json!(6)), row("Toys", 4, &json!(12.3))]));
    // The narrow one is rejected.
    assert_eq!(computed(system.url("north")), 4, "the source knows positions, and files without a header");
    let rejects = system.json("/api/v1/rejects?report=sales").to_string();
    for reason in
        ["2 fields where the header has 3", "not true: sales >= 0", "no column 3 for `sales`: the file has 2 columns"]
    {
        assert!(rejects.contains(reason), "{rejects} lacks {reason}");
    }
}

/// A source of before there were positions refuses the request. Its file must not be lost, nor be summed by another column.
#[test]
fn a_file_of_an_older_source_is_summed_by_the_master() {
    const RAW: &str = "Books,2026-05-01,4\nToys,2026-05-01,7.5\n";
    let entry = format!(
        r#"{{"path":"raw.csv","size":{},"modified":"2026-11-22T00:00:00Z","hash":"blake3:{}"}}"#,
        RAW.len(),
        blake3::hash(RAW.as_bytes()).to_hex()
    );
    let sense = r#"{"status":1,"version":"v1","name":"old","files":1,"bytes":40,"changed_at":"2026-11-22T00:00:00Z"}"#;
    let old = FaultySource::start(&[
        ("/sense", Answer::json(sense)),
        ("/sense/files", Answer::json(&format!(r#"{{"version":"v1","files":[{entry}]}}"#))),
        ("/aggregate", Answer::Status("400 Bad Request")),
        ("/read/raw.csv", Answer::csv(RAW)),
    ]);
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"old\"\nurl = \"{}\"\n{REPORT}{NO_HEADER}", old.url));
    system.start_master(&[]);
    wait_for(&system, "sales", &json!([row("Books", 1, &json!(4)), row("Toys", 1, &json!(7.5))]));
    assert!(old.requests().iter().any(|request| request.starts_with("POST /aggregate")));
}

#[test]
fn uploads_and_workbooks_have_positions() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (at, (department, sales)) in
        [("Toys", Some(5.0)), ("Books", None), ("Toys", Some(0.25))].into_iter().enumerate()
    {
        let at = u32::try_from(at).unwrap();
        sheet.write_row(at, 0, [department, "2026-05-01"]).unwrap();
        sales.map(|sales| sheet.write(at, 2, sales).unwrap());
    }
    let mut system = System::new();
    system.configure(&format!("[[uploads.format]]\nfiles = \"*.xlsx\"\nsheet = 1\nheader = false\n{REPORT}"));
    system.start_master(&[]);
    let upload = |name: &str, body: &[u8]| {
        let url = system.master_url(&format!("/api/v1/uploads?filename={name}"));
        let answer = http::request("POST", &url, &[], body).unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
    };
    upload("a.csv", b",,\nToys,x,1\n");
    wait_for(&system, "sales", &json!([row("Toys", 1, &json!(1))]));
    upload("book.xlsx", &workbook.save_to_buffer().unwrap());
    wait_for(&system, "sales", &json!([row("Toys", 3, &json!(6.25))]));
    let rejects = system.json("/api/v1/rejects?report=sales");
    assert_eq!(
        (rejects["items"][0]["line"].as_u64(), rejects["items"].as_array().unwrap().len()),
        (Some(2), 1),
        "{rejects}"
    );
}
