//! `starter demo`: all that it promises can be seen, and nothing of it stays behind.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use tempfile::TempDir;
use tributary_testkit::{http, process, wait::until};

/// A running demo, killed when this is dropped.
struct Demo {
    home: TempDir,
    child: Option<Child>,
    lines: Lines<BufReader<ChildStdout>>,
    /// Address of its pages.
    url: String,
}

impl Demo {
    /// Starts a demo, whose temporary files are in `home`, and waits until it says what to open.
    fn start(words: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = process::command("starter", home.path());
        command.args(["demo", "--rows", "500"]).args(words.split_whitespace()).env("TMPDIR", home.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut demo = Demo { home, child: Some(child), lines, url: String::new() };
        let open = demo.line(|line| line.starts_with("    http://"));
        demo.url = open.trim().strip_suffix("/demo").unwrap().to_owned();
        demo
    }

    /// Returns the next line of which this is true.
    fn line(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        let found = self.lines.by_ref().map(Result::unwrap).find(|line| is_it(line));
        found.unwrap_or_else(|| panic!("the demo has ended"))
    }

    fn get(&self, path: &str) -> http::Response {
        http::request("GET", &format!("{}{path}", self.url), &[], b"").unwrap()
    }

    /// Sends a signal, and returns the last line and the outcome.
    fn stop(&mut self, signal: &str) -> (String, Output) {
        let child = self.child.take().unwrap();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let last = self.lines.by_ref().map(Result::unwrap).last().unwrap();
        (last, child.wait_with_output().unwrap())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn everything_that_it_speaks_of_can_be_seen() {
    let mut demo = Demo::start("--dir demo --listen 127.0.0.1:0");
    let guide = demo.get("/demo");
    assert_eq!((guide.status, guide.text().matches("<li>").count()), (200, 5), "{}", guide.text());
    let products = demo.get("/api/v1/products?limit=1").text();
    assert!(products.contains("\"price\":"), "{products}");
    until("a row is set aside", || {
        demo.get("/api/v1/rejects").text().contains("somebody forgot the sku").then_some(())
    });
    for (report, date) in [("sales_by_month", "Month"), ("revenue_by_week", "Week")] {
        let path = format!("/api/v1/reports/{report}?order=-{date}&limit=1");
        let is_there = || demo.get(&path).text().contains(&format!("\"{date}\":")).then_some(());
        until("a report has rows", is_there);
    }
    demo.line(|line| line.contains("gift-cards.csv through the API"));
    until("an upload", || demo.get("/api/v1/uploads").text().contains("\"complete\"").then_some(()));
    demo.line(|line| line.contains("+0 ~1 -0") || line.contains("+1 ~0 -0"));
    demo.line(|line| line.contains("outlet: held, because 260 products would go"));
    let held = process::command("readdb", demo.home.path())
        .args(["held", "--format", "csv", "--database-url", "demo/database.db"])
        .output()
        .unwrap();
    assert!(process::stdout(&held).contains("\noutlet,260,300,"), "{held:?}");
    http::request("POST", &format!("{}/api/v1/sources/outlet/accept", demo.url), &[], b"").unwrap();
    demo.line(|line| line.contains("outlet: +0 ~0 -260"));
    // The outage and its end.
    demo.line(|line| line.ends_with("south is down"));
    demo.line(|line| line.ends_with("south is up"));
    let (last, output) = demo.stop("-INT");
    assert_eq!((last.as_str(), output.status.code()), ("Stopped.", Some(0)));
    assert_eq!(process::stderr(&output), "");
    assert!(fs::exists(demo.home.path().join("demo/tributary.toml")).unwrap(), "what was asked for is kept");
}

#[test]
fn a_closed_terminal_ends_it_and_nothing_stays_behind() {
    // Nobody else may have the port, so that the demo has to find another one.
    let _taken = TcpListener::bind("127.0.0.1:5000");
    let mut demo = Demo::start("");
    assert!(!demo.url.ends_with(":5000"), "{}", demo.url);
    assert_eq!(demo.get("/readyz").status, 200);
    let (last, output) = demo.stop("-HUP");
    assert_eq!((last.as_str(), output.status.code(), process::stderr(&output)), ("Stopped.", Some(0), String::new()));
    let left: Vec<_> = fs::read_dir(demo.home.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_busy_port_that_was_asked_for_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = tempfile::tempdir().unwrap();
    let output = process::command("starter", home.path()).args(["demo", "--listen", &address]).output().unwrap();
    let stderr = process::stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("choose another port, or leave --listen out") && stderr.contains(&address), "{stderr}");
}
