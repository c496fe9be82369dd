//! The state of a report, as the API shows it while sources fail and recover. A report that was never computed, or failed each time,
//! used to be shown as `current`.

use serde_json::Value;
use tributary_testkit::{faulty::Answer, process::stdout, wait};

use super::{
    configure,
    faults::{BOOKS, Bad, END, HEAD, REPORT, SALES, TOYS, lines},
    wait_for, with_reports,
};
use crate::system::System;

fn report(system: &System) -> Value {
    system.json("/api/v1/reports")["items"][0].clone()
}

/// Waits until the report is in this state, and returns its error.
#[track_caller]
fn wait_for_state(system: &System, state: &str) -> Value {
    let found = wait::until(&format!("it is {state}"), || Some(report(system)).filter(|found| found["state"] == state));
    found["error"].clone()
}

/// A master with the report, over a source called `bad`.
fn with_bad(bad: &Bad) -> System {
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"bad\"\nurl = \"{}\"\n{REPORT}", bad.0.url));
    system.start_master(&[]);
    system
}

#[test]
fn a_source_that_only_fails_makes_it_fail_until_it_answers() {
    let bad = Bad::new();
    bad.aggregates(Answer::Status("500 Internal Server Error"));
    let system = with_bad(&bad);
    let error = wait_for_state(&system, "failed");
    let error = error.as_str().unwrap();
    assert!(error.starts_with("source `bad`: bad_sales.csv: ") && error.contains("500"), "{error}");
    assert_eq!(report(&system)["computed_at"], Value::Null);
    bad.aggregates(lines(&[HEAD, BOOKS, TOYS, END]));
    assert_eq!(wait_for_state(&system, "current"), Value::Null);
    // It fails after it was computed.
    bad.aggregates(lines(&[r#"{"failed":{"detail":"disk"}}"#]));
    bad.holds("1", &format!("{SALES}\n"));
    let error = wait_for_state(&system, "failed");
    assert!(error.as_str().unwrap().contains("disk"), "{error}");
    assert_eq!(report(&system)["rows"], 2);
    // The file is again what was computed.
    bad.holds("2", SALES);
    assert_eq!(wait_for_state(&system, "current"), Value::Null);
}

#[test]
fn it_is_computing_while_a_source_has_not_answered() {
    let bad = Bad::new();
    bad.aggregates(Answer::Hang);
    let mut system = System::new();
    system.write("good", "sales.csv", "dept,n\ntoys,10\n");
    let good = system.serve("good");
    let source = |name: &str, url: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\n");
    system.configure(&(source("bad", &bad.0.url) + &source("good", &good) + REPORT));
    system.start_master(&[]);
    let good = serde_json::json!([{"dept": "toys", "rows": 1, "total": 10}]);
    wait_for(&system, "sales", &good);
    assert_eq!((&report(&system)["state"], &report(&system)["error"]), (&"computing".into(), &Value::Null));
}

#[test]
fn a_source_that_was_never_up_is_the_reason() {
    let mut system = System::new();
    system.write("north", "sales.csv", "dept,n\ntoys,10\n");
    let north = system.serve("north");
    configure(&system, &["north"], REPORT);
    system.stop("north");
    system.start_master(&[]);
    let error = wait_for_state(&system, "failed");
    assert!(error.as_str().unwrap().starts_with("source `north` is down: "), "{error}");
    system.serve_at("north", &north);
    assert_eq!(wait_for_state(&system, "current"), Value::Null);
    assert_ne!(report(&system)["computed_at"], Value::Null);
    // What it gave stays complete while it is down.
    system.stop("north");
    wait::until("it is down", || (system.json("/api/v1/sources")["items"][0]["state"] == "down").then_some(()));
    assert_eq!(report(&system)["state"], "current");
}

#[test]
fn without_files_it_is_current_once_all_sources_are_listed() {
    let system = with_reports(&[("feed.csv", "sku,name\na,A\n")], REPORT);
    assert_eq!(wait_for_state(&system, "current"), Value::Null);
    assert_eq!((&report(&system)["rows"], &report(&system)["files"]), (&0.into(), &0.into()));
}

#[test]
fn once_names_the_report_that_failed_and_keeps_the_reason() {
    let bad = Bad::new();
    bad.aggregates(lines(&["garbage"]));
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"bad\"\nurl = \"{}\"\n{REPORT}", bad.0.url));
    let done = system.run("master", &["--once"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(stdout(&done).contains("report `sales`: bad_sales.csv: "), "{}", stdout(&done));
    // The reason outlives the process: this master cannot ask the source again.
    drop(bad);
    system.start_master(&[]);
    let error = wait_for_state(&system, "failed");
    assert!(error.as_str().unwrap().starts_with("source `bad`: bad_sales.csv: "), "{error}");
}
