//! The network between a master and those who send and follow.

use std::{fs, process::Command};

use tributary_testkit::{
    http, process,
    proxy::{
        Fault::{self, Cut, Page, Reset},
        Proxy, Way,
    },
    wait,
};

use crate::system::System;

const REPORT: &str = "[[report]]\nname = \"sums\"\nfiles = \"f*.csv\"\nmetrics = { rows = \"count()\" }\n";

fn master() -> (System, Proxy) {
    let mut system = System::new();
    system.configure(REPORT);
    system.start_master(&[]);
    let proxy = Proxy::start(&system.master_url(""));
    (system, proxy)
}

#[test]
fn a_file_that_publish_sends_counts_once_whatever_is_lost() {
    const ROWS: usize = 2_000;
    let (system, proxy) = master();
    let folder = tempfile::tempdir().unwrap();
    let cases: [(Way, &str, Fault); 11] = [
        (Way::Answer, "POST /api/v1/tus", Cut(0)),
        (Way::Answer, "POST /api/v1/tus", Page("502 Bad Gateway")),
        (Way::Request, "PATCH ", Cut(5_000)),
        (Way::Request, "PATCH ", Reset(15_000)),
        (Way::Answer, "PATCH ", Cut(0)),
        (Way::Answer, "PATCH ", Reset(40)),
        (Way::Answer, "PATCH ", Page("503 Service Unavailable")),
        (Way::Answer, "PATCH ", Page("200 OK")),
        (Way::Answer, "GET /api/v1/uploads/", Page("200 OK")),
        (Way::Answer, "HEAD ", Reset(10)),
        (Way::Answer, "GET /api/v1/uploads/", Cut(30)),
    ];
    for (number, (way, line, fault)) in cases.into_iter().enumerate() {
        let name = format!("f{number}.csv");
        let rows: String = (0..ROWS).map(|row| format!("f{number}-{row},Name\n")).collect();
        fs::write(folder.path().join(&name), format!("sku,name\n{rows}")).unwrap();
        proxy.spoil_once(way, line, fault);
        let mut publish: Command = process::command("publish", folder.path());
        let output = publish.args([&name, "--to", &proxy.url]).output().unwrap();
        assert!(output.status.success(), "{line}, {fault:?}: {}", process::stderr(&output));
        assert_eq!(proxy.hits(), number + 1, "{line}, {fault:?}: {}", process::stderr(&output));
    }
    let uploads = system.json("/api/v1/uploads");
    assert_eq!(uploads["items"].as_array().unwrap().len(), cases.len(), "{uploads}");
    let rows = (cases.len() * ROWS).to_string();
    wait::until("each row counts once", || {
        let report = system.ask("GET", "/api/v1/reports/sums?format=csv&raw=1", "").text();
        (report.lines().nth(1) == Some(&rows)).then_some(())
    });
}

/// A queue sends a message again of which it does not know whether it was taken.
#[test]
fn a_document_that_is_sent_again_counts_once() {
    let (system, proxy) = master();
    for (number, fault) in [Cut(0), Cut(100), Reset(0), Page("502 Bad Gateway")].into_iter().enumerate() {
        let path = format!("/api/v1/documents/f{number}.csv?wait=applied&message=m{number}");
        let put = || http::request("PUT", &format!("{}{path}", proxy.url), &[], b"sku,name\na,A\nb,B\n");
        proxy.spoil_once(Way::Answer, "PUT ", fault);
        let lost = put();
        assert!(lost.as_ref().is_err() || !lost.as_ref().unwrap().text().contains("complete"), "{lost:?}");
        let again = put().unwrap();
        assert_eq!(again.status, 200, "{}", again.text());
    }
    assert_eq!(proxy.hits(), 4);
    let uploads = system.json("/api/v1/uploads");
    assert_eq!(uploads["items"].as_array().unwrap().len(), 4, "{uploads}");
}

#[test]
fn who_follows_the_events_over_cut_connections_misses_none_and_gets_none_twice() {
    let (system, proxy) = master();
    let url = format!("{}/api/v1/events", proxy.url);
    // Cuts within the head, a line and an event.
    proxy.spoil(Way::Answer, "/api/v1/events", Cut(700));
    let put = system.ask("PUT", "/api/v1/products/a", r#"{"name":"A","description":""}"#);
    assert!(matches!(put.status, 200 | 201), "{}", put.text());
    let mut ids: Vec<i64> = Vec::new();
    let mut changes = 0;
    while changes < 40 {
        let last = ids.last().map_or("0".to_owned(), ToString::to_string);
        let mut id = None;
        for line in http::lines(&url, &[("Last-Event-ID", &last)]).into_iter().flatten() {
            if let Some(number) = line.strip_prefix("id: ") {
                id = number.parse().ok();
            } else if line.is_empty() {
                // Browsers take an event at the empty line that ends it.
                ids.extend(id.take().filter(|id| Some(id) != ids.last()));
                let edit = format!(r#"{{"name":"Name {changes}"}}"#);
                assert_eq!(system.ask("PATCH", "/api/v1/products/a", &edit).status, 200);
                changes += 1;
            }
        }
    }
    assert!(proxy.hits() > 3, "{}", proxy.hits());
    let expect: Vec<_> = (ids[0]..ids[0] + ids.len() as i64).collect();
    assert_eq!(ids, expect);
}
