//! `[engine]` and the reports that name it.

use std::time::Duration;

use super::{load, refused};

const REPORT: &str =
    "[[report]]\nname = \"sales\"\nfiles = \"*\"\nmetrics = { n = \"count()\", s = \"sum(price * n)\" }\n";
const CLUSTER: &str = "[engine]\nballista = \"http://cluster:50050\"\n";

#[test]
fn a_report_is_computed_by_the_cluster_it_names() {
    let cluster = |engine: &str, report: &str| {
        let config = load(&format!("{REPORT}{report}\n{engine}"), &[]).unwrap_or_else(|why| panic!("{why}"));
        let cluster = config.reports[0].cluster.clone();
        cluster.map(|cluster| (cluster.url.to_string(), cluster.fallback, cluster.time_limit))
    };
    let ballista = "engine = \"ballista\"";
    let hour = Duration::from_secs(3600);
    assert_eq!(cluster(CLUSTER, ""), None);
    assert_eq!(cluster(CLUSTER, "engine = \"push-down\""), None);
    assert_eq!(cluster(CLUSTER, ballista), Some(("http://cluster:50050/".to_owned(), false, hour)));
    let more = format!("{CLUSTER}fallback = true\ntime_limit = \"5m\"\n");
    assert_eq!(cluster(&more, ballista).map(|(_, fallback, limit)| (fallback, limit)), Some((true, hour / 12)));
    let shown = load(&format!("{REPORT}{ballista}\n{more}"), &[]).unwrap().to_string();
    assert!(
        shown.contains("computed by Ballista at http://cluster:50050/, within 5m; while it is away, by sources"),
        "{shown}"
    );
}

#[test]
fn a_wrong_cluster_names_its_line() {
    let engine = |lines: &str, parts: &[&str]| {
        refused(&format!("{REPORT}[engine]\n{lines}"), &[], &[&["FILE, line 6"], parts].concat());
    };
    engine("ballista = \"cluster:50050\"", &["does not begin with http://", "write one such as"]);
    engine("ballista = \"10.0.0.1\"", &["not a URL"]);
    engine("ballista = \"https://cluster:50050\"", &["no TLS"]);
    engine("ballista = \"http://u:p@cluster:50050\"", &["no password"]);
    engine("ballista = \"http://cluster:50050/api\"", &["behind host and port"]);
    engine("fallback = true", &["needs a cluster"]);
    engine("time_limit = \"never\"", &["not a duration"]);
}

#[test]
fn a_report_that_no_cluster_computes_is_refused() {
    let report = |lines: &str, engine: &str, parts: &[&str]| {
        let toml = format!("[[report]]\nname = \"s\"\nfiles = \"*\"\n{lines}\nengine = {engine}\n{CLUSTER}");
        refused(&toml, &[], &[&["FILE, line 5"], parts].concat());
    };
    let count = "metrics = { n = \"count()\" }";
    report(count, "\"spark\"", &["`spark` is not an engine"]);
    report("metrics = { n = \"sum(a / b)\" }", "\"ballista\"", &["it divides", "leave out `engine`"]);
    let dates = "group_by = { column = \"d\", by = \"day\" }\nmetrics = { n = \"count()\" }".replace('\n', " \n");
    refused(
        &format!("[[report]]\nname = \"s\"\nfiles = \"*\"\n{dates}\nengine = \"ballista\"\n{CLUSTER}"),
        &[],
        &["FILE, line 6", "groups by dates"],
    );
    refused(&format!("{REPORT}engine = \"ballista\"\n"), &[], &["FILE, line 5", "there is no cluster"]);
}
