//! Files that a source cannot read: what was accepted of them stays, their faults are shown, and everything else goes on.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use tributary_testkit::{
    faulty::{Answer, FaultySource},
    http, process, wait,
};

use crate::{reports::wait_for, system::System};

const REPORT: &str = r#"
[[report]]
name = "sales"
files = "**/*sales.csv"
group_by = "dept"
metrics = { rows = "count()" }
"#;
const DENIED: &str = "Permission denied (os error 13)";

/// Makes `source` list these files, given as path and content, and those that it cannot read.
fn list(source: &FaultySource, version: &str, files: &[(&str, &str)], unreadable: &[&str]) {
    let entry = |(path, body): &(&str, &str)| {
        let hash = format!("blake3:{}", blake3::hash(body.as_bytes()).to_hex());
        source.answer(&format!("/read/{path}"), Answer::csv(body));
        json!({ "path": path, "size": body.len(), "modified": "2026-11-28T00:00:00Z", "hash": hash })
    };
    let unreadable: Vec<_> = unreadable.iter().map(|path| json!({ "path": path, "error": DENIED })).collect();
    let files: Vec<_> = files.iter().map(entry).collect();
    let manifest = json!({ "version": version, "files": files, "unreadable": unreadable });
    source.answer("/sense/files", Answer::json(&manifest.to_string()));
    source.answer("/sense", Answer::json(&json!({ "status": 1, "version": version }).to_string()));
}

fn skus(system: &System) -> Vec<String> {
    system.products().into_keys().collect()
}

#[test]
fn what_is_below_an_unreadable_folder_stays_and_is_not_down() {
    let source = FaultySource::start(&[]);
    let (feed, sales) = (("sub/b.csv", "sku,name\nb,B\n"), ("sub/sales.csv", "dept\ntoys\n"));
    list(&source, "1", &[("a.csv", "sku,name\na,A\n"), feed, sales], &[]);
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n{REPORT}", source.url));
    system.once_ok();
    assert_eq!(skus(&system), ["a", "b"]);

    list(&source, "2", &[("a.csv", "sku,name\nc,C\n")], &["sub/"]);
    for _ in 0..2 {
        let output = system.run("master", &["--once"]);
        let summary = process::stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{summary}");
        assert!(summary.contains(&format!("; north/sub/ cannot be read: {DENIED}\n")), "{summary}");
        assert!(process::stderr(&output).contains("sub/ cannot be read"), "{}", process::stderr(&output));
        assert_eq!(skus(&system), ["b", "c"], "the readable file is applied");
        let stored = &system.table("sources")[0];
        assert_eq!((&stored["state"], &stored["version"]), (&json!("up"), &json!("2")));
    }
    system.start_master(&[]);
    let toys = json!([{ "dept": "toys", "rows": 1 }]);
    wait_for(&system, "sales", &toys);
    wait::until("the error names the folder", || {
        let shown = system.json("/api/v1/sources")["items"][0].clone();
        (shown["error"] == format!("sub/ cannot be read: {DENIED}") && shown["state"] == "up").then_some(())
    });
    // A change elsewhere brings the report up to date, and it still counts what cannot be read.
    list(&source, "3", &[("more_sales.csv", "dept\nbooks\n")], &["sub/sales.csv"]);
    wait_for(&system, "sales", &json!([{ "dept": "books", "rows": 1 }, { "dept": "toys", "rows": 1 }]));
    wait::until("the others are gone", || skus(&system).is_empty().then_some(()));
    list(&source, "4", &[], &[]);
    wait_for(&system, "sales", &json!([]));
    assert_eq!(system.json("/api/v1/sources")["items"][0]["error"], Value::Null);
}

#[test]
fn a_file_that_loses_its_permission_keeps_its_rows() {
    let mut system = System::new();
    system.write("north", "a.csv", "sku,name\na,A\n");
    system.write("north", "b.csv", "sku,name\nb,B\n");
    let url = system.serve_as_nobody("north");
    system.configure_sources(&[("north", "")]);
    system.once_ok();

    // Renamed into its place, so that it is there only as a file that may not be read.
    let folder = system.folder("north");
    let permit = |name: &str, mode| fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    system.write("north", ".hidden", "sku,name\nb,Other\n");
    permit(".hidden", 0o000);
    fs::rename(folder.join(".hidden"), folder.join("b.csv")).unwrap();
    let unreadable = || {
        let (_, manifest) = http::get(&format!("{url}/sense/files")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        manifest["unreadable"][0]["path"].as_str().map(str::to_owned)
    };
    wait::until("b.csv is unreadable", || (unreadable()? == "b.csv").then_some(()));
    let output = system.run("master", &["--once"]);
    let summary = process::stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{summary}");
    assert!(summary.contains(&format!("; north/b.csv cannot be read: {DENIED}")), "{summary}");
    assert_eq!(system.products()["b"].0, "B");
    assert_eq!(system.table("sources")[0]["state"], "up");
    permit("b.csv", 0o644);
    system.once_ok();
    assert_eq!(system.products()["b"].0, "Other");
}
