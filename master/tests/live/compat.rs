//! The paths of older systems. Their real clients are in `e2e/tests/socketio.rs`.

use serde_json::{Value, json};
use tributary_testkit::http::{self, Response};

use crate::system::System;

const REPORT: &str =
    "[[report]]\nname = \"people\"\nfiles = \"compat/**\"\ngroup_by = \"city\"\nmetrics = { n = \"count()\" }\n";

fn configured(toml: &str) -> System {
    let mut system = System::new();
    system.configure(toml);
    system.start_master(&[]);
    system
}

fn post(system: &System, kind: &str, body: &str) -> Response {
    let url = system.master_url("/update");
    http::request("POST", &url, &[("Content-Type", kind)], body.as_bytes()).unwrap()
}

#[track_caller]
fn update(system: &System, rows: &Value) {
    let answer = post(system, "application/json; charset=utf-8", &rows.to_string());
    assert_eq!((answer.status, answer.text().as_str()), (200, "{\"status\":\"success\"}"));
}

#[track_caller]
fn refused(system: &System, rows: &str, status: u16, part: &str) {
    let answer = post(system, "application/json", rows);
    assert!(answer.status == status && answer.text().contains(part), "{rows}: {} {}", answer.status, answer.text());
}

#[test]
fn without_the_section_nothing_of_it_is_there() {
    let system = configured("");
    for path in ["/health", "/data"] {
        assert_eq!(system.ask("GET", path, "").status, 404, "{path}");
    }
    assert_eq!(post(&system, "application/json", "[]").status, 415);
}

#[test]
fn a_list_replaces_its_document_and_nothing_else() {
    let system = configured("[compat]\n");
    assert_eq!(system.json("/health"), json!({"status": "healthy"}));
    assert_eq!(system.json("/data"), json!([]));
    system.ask("PUT", "/api/v1/documents/other.csv?wait=applied", "sku,name\nz,Zip\n");
    update(&system, &json!([{"name": "A", "sku": "a"}, {"sku": "b", "name": "B", "description": 1.50}]));
    let row = |sku: &str, name: &str, text: &str| json!({"sku": sku, "name": name, "description": text});
    assert_eq!(system.json("/data"), json!([row("a", "A", ""), row("b", "B", "1.5"), row("z", "Zip", "")]));
    update(&system, &json!([{"sku": "a", "name": "A2"}]));
    assert_eq!(system.json("/data"), json!([row("a", "A2", ""), row("z", "Zip", "")]));
    assert_eq!(system.json("/api/v1/documents/compat/update.csv")["state"], "complete");

    refused(&system, "[{", 400, "no JSON");
    refused(&system, "{}", 422, "list of objects");
    refused(&system, r#"[{"sku":"a"},{"sku":["b"]}]"#, 422, "row 2: `sku` is a list");
    refused(&system, r#"[{"id":"a"}]"#, 422, "the rows cannot be used: ");
    assert_eq!(system.json("/data").as_array().unwrap().len(), 2, "nothing of them counts");

    update(&system, &json!([]));
    assert_eq!(system.json("/data"), json!([row("z", "Zip", "")]));
    update(&system, &json!([]));
}

#[test]
fn the_form_and_the_other_methods_are_as_before() {
    let system = configured("[compat]\n");
    update(&system, &json!([{"sku": "a", "name": "A"}]));
    let form = post(&system, "application/x-www-form-urlencoded", "sku=a&name=Ann");
    assert_eq!((form.status, form.header("location")), (303, Some("/?sku=a")));
    assert_eq!(system.json("/data")[0]["name"], "Ann");
    assert_eq!(post(&system, "text/plain", "sku=a").status, 415);
    assert_eq!(system.ask("HEAD", "/data", "").status, 200);
    let wrong = system.ask("GET", "/update", "");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert_eq!(system.ask("GET", "/data?limit=1", "").status, 400);
    let url = system.master_url("/update");
    let foreign = [("Content-Type", "application/json"), ("Origin", "http://evil.example")];
    assert_eq!(http::request("POST", &url, &foreign, b"[]").unwrap().status, 403);
}

#[test]
fn the_rows_may_be_those_of_a_report() {
    let system = configured(&format!("[compat]\ndata = \"people\"\nlimit = 2\n\n{REPORT}"));
    assert_eq!(system.json("/data"), json!([]));
    update(&system, &json!([{"city": "Bath"}, {"city": "York"}, {"city": "Bath"}, {"city": "Wells"}]));
    assert_eq!(system.json("/data"), json!([{"city": "Bath", "n": 2}, {"city": "Wells", "n": 1}]));
}

#[test]
fn a_report_that_does_not_exist_is_an_error_at_the_start() {
    let system = System::new();
    system.configure("[compat]\ndata = \"people\"\n");
    for arguments in [&["--check"][..], &[]] {
        let output = system.run("master", arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("tributary.toml, line 2: ") && text.contains("there is no report `people`"), "{text}");
    }
    system.configure(&format!("[compat]\ndata = \"people\"\n\n{REPORT}"));
    let output = system.run("master", &["--check"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("compat         GET /data gives the report people, at most 10000 rows\n"), "{text}");
}
