//! Masters that only read, beside the one that writes the same file.

use std::{net::TcpListener, process::Command, thread};

use serde_json::Value;
use tributary_testkit::{
    http::{self, Response},
    process::{Daemon, stderr},
    wait,
};

use crate::system::System;

/// A master with an address that others are told of, and one product.
pub(crate) struct Pair {
    /// Before `system`, so that it ends before its folder goes.
    active: Daemon,
    pub(crate) system: System,
}

/// Anything that asks for a page.
const BROWSER: [(&str, &str); 1] = [("Accept", "text/html")];

impl Pair {
    fn new() -> Self {
        Self::of(System::new())
    }

    pub(crate) fn of(mut system: System) -> Self {
        system.write("north", "feed.csv", "sku,name\na,First\n");
        system.serve("north");
        system.configure_sources(&[("north", "")]);
        let listen = free_address();
        let public = format!("http://{listen}");
        let args = ["--listen", &listen, "--public-url", &public, "--poll-interval", "50ms"];
        let active = Daemon::start(system.command("master", &args));
        wait::until("the product is shown", || (name(&active, "a")? == "First").then_some(()));
        Self { system, active }
    }

    fn reader(&self, args: &[&str]) -> Daemon {
        let reader = start_reader(&self.system, args);
        wait::until("the reader can read", || (ask(&reader, "GET", "/readyz").status == 200).then_some(()));
        reader
    }
}

fn start_reader(system: &System, args: &[&str]) -> Daemon {
    Daemon::start(system.command("master", &[&["--read-only", "--listen", "127.0.0.1:0"], args].concat()))
}

/// An address that nobody listens on.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn ask(master: &Daemon, method: &str, path: &str) -> Response {
    http::request(method, &format!("{}{path}", master.url), &[], b"").unwrap()
}

fn send(url: &str, method: &str, body: &str) -> Response {
    let json = [("Content-Type", "application/json")];
    http::request(method, url, &json, body.as_bytes()).unwrap()
}

fn name(master: &Daemon, sku: &str) -> Option<String> {
    let product: Value = serde_json::from_slice(&ask(master, "GET", &format!("/api/v1/products/{sku}")).body).unwrap();
    product["name"].as_str().map(str::to_owned)
}

fn page(master: &Daemon, path: &str) -> String {
    let page = http::request("GET", &format!("{}{path}", master.url), &BROWSER, b"").unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    page.text()
}

#[test]
fn a_reader_shows_rows_and_events_of_the_active_master() {
    let pair = Pair::new();
    let reader = pair.reader(&[]);
    let ready = ask(&reader, "GET", "/readyz").text();
    assert_eq!(ready, format!("reader\nactive: {}\n", pair.active.url));
    let mut events = http::lines(&format!("{}/api/v1/events", reader.url), &[]).unwrap();
    assert_eq!(events.next().unwrap(), "retry: 1000");
    assert_eq!(name(&reader, "a").as_deref(), Some("First"));
    pair.system.write("north", "feed.csv", "sku,name\na,Second\nb,New\n");
    let told = events.find(|line| line.starts_with("event: "));
    assert_eq!(told.as_deref(), Some("event: applied"));
    assert_eq!((name(&reader, "a").as_deref(), name(&reader, "b").as_deref()), (Some("Second"), Some("New")));
    let sources: Value = serde_json::from_slice(&ask(&reader, "GET", "/api/v1/sources").body).unwrap();
    assert_eq!((&sources["items"][0]["name"], &sources["items"][0]["state"]), (&"north".into(), &"up".into()));

    let metrics = ask(&reader, "GET", "/metrics").text();
    for line in ["tributary_master_role{role=\"reader\"} 1", "tributary_master_role{role=\"active\"} 0"] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(!metrics.contains("tributary_source_up{") && !metrics.contains("tributary_writable"), "{metrics}");
    assert!(ask(&pair.active, "GET", "/metrics").text().contains("tributary_master_role{role=\"active\"} 1"));
}

#[test]
fn an_edit_is_sent_on_and_works_where_it_is_sent() {
    let pair = Pair::new();
    let reader = pair.reader(&[]);
    let edit = r#"{"name":"Mine","description":"by hand"}"#;
    let sent_on = send(&format!("{}/api/v1/products/a%20b", reader.url), "PUT", edit);
    assert_eq!(sent_on.status, 307, "{}", sent_on.text());
    let to = sent_on.header("location").unwrap();
    assert_eq!(to, format!("{}/api/v1/products/a%20b", pair.active.url));
    assert_eq!(sent_on.header("content-type"), Some("application/problem+json"));
    let problem: Value = serde_json::from_slice(&sent_on.body).unwrap();
    assert_eq!(problem["title"], "only the active master does it");
    assert!(send(to, "PUT", edit).status < 300);
    wait::until("the reader has it", || (name(&reader, "a%20b")? == "Mine").then_some(()));

    for (method, path) in [
        ("POST", "/update"),
        ("POST", "/upload"),
        ("POST", "/accept"),
        ("POST", "/api/v1/sources/north/accept"),
        ("POST", "/api/v1/uploads?filename=a.csv"),
        ("PUT", "/api/v1/documents/a.csv"),
        ("DELETE", "/api/v1/documents/a.csv"),
        ("POST", "/api/v1/tus/"),
        ("DELETE", "/api/v1/products/a"),
    ] {
        let tus = [("Tus-Resumable", "1.0.0")];
        let answer = http::request(method, &format!("{}{path}", reader.url), &tus, b"").unwrap();
        let expect = format!("{}{path}", pair.active.url);
        assert_eq!((answer.status, answer.header("location")), (307, Some(&*expect)), "{method} {path}");
    }
    // It has no folders of its own, and leaves those of the active master alone.
    assert_eq!(ask(&reader, "GET", "/api/v1/uploads").status, 200);
    assert!(!pair.system.beside("uploads").exists());
}

