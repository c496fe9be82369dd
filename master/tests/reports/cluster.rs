//! Reports of a cluster that is not there. What a real cluster computes is compared in `e2e`.

use serde_json::{Value, json};
use tributary_testkit::wait;

use super::wait_for;
use crate::system::System;

const SALES: &str = "dept,n\nbooks,3\ntoys,10\nbooks,4\n";

/// A master with a report that a cluster should compute, over a folder with one file.
fn with_cluster(engine: &str) -> System {
    let mut system = System::new();
    system.write("good", "sales.csv", SALES);
    let url = system.serve("good");
    // Nobody listens there.
    system.configure(&format!(
        "[engine]\nballista = \"http://127.0.0.1:9\"\n{engine}\n[[source]]\nname = \"good\"\nurl = \"{url}\"\n\
         [[report]]\nname = \"sales\"\nfiles = \"*.csv\"\ngroup_by = \"dept\"\nmetrics = {{ total = \"sum(n)\" }}\nengine = \"ballista\"\n"
    ));
    system.start_master(&[]);
    system
}

#[test]
fn a_cluster_that_is_away_fails_the_report_and_says_so() {
    let system = with_cluster("");
    let report = wait::until("the report fails", || {
        Some(system.json("/api/v1/reports")["items"][0].clone()).filter(|report| report["state"] == "failed")
    });
    let error = report["error"].as_str().unwrap();
    assert!(error.contains("the Ballista scheduler http://127.0.0.1:9 cannot be reached"), "{error}");
    assert!(error.contains("set fallback = true"), "{error}");
    assert_eq!(report["engines"], json!({"ballista": 0, "push_down": 0}));
}

#[test]
fn the_push_down_takes_over_and_every_file_says_why() {
    let system = with_cluster("fallback = true");
    wait_for(&system, "sales", &json!([{"dept": "books", "total": 7}, {"dept": "toys", "total": 10}]));
    let report = &system.json("/api/v1/reports")["items"][0];
    assert_eq!((&report["state"], &report["error"]), (&"current".into(), &Value::Null));
    assert_eq!(report["engines"], json!({"ballista": 0, "push_down": 1}));
    let file = &system.json("/api/v1/files?reader=sales")["items"][0];
    let notes = file["notes"].as_str().unwrap_or_default();
    assert!(notes.starts_with("not computed by the Ballista cluster: the Ballista scheduler"), "{file}");
}
