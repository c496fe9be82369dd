//! Results in S3 or a folder: the same text as the API gives, whole at any time, and the last state in the end.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use tributary_testkit::{
    http,
    s3::{Fault, S3Server},
    wait,
};

use crate::system::System;

const REPORTS: &str = r#"
[[report]]
name = "sales"
files = "sales*.csv"
group_by = ["Department"]
metrics = { rows = "count()", total = "sum(Sales)", mean = "mean(Sales)" }

[[report]]
name = "names"
files = "feed.csv"
feed = true
group_by = "name"
metrics = { products = "count()" }
"#;

const SALES: &str = "Department,Sales\nToys,1.50\nBooks,7\nToys,2.25\n\"=a,b\",3\n";

/// The files that a place with `export` gets.
const KEYS: [&str; 6] = [
    "products.csv",
    "aggr.csv",
    "reports/names.csv",
    "reports/names.parquet",
    "reports/sales.csv",
    "reports/sales.parquet",
];

/// A source with a feed and sales, and a configuration with this place.
fn system(place: &str) -> System {
    let mut system = System::new();
    system.write("north", "feed.csv", "sku,name,description\na,A,\"x, y\"\nb,=B,\n");
    system.write("north", "sales.csv", SALES);
    let url = system.serve("north");
    system.configure(&format!("[[source]]\nname = \"north\"\nurl = \"{url}\"\n[results]\n{place}\n{REPORTS}"));
    system
}

/// The text that the API gives for a key.
fn of_api(system: &System, key: &str) -> Vec<u8> {
    let path = key.strip_suffix(".csv").unwrap();
    let accept = [("accept", "text/csv")];
    let answer = http::request("GET", &system.master_url(&format!("/api/v1/{path}")), &accept, b"").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.body
}

