//! Uploaded files that reports claim: complete with the reports' totals, failed where a report cannot use them.

use serde_json::{Value, json};
use tributary_testkit::http;

use super::{ended, id_of, send, upload};
use crate::{
    reports::{SALES, wait_for},
    system::System,
};

const REPORT: &str = "/api/v1/reports/sales_by_department";

fn master() -> System {
    let mut system = System::new();
    system.configure(SALES);
    system.start_master(&[]);
    system
}

/// A file that no reader claims: the lines that the page shows, pasted into the configuration, let it be read.
#[test]
fn the_lines_that_are_suggested_let_a_file_be_read() {
    let mut system = System::new();
    system.start_master(&[]);
    let (name, content) = ("stock 2026-11.csv", "Artikelnummer;Bezeichnung;Preis\n1;Stift;2\n2;Heft;3\n");
    let path = "stock%202026-11.csv";
    let failed = upload(&system, path, "", content);
    assert_eq!((&failed["state"], &failed["filename"]), (&json!("failed"), &json!(name)), "{failed}");
    let lines: Vec<_> =
        failed["suggestions"].as_array().unwrap().iter().map(|one| one["lines"].as_str().unwrap().to_owned()).collect();
    assert_eq!(lines.len(), 2, "{failed}");
    let page = system.ask("GET", "/upload", "").text();
    assert!(page.contains("sku = &#34;Artikelnummer&#34;, name = &#34;Bezeichnung&#34;"), "{page}");
    // It is forgotten by the button of a page without scripts.
    let id = failed["id"].as_str().unwrap();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let removed =
        http::request("POST", &system.master_url("/upload/remove"), &form, format!("id={id}").as_bytes()).unwrap();
    assert_eq!((removed.status, removed.header("location")), (303, Some("/upload#uploads-heading")));
    assert_eq!(system.json("/api/v1/uploads")["items"], json!([]));

    for (at, lines) in lines.iter().enumerate() {
        let mut system = System::new();
        system.configure(lines);
        system.start_master(&[]);
        let job = upload(&system, path, "", content);
        assert_eq!((&job["state"], &job["suggestions"]), (&json!("complete"), &json!([])), "{lines}{job}");
        match at {
            0 => assert_eq!(system.products()["1"].0, "Stift"),
            _ => {
                let report = system.json("/api/v1/reports/stock");
                assert_eq!(report["items"][0], json!({"Artikelnummer": "1", "rows": 1}));
                let files = system.json("/api/v1/files?reader=stock&source=uploads");
                assert_eq!((&files["items"][0]["path"], &files["items"][0]["reader"]), (&json!(name), &json!("stock")));
                assert_eq!(files["items"][0]["format"], "UTF-8, separated by semicolons");
                let source = &system.json("/api/v1/sources")["items"][0];
                assert_eq!(
                    (&source["files"], &source["report_files"], &source["report_rows"]),
                    (&json!(0), &json!(1), &json!(2))
                );
                let page = system.ask("GET", "/sources/uploads", "").text();
                assert!(page.contains(name) && page.contains("report stock"), "{page}");
            }
        }
    }
}

fn rows(system: &System) -> Value {
    system.json(REPORT)["items"].clone()
}

#[test]
fn an_upload_is_complete_when_its_report_is() {
    let system = master();
    let sales = "Department Name,Number of Sales\nToys,5\nToys,x\nBooks,1\n";
    let job = upload(&system, "sales.csv", "", sales);
    assert_eq!((&job["state"], &job["rows"], &job["rejects"]), (&json!("complete"), &json!(3), &json!(1)), "{job}");
    let expect = json!([
        {"Department Name": "Books", "rows": 1, "total_sales": 1, "least": 1},
        {"Department Name": "Toys", "rows": 1, "total_sales": 5, "least": 5},
    ]);
    assert_eq!(rows(&system), expect, "what is complete is committed");
    let links: Vec<_> = job["results"].as_array().unwrap().iter().map(|link| link["href"].as_str().unwrap()).collect();
    assert_eq!(links.len(), 3, "{links:?}");
    for link in links {
        assert_eq!(system.ask("GET", link, "").status, 200, "{link}");
    }
    assert_eq!(system.json("/api/v1/products")["items"], json!([]), "it is no product feed");

    // The same content under another name counts as well, and what is deleted does not.
    let other = upload(&system, "other_sales.csv", "", sales);
    assert_eq!(rows(&system)[0]["rows"], 2);
    let gone = system.ask("DELETE", &format!("/api/v1/uploads/{}", other["id"].as_str().unwrap()), "");
    assert_eq!(gone.status, 204);
    wait_for(&system, "sales_by_department", &expect);
}

#[test]
fn what_a_report_cannot_use_has_failed_and_leaves_what_was_there() {
    let system = master();
    upload(&system, "sales.csv", "", "Department Name,Number of Sales\nToys,5\n");
    let before = rows(&system);
    let failed = upload(&system, "sales.csv", "&replace=1", "Department,Sales\nToys,6\n");
    assert_eq!(failed["state"], "failed", "{failed}");
    let why = failed["error"].as_str().unwrap();
    assert!(why.contains("sales_by_department") && why.contains("no column"), "{why}");
    assert_eq!(rows(&system), before);
    let mended = id_of(&send(&system, "sales.csv", "&replace=1", "Department Name,Number of Sales\nToys,6\n"));
    assert_eq!(ended(&system, &mended)["state"], "complete");
    assert_eq!(rows(&system)[0]["total_sales"], 6);
}
