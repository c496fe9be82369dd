//! `keep = true`: the file of a stream is an upload, too.

use std::fs;

use serde_json::json;
use tributary_testkit::{http, wait};

use super::{Master, SALES, TOTALS, file, form};
use crate::system::System;

const REPORT: &str = "[[report]]\nname = \"sales\"\nfiles = \"sales/**\"\ngroup_by = \"Department Name\"\nmetrics = { n = \"count()\" }\n";

/// Asks the API.
fn api(master: &Master, path: &str) -> serde_json::Value {
    let (_, body) = http::get(&format!("{}{path}", master.daemon.url)).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_file_is_an_upload_with_the_name_of_its_totals() {
    let system = System::new();
    system.configure(&format!("[grpc]\nkeep = true\n{REPORT}"));
    let master = Master::start(&system, &[]);
    let id = master.upload(&form(&[file("any.csv", SALES)]));
    assert_eq!(master.ended(&id)["status"], "complete");
    let path = format!("sales/{id}.csv");
    let upload = wait::until("the upload is complete", || {
        let uploads = api(&master, "/api/v1/uploads");
        let upload = uploads["items"].as_array()?.iter().find(|upload| upload["filename"] == path)?.clone();
        (upload["state"] == "complete").then_some(upload)
    });
    assert_eq!(upload["bytes"], SALES.len());
    let report = api(&master, "/api/v1/reports/sales");
    let rows: Vec<_> =
        report["items"].as_array().unwrap().iter().map(|row| json!([row["Department Name"], row["n"]])).collect();
    assert_eq!(rows, [json!(["Toys", 3]), json!(["Vêtements", 1])]);
    let text = format!("h,i,j\n{}", "Toys,,1\n".repeat(100_000));
    let cut = &form(&[file("any.csv", &text)]);
    assert_eq!(master.send(&cut[..cut.len() / 2], &[]).status, 400);
    let failed = wait::until("the one that broke off has failed", || {
        let uploads = api(&master, "/api/v1/uploads");
        uploads["items"].as_array()?.iter().find(|upload| upload["state"] == "failed").cloned()
    });
    assert!(failed["filename"].as_str().unwrap().starts_with("sales/"), "{failed}");
}

#[test]
fn more_files_than_there_are_places_for_uploads_are_all_kept() {
    let system = System::new();
    system.configure(&format!("[grpc]\nkeep = true\n{REPORT}"));
    let master = Master::start(&system, &[]);
    let text = format!("Department Name,b,c\n{}", "Toys,,1\n".repeat(20_000));
    let form = form(&[file("any.csv", &text)]);
    std::thread::scope(|scope| (0..40).for_each(|_| drop(scope.spawn(|| master.ended(&master.upload(&form))))));
    let rows = wait::until("all are in the report", || {
        let rows = api(&master, "/api/v1/reports/sales")["items"][0]["n"].as_i64()?;
        (rows == 40 * 20_000).then_some(rows)
    });
    assert_eq!(rows, 800_000);
}

#[test]
fn what_cannot_be_kept_has_its_totals_all_the_same() {
    let system = System::new();
    system.configure("[grpc]\nkeep = true\n[uploads]\nmax_size = \"10B\"\n");
    let master = Master::start(&system, &[]);
    let id = master.upload(&form(&[file("any.csv", SALES)]));
    assert_eq!(master.ended(&id)["status"], "complete");
    assert_eq!(master.ask("GET", &format!("/download/{id}.csv"), &[]).text(), TOTALS);
    let log = fs::read_to_string(&master.log).unwrap();
    assert!(log.contains(&format!("is not kept as `sales/{id}.csv`")), "{log}");
}
