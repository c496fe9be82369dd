//! Uploaded files that reports claim: complete with the reports' totals, failed where a report cannot use them.

use serde_json::{Value, json};

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
