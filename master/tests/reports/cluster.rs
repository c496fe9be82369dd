//! Reports of a cluster that is not there. What a real cluster computes is compared in `e2e`.

use serde_json::{Value, json};
use tributary_testkit::{
    bucket::{BUCKET, Bucket},
    wait,
};

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

/// The only note of a file, whatever the reports before it: whether it was known that it is plain.
fn note(system: &System, report: &str) -> Option<String> {
    let file = system.json(&format!("/api/v1/files?reader={report}"))["items"][0].clone();
    file["notes"].as_str().map(str::to_owned)
}

const NEW: &str = "this master has read this content for the first time";
const AWAY: &str = "the Ballista scheduler http://127.0.0.1:9 cannot be reached";

/// Only what is known to be plain is asked of the cluster, which is away here.
#[test]
fn an_object_is_known_after_its_first_reading_and_until_it_is_gone() {
    let (mut system, bucket) = (System::new(), Bucket::start());
    system.set_variables(bucket.variables());
    bucket.put("in/sales.csv", SALES);
    let configure = |system: &System, names: &[&str]| {
        let report = |name: &&str| {
            format!(
                "[[report]]\nname = \"{name}\"\nfiles = \"*.csv\"\nmetrics = {{ {name} = \"sum(n)\" }}\nengine = \"ballista\"\n"
            )
        };
        let reports: String = names.iter().map(report).collect();
        system.configure(&format!(
            "[engine]\nballista = \"http://127.0.0.1:9\"\nfallback = true\n[[source]]\nname = \"cloud\"\n\
             url = \"s3://{BUCKET}/in\"\npoll_interval = \"50ms\"\nmax_removal = false\n{reports}"
        ));
    };
    let has_note = |system: &System, report: &str, words: &str| {
        wait::until(&format!("{report} says {words}"), || {
            note(system, report).is_some_and(|note| note.contains(words)).then_some(())
        });
    };
    configure(&system, &["a", "b"]);
    system.start_master(&[]);
    has_note(&system, "a", NEW);
    has_note(&system, "b", AWAY);
    system.kill_master();
    configure(&system, &["c"]);
    system.start_master(&[]);
    has_note(&system, "c", AWAY);
    bucket.remove("in/sales.csv");
    wait::until("the file is gone", || note(&system, "c").is_none().then_some(()));
    bucket.put("in/sales.csv", SALES);
    has_note(&system, "c", NEW);
    bucket.put("in/sales.csv", format!("{SALES}\n"));
    has_note(&system, "c", "line 5 is empty");
}