/// Waits until all files in a folder are what the API gives, and nothing else is there.
#[track_caller]
fn wait_for_all(system: &System, folder: &Path) {
    for key in KEYS.iter().filter(|key| key.ends_with(".csv")) {
        wait::until(&format!("{key} is what the API gives"), || {
            (fs::read(folder.join(key)).ok()? == of_api(system, key)).then_some(())
        });
    }
    wait::until("all files are current", || {
        let exports = system.json("/api/v1/exports");
        let all = exports["items"].as_array().unwrap();
        (all.len() == KEYS.len() && all.iter().all(|file| file["state"] == "current")).then_some(())
    });
    let mut found = BTreeSet::new();
    for sub in ["", "reports"] {
        for entry in fs::read_dir(folder.join(sub)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
        {
            found.insert(entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(found, KEYS.iter().map(|key| (*key).to_owned()).collect());
    let parquet = fs::read(folder.join("reports/sales.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

fn edit(system: &System, sku: &str, name: &str) {
    let body = json!({ "name": name }).to_string();
    let url = system.master_url(&format!("/api/v1/products/{sku}"));
    let answer = http::request("PATCH", &url, &[("content-type", "application/json")], body.as_bytes()).unwrap();
    assert!(answer.status < 300, "{} {}", answer.status, answer.text());
}

fn export_of(system: &System, key: &str) -> Value {
    let exports = system.json("/api/v1/exports");
    exports["items"].as_array().unwrap().iter().find(|file| file["key"] == key).unwrap().clone()
}

#[test]
fn results_and_lists_arrive_in_a_folder_and_follow_changes() {
    let folder = TempDir::new().unwrap();
    let mut system = system(&format!("url = \"file://{}\"\nexport = \"changes\"", folder.path().display()));
    system.start_master_with(&[]);
    system.sync();
    wait_for_all(&system, folder.path());
    let text = fs::read_to_string(folder.path().join("reports/sales.csv")).unwrap();
    assert_eq!(text, "Department,rows,total,mean\n\"=a,b\",1,3,3.0\nBooks,1,7,7.0\nToys,2,3.75,1.875\n");
    assert_eq!(fs::read_to_string(folder.path().join("aggr.csv")).unwrap(), "name,no_of_products\n=B,1\nA,1\n");
    let export = export_of(&system, "reports/sales.parquet");
    assert_eq!(export["url"], format!("file://{}/reports/sales.parquet", folder.path().display()));
    assert_eq!((&export["result_url"], &export["error"]), (&Value::Null, &Value::Null));

    edit(&system, "a", "edited");
    system.write("north", "sales2.csv", "Department,Sales\nToys,100000000000000000000.01\n");
    system.sync();
    wait::until("the change arrives", || {
        let sales = fs::read_to_string(folder.path().join("reports/sales.csv")).unwrap();
        sales.contains("Toys,3,100000000000000000003.76,").then_some(())
    });
    wait_for_all(&system, folder.path());
    assert_eq!(system.log(), "");
}

#[test]
fn results_arrive_in_s3_with_links() {
    let server = S3Server::start("bucket");
    let mut system = system("url = \"s3://bucket/some/prefix\"\nexport = \"changes\"");
    system.start_master_with(&server.variables());
    system.sync();
    wait_for_all(&system, &server.folder("bucket").join("some/prefix"));
    let link = |url: &Value| http::get(url.as_str().unwrap()).unwrap();
    for key in KEYS {
        let export = export_of(&system, key);
        assert_eq!(export["url"], format!("s3://bucket/some/prefix/{key}"));
        let written = fs::read(server.folder("bucket").join("some/prefix").join(key)).unwrap();
        assert_eq!(link(&export["result_url"]), (200, written), "{key}");
    }
    let text = of_api(&system, "reports/sales.csv");
    assert_eq!(link(&system.json("/api/v1/reports/sales")["result_url"]), (200, text.clone()));
    let reports = system.json("/api/v1/reports");
    let sales = reports["items"].as_array().unwrap().iter().find(|report| report["name"] == "sales").unwrap();
    assert_eq!(link(&sales["result_url"]), (200, text));
    let page = system.ask("GET", "/reports/sales", "").text();
    assert!(
        page.contains("X-Amz-Signature=") && page.contains("s3://bucket/some/prefix/reports/sales.parquet"),
        "{page}"
    );
    assert!(system.ask("GET", "/", "").text().contains("s3://bucket/some/prefix/products.csv"));
    let metrics = system.ask("GET", "/metrics", "").text();
    assert!(metrics.contains("tributary_export_failed{export=\"products\"} 0"), "{metrics}");
    assert!(metrics.contains("tributary_export_written_timestamp_seconds{export=\"reports/sales\"} "), "{metrics}");
    assert!(!system.log().contains(tributary_testkit::s3::SECRET_ACCESS_KEY));
}

#[test]
fn a_place_that_cannot_be_used_is_found_at_the_start() {
    let refused = |place: &str, variables: &[(&str, &str)], expect: &str| {
        let system = system(place);
        let mut command = system.command("master", &["--listen", "127.0.0.1:0"]);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let why = tributary_testkit::process::stderr(&output);
        assert!(!output.status.success() && why.contains("[results]") && why.contains(expect), "{why}");
    };
    refused("url = \"s3://bucket\"", &[], "set AWS_REGION");
    refused("url = \"s3://bucket\"", &[("AWS_REGION", "eu-central-1")], "set AWS_ACCESS_KEY_ID");
    refused("url = \"file:///nowhere/at/all\"", &[], "make the folder");
}

/// The last state wins, whatever the server does meanwhile; and nobody waits for it.
#[test]
fn a_server_that_fails_costs_time_and_nothing_else() {
    let server = S3Server::start("bucket");
    let folder = server.folder("bucket");
    let mut system = system("url = \"s3://bucket\"\nexport = \"changes\"");
    system.start_master_with(&server.variables());
    system.sync();
    wait_for_all(&system, &folder);
    let old = fs::read(folder.join("products.csv")).unwrap();
    for (round, fault) in (0..).zip([Fault::Hang, Fault::Status(503, "SlowDown"), Fault::Close, Fault::Cut]) {
        server.misbehave(Some(fault));
        let before = server.requests().len();
        edit(&system, "a", &format!("first {round}"));
        wait::until("it is tried", || (server.requests().len() > before).then_some(()));
        // The master goes on: each of these is committed, and applied, before the next.
        for number in 0..50 {
            edit(&system, "b", &format!("edit {number}"));
        }
        system.write("north", "sales.csv", format!("{SALES}Toys,{round}\n"));
        system.sync();
        if fault != Fault::Hang {
            let failed = wait::until("the failure is told", || {
                Some(export_of(&system, "products.csv")).filter(|export| export["state"] == "failed")
            });
            assert!(failed["error"].as_str().unwrap().starts_with("s3://bucket/products.csv: "), "{failed}");
            assert!(failed["failing_since"].is_string() && failed["written_at"].is_string(), "{failed}");
            assert!(
                system.ask("GET", "/metrics", "").text().contains("tributary_export_failed{export=\"products\"} 1")
            );
            assert!(system.ask("GET", "/", "").text().contains("cannot be written, will be tried again"));
        }
        if round == 0 {
            assert_eq!(fs::read(folder.join("products.csv")).unwrap(), old);
        }
        server.misbehave(None);
        wait_for_all(&system, &folder);
        let products = fs::read_to_string(folder.join("products.csv")).unwrap();
        assert!(products.contains(&format!("first {round}")) && products.contains("edit 49"), "{products}");
    }
    let log = system.log();
    assert!(log.contains("failed to write products, trying again") && log.contains("SlowDown"), "{log}");
    assert!(log.lines().count() < 60, "{log}");
}

/// A list of several parts: the old object stays whole, and the next start writes the new one.
#[test]
fn a_master_that_is_killed_in_the_middle_of_an_upload_leaves_the_old_object() {
    let server = S3Server::start("bucket");
    let folder = server.folder("bucket");
    let mut system = system("url = \"s3://bucket\"\nexport = \"changes\"");
    let feed = |name: &str| {
        let row = |number| format!("sku-{number:06},{name},{}\n", "x".repeat(400));
        format!("sku,name,description\n{}", (0..25_000).map(row).collect::<String>())
    };
    system.write("north", "feed.csv", feed("old"));
    system.start_master_with(&server.variables());
    system.sync();
    wait_for_all(&system, &folder);
    let old = fs::read(folder.join("products.csv")).unwrap();
    assert!(server.requests().iter().any(|request| request == "POST /bucket/products.csv"), "it has one part");

    server.misbehave(Some(Fault::HangAt("partNumber=2")));
    let parts = || server.requests().iter().filter(|request| *request == "PUT /bucket/products.csv").count();
    let before = parts();
    edit(&system, "sku-000000", "new");
    wait::until("the second part is on its way", || (parts() >= before + 2).then_some(()));
    system.kill_master();
    assert_eq!(fs::read(folder.join("products.csv")).unwrap(), old);

    server.misbehave(None);
    let before = server.requests().len();
    system.start_master_with(&server.variables());
    wait_for_all(&system, &folder);
    assert!(fs::read(folder.join("products.csv")).unwrap() != old);
    // What was written before is not written again.
    let written = server.requests().split_off(before);
    assert!(!written.iter().any(|request| request.contains("reports/sales")), "{written:?}");
}

#[test]
fn a_restart_writes_only_what_has_changed() {
    let server = S3Server::start("bucket");
    let folder = server.folder("bucket");
    let mut system = system("url = \"s3://bucket\"\nexport = \"changes\"");
    system.start_master_with(&server.variables());
    system.sync();
    wait_for_all(&system, &folder);
    assert_eq!(system.stop_master().0, Some(0));
    let before = server.requests().len();
    system.write("north", "sales.csv", format!("{SALES}Toys,5\n"));
    system.start_master_with(&server.variables());
    system.sync();
    wait::until("the change arrives", || {
        fs::read_to_string(folder.join("reports/sales.csv")).unwrap().contains("Toys,3,8.75,").then_some(())
    });
    wait_for_all(&system, &folder);
    let written: BTreeSet<String> = server.requests().split_off(before).into_iter().collect();
    let expect = ["PUT /bucket/reports/sales.csv", "PUT /bucket/reports/sales.parquet"];
    assert_eq!(written, expect.map(str::to_owned).into());

    // Another place gets everything.
    let configured = fs::read_to_string(system.home().join("tributary.toml")).unwrap();
    system.stop_master();
    system.configure(&configured.replace("s3://bucket", "s3://bucket/elsewhere"));
    system.start_master_with(&server.variables());
    wait_for_all(&system, &folder.join("elsewhere"));
}
