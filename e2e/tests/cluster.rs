//! A stock Ballista cluster reads files of a source, by Flight SQL and a driver that is not ours. Only with `cargo xtask cluster run -- …`:
//! the cluster takes long to build.

use std::{
    env, fs,
    path::Path,
    process::{self as std_process, Stdio},
};

use e2e::python;
use serde_json::{Value, json};
use tempfile::TempDir;
use tributary_protocol::{Capability, CapabilityRequest};
use tributary_testkit::{
    http,
    process::{self, Daemon},
    wait,
};

use crate::capabilities::sales;

const ROWS: u64 = 600_000;

/// The cluster's URL; `None` if there is none.
fn cluster() -> Option<String> {
    let cluster = env::var("TRIBUTARY_E2E_BALLISTA").ok();
    if cluster.is_none() {
        println!("there is no cluster: run this with `cargo xtask cluster run`");
    }
    cluster
}

fn source(feeds: &Path) -> Daemon {
    let mut source = process::command("data-source", feeds);
    source.args(["--listen", "127.0.0.1:0", "--settle", "20ms", "--rescan", "200ms", "--dir"]).arg(feeds);
    source.env("RUST_LOG", "warn").stderr(Stdio::inherit());
    Daemon::start(source)
}

fn hash(source: &Daemon) -> Option<String> {
    let (_, manifest) = http::get(&format!("{}/sense/files", source.url)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["files"][0]["hash"].as_str().map(str::to_owned)
}

#[test]
fn a_stock_cluster_reads_a_file_where_it_is() {
    let Some(cluster) = cluster() else { return };
    let feeds = TempDir::new().unwrap();
    let (text, pieces, cents) = sales(ROWS);
    fs::write(feeds.path().join("sales.csv"), &text).unwrap();
    let source = source(feeds.path());
    let asked = serde_json::to_vec(&CapabilityRequest::default()).unwrap();
    let made = http::request("POST", &format!("{}/capabilities", source.url), &[], &asked).unwrap();
    let capability: Capability = serde_json::from_slice(&made.body).unwrap();
    let before = hash(&source).unwrap();
    let file = format!("{}{}", source.url, capability.pinned("sales.csv", &before));
    let table = |number: u32| format!("sales_{}_{number}", std_process::id());
    let sum = |number| -> Value {
        let printed = python(include_str!("cluster.py"), &[&cluster, &file, &table(number)], feeds.path());
        serde_json::from_str(printed.trim()).unwrap()
    };
    let price = format!("{}.{:02}", cents / 100, cents % 100);
    assert_eq!(sum(1), json!({"rows": ROWS, "pieces": pieces, "price": price}));
    let (_, metrics) = http::get(&format!("{}/metrics", source.url)).unwrap();
    let metrics = String::from_utf8(metrics).unwrap();
    let parts = "tributary_http_requests_total{route=\"/read/~{capability}/{path}\",status=\"206\"}";
    let read: u64 = metrics.lines().find_map(|line| line.strip_prefix(parts)?.trim().parse().ok()).unwrap_or_default();
    assert!(read >= 2, "the executors read by Range, in several parts: {metrics}");
    fs::write(feeds.path().join("sales.csv"), text.replace("Dept 1,", "Dept one,")).unwrap();
    wait::until("the new content", || (hash(&source)? != before).then_some(()));
    let failed = sum(2);
    assert!(failed["error"].as_str().is_some_and(|error| error.contains("412")), "{failed}");
}