#[test]
fn without_an_active_master_a_change_waits() {
    let mut pair = Pair::new();
    let reader = pair.reader(&[]);
    assert_eq!(pair.active.terminate().0, Some(0));
    wait::until("it is noticed", || ask(&reader, "GET", "/readyz").text().contains("active: none").then_some(()));
    let refused = send(&format!("{}/api/v1/products/a", reader.url), "PUT", r#"{"name":"x","description":""}"#);
    assert_eq!((refused.status, refused.header("location")), (503, None));
    assert!(refused.header("retry-after").is_some() && refused.text().contains("there is no active one"));
    assert_eq!(name(&reader, "a").as_deref(), Some("First"), "it still reads");
    // The next one may be unknown to others.
    let _active = Daemon::start(pair.system.command("master", &["--listen", "127.0.0.1:0"]));
    wait::until("it is noticed", || {
        ask(&reader, "GET", "/readyz").text().contains("active: master, process ").then_some(())
    });
    let refused = ask(&reader, "DELETE", "/api/v1/products/a");
    assert!(refused.status == 503 && refused.text().contains("public_url"), "{}", refused.text());
}

#[test]
fn the_pages_of_a_reader_have_no_form_that_changes_anything() {
    let pair = Pair::new();
    let reader = pair.reader(&[]);
    assert!(
        send(&format!("{}/api/v1/products/a", pair.active.url), "PUT", r#"{"name":"Mine","description":""}"#).status
            < 300
    );
    wait::until("the reader has it", || (name(&reader, "a")? == "Mine").then_some(()));
    let changes = "method=\"post\"";
    for path in ["/?sku=a", "/products/a", "/upload", "/sources", "/sources/north"] {
        let (shown, active) = (page(&reader, path), page(&pair.active, path));
        assert!(!shown.contains(changes), "{path}: {shown}");
        assert!(shown.contains("This master only reads") && shown.contains(&pair.active.url), "{path}: {shown}");
        assert!(!active.contains("This master only reads"), "{path}");
        assert!(active.contains(changes) || path.starts_with("/sources"), "{path}");
    }
    let product = page(&reader, "/products/a");
    assert!(product.contains(&format!("href=\"{}/products/a\"", pair.active.url)), "{product}");
}

/// Both read the same file, each when it is told to.
#[test]
fn a_reader_shows_the_reports_of_its_configuration() {
    let pair = Pair::new();
    let reader = pair.reader(&[]);
    let report = "[[report]]\nname = \"names\"\nfiles = \"*.csv\"\nfeed = true\nmetrics = { rows = \"count()\" }\n";
    let source = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", pair.system.url("north"));
    pair.system.configure(&(source + report));
    for master in [&pair.active, &reader] {
        let killed = Command::new("kill").args(["-HUP", &master.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }
    for master in [&pair.active, &reader] {
        wait::until("the report is computed", || {
            let rows = ask(master, "GET", "/api/v1/reports/names?format=csv&raw=1").text();
            (rows.lines().nth(1) == Some("1")).then_some(())
        });
        assert!(page(master, "/reports").contains("/reports/names"));
    }
}

#[test]
fn a_reader_waits_for_a_database() {
    let mut system = System::new();
    system.configure("");
    let reader = start_reader(&system, &[]);
    // The database on a server is there before anything is in it.
    let why = if system.file().is_some() { "not there yet" } else { "not set up yet" };
    wait::until("it has looked", || ask(&reader, "GET", "/readyz").text().contains(why).then_some(()));
    assert_eq!(ask(&reader, "GET", "/readyz").status, 503);
    assert_eq!(ask(&reader, "GET", "/healthz").status, 200);
    assert_eq!(ask(&reader, "GET", "/style.css").status, 200);
    let waits = ask(&reader, "GET", "/api/v1/products");
    assert!(waits.status == 503 && waits.header("retry-after").is_some(), "{}", waits.text());
    assert!(!system.database_exists(), "a reader creates nothing");
    system.start_master(&[]);
    system.sync();
    wait::until("it can read", || (ask(&reader, "GET", "/readyz").status == 200).then_some(()));
    assert_eq!(ask(&reader, "GET", "/api/v1/products").status, 200);
}

#[test]
fn twenty_readers_see_every_change() {
    let pair = Pair::new();
    let readers: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..20).map(|_| scope.spawn(|| pair.reader(&[]))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    pair.system.write("north", "feed.csv", "sku,name\na,Second\n");
    for reader in &readers {
        wait::until("the reader shows it", || (name(reader, "a")? == "Second").then_some(()));
    }
    // Many that ask who has the lock keep no other from it.
    drop(pair.active);
    let once = pair.system.run("master", &["--once"]);
    assert!(once.status.success(), "{}", stderr(&once));
}
