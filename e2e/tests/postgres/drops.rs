//! The connection that writes is cut at every statement of a change in turn: before the server sees the statement, and after it has executed it,
//! so that nobody knows how it ended. `COMMIT` is one of them. The master goes on by itself, and nothing is lost, doubled or done by halves.

use std::{
    fs,
    time::{Duration, Instant},
};

use e2e::{At, Plug, Statements};
use serde_json::Value;
use tempfile::TempDir;
use tributary_testkit::{
    http,
    process::{self, Daemon, stdout},
    wait,
};

use super::{Schema, configure, edit, master_at, role, run};

/// Texts that a master gives as the reason while its connection is cut.
const REASON: &str = "its server cannot be reached";

/// A master that reaches its server through a proxy.
struct Cut {
    // Before the others: it is stopped first.
    master: Daemon,
    proxy: Statements,
    source: Daemon,
    files: TempDir,
    home: TempDir,
    schema: Schema,
}

impl Cut {
    fn start() -> Self {
        let (schema, files) = (super::schema(), tempfile::tempdir().unwrap());
        let source = Daemon::source(files.path());
        let proxy = Statements::start(&schema.url);
        let (master, home) = master_at(&proxy.url(&schema.url), &source.url, &["--poll-interval", "50ms"]);
        let cut = Self { master, proxy, source, files, home, schema };
        cut.write("feed.csv", &feed("first"));
        cut.write("sales.csv", &sales(0));
        wait::until("the first load", || cut.is_settled("s49").then_some(()));
        cut
    }

    fn write(&self, name: &str, text: &str) {
        // Renamed into place, so that no half of it is read.
        let hidden = self.files.path().join(".new");
        fs::write(&hidden, text).unwrap();
        fs::rename(hidden, self.files.path().join(name)).unwrap();
    }

    fn get(&self, path: &str) -> Option<Value> {
        let (status, body) = http::get(&format!("{}{path}", self.master.url)).ok()?;
        (status == 200).then(|| serde_json::from_slice(&body).unwrap())
    }

    fn name_of(&self, sku: &str) -> Option<String> {
        Some(self.get(&format!("/api/v1/products/{sku}"))?["name"].as_str()?.to_owned())
    }

    /// Whether a product is shown, and all sources and reports are up to date with nothing to complain of.
    fn is_settled(&self, sku: &str) -> bool {
        self.name_of(sku).is_some() && self.is_at_rest()
    }

    fn is_at_rest(&self) -> bool {
        let (Some(sources), Some(reports)) = (self.get("/api/v1/sources"), self.get("/api/v1/reports")) else {
            return false;
        };
        let is_up = |source: &Value| source["state"] == "up" && source["error"].is_null();
        let has_no_error = |report: &Value| report["error"].is_null();
        sources["items"].as_array().unwrap().iter().all(is_up)
            && reports["items"].as_array().unwrap().iter().all(has_no_error)
    }

    /// Pulls the plug at each statement of a change in turn. `change` makes the one of this number, and `is_done` tells whether all of it is there.
    /// Returns the number of changes.
    fn pull_each(&self, what: &str, change: impl Fn(usize), is_done: impl Fn(usize) -> bool) -> usize {
        let (mut number, mut slowest) = (0, (Duration::ZERO, String::new()));
        for plug in [Plug::Before, Plug::After] {
            for at in 1.. {
                number += 1;
                self.proxy.arm(At::Number(at), plug);
                let began = Instant::now();
                change(number);
                let done = wait::within(wait::MAX_WAIT, Duration::from_millis(10), || is_done(number).then_some(()));
                let Some(statement) = self.proxy.hit() else {
                    assert!(done.is_some(), "{what} {number} without a cut");
                    break;
                };
                assert!(
                    done.is_some(),
                    "{what} {number} is not done after a cut, {plug:?} {at}: {statement}\n{}",
                    self.state()
                );
                slowest = slowest.max((began.elapsed(), format!("{plug:?} {at}: {statement}")));
            }
        }
        let (time, of) = slowest;
        eprintln!("{what}: {number} changes, the slowest in {time:?}, {}", of.chars().take(120).collect::<String>());
        number
    }

    fn state(&self) -> String {
        let body = |path: &str| self.get(path).map(|answer| answer.to_string()).unwrap_or_default();
        ["/api/v1/sources", "/api/v1/reports", "/api/v1/uploads"].map(body).join("\n")
    }

    /// Whether a source has said so of a pass.
    fn has_said_why(&self) -> bool {
        self.get("/api/v1/sources").unwrap().to_string().contains(REASON)
    }

    /// The values of a column, one per line.
    fn column(&self, query: &str) -> Vec<String> {
        self.schema.psql(query).lines().map(str::to_owned).collect()
    }

    /// Computes everything again and compares.
    fn check(&self) {
        let check = run("starter", &["check"], self.home.path());
        assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
    }

    /// Compares all tables with those that SQLite gets of the same files.
    fn check_with_sqlite(&self) {
        let home = tempfile::tempdir().unwrap();
        configure(home.path(), "database.db", &self.source.url);
        let once = run("master", &["--once"], home.path());
        assert!(once.status.success(), "{}", process::stderr(&once));
        for table in [&["products"][..], &["aggr"], &["files"], &["rejects"], &["report", "sales"]] {
            let [ours, other] = [&self.home, &home].map(|home| {
                let read = run("readdb", &[table, &["--format", "csv"]].concat(), home.path());
                assert!(read.status.success(), "{table:?}: {}", process::stderr(&read));
                stdout(&read)
            });
            assert_eq!(ours, other, "{table:?}");
        }
    }
}

fn feed(name: &str) -> String {
    let rows: String = (0..50).map(|no| format!("s{no},name {},text,{no}.5\n", no % 7)).collect();
    format!("sku,name,description,price\n{rows}changing,{name},text,1\n")
}

fn sales(amount: usize) -> String {
    format!("Shop,Amount\nSouth,{amount}\nNorth,1.5\nNorth,x\n")
}

/// Checks that each number came once and in order.
#[track_caller]
fn check_numbers(found: &[String], expect: impl Iterator<Item = usize>) {
    let expect: Vec<_> = expect.map(|number| number.to_string()).collect();
    assert_eq!(found, expect);
}

#[test]
fn a_changed_row_is_applied_once() {
    let cut = Cut::start();
    let changes = cut.pull_each(
        "a changed row",
        |number| cut.write("feed.csv", &feed(&number.to_string())),
        |number| cut.name_of("changing") == Some(number.to_string()) && cut.is_at_rest(),
    );
    let names = "SELECT texts::json -> 'name' ->> 1 FROM product_changes WHERE sku = 'changing' ORDER BY id";
    check_numbers(&cut.column(names), 1..=changes);
    let applied =
        "SELECT data::json ->> 'updated' FROM events WHERE kind = 'applied' AND id > 2 AND data LIKE '%\"updated\":1%'";
    assert_eq!(cut.column(applied).len(), changes);
    assert!(cut.has_said_why(), "{}", cut.state());
    cut.check();
    cut.check_with_sqlite();
}

#[test]
fn a_file_comes_and_goes_as_a_whole() {
    let cut = Cut::start();
    let rows: String = (0..60).map(|no| format!("t{no},name {no},text\n")).collect();
    let is_there = |number: usize| number % 2 == 1;
    let changes = cut.pull_each(
        "a file",
        |number| {
            if is_there(number) {
                cut.write("more.csv", &format!("sku,name,description\n{rows}"));
            } else {
                fs::remove_file(cut.files.path().join("more.csv")).unwrap();
            }
        },
        |number| (cut.name_of("t59").is_some() == is_there(number)) && cut.is_at_rest(),
    );
    // Of each file that came or went there is one event.
    let applied = |count: &str| {
        cut.column(&format!("SELECT id FROM events WHERE kind = 'applied' AND (data::json ->> '{count}')::int = 60"))
            .len()
    };
    assert_eq!((applied("added"), applied("removed")), (changes.div_ceil(2), changes / 2));
    cut.check();
    cut.check_with_sqlite();
}

#[test]
fn a_report_has_each_total_once() {
    let cut = Cut::start();
    let total = "SELECT total FROM report_sales WHERE \"Shop\" = 'South'";
    let reports = || cut.column("SELECT id FROM events WHERE kind = 'report'").len();
    let before = reports();
    let changes = cut.pull_each(
        "a report",
        |number| cut.write("sales.csv", &sales(number)),
        |number| cut.schema.psql(total).trim() == number.to_string() && cut.is_at_rest(),
    );
    assert_eq!(reports(), before + changes);
    cut.check();
    cut.check_with_sqlite();
}

#[test]
fn an_edit_is_there_or_not_as_its_answer_says() {
    let cut = Cut::start();
    let changes = cut.pull_each(
        "an edit",
        |number| {
            let name = format!("edit {number}");
            let status = edit(&cut.master, 1, &name);
            // The product and the edit change together, whatever was answered.
            let both = "SELECT p.name || ' ' || coalesce(e.name, p.name) FROM products p LEFT JOIN edits e USING (sku) WHERE sku = 's1'";
            let found = cut.schema.psql(both);
            let is_there = found.trim() == format!("{name} {name}");
            // It is known even if the connection was cut during `COMMIT`.
            assert_eq!((is_there, status), (is_there, Some(if is_there { 200 } else { 503 })), "{found}");
            assert!(is_there || !found.contains(&name), "{found}");
        },
        |number| {
            let name = format!("edit {number}");
            edit(&cut.master, 1, &name) == Some(200) && cut.name_of("s1") == Some(name)
        },
    );
    let names =
        "SELECT replace(texts::json -> 'name' ->> 1, 'edit ', '') FROM product_changes WHERE sku = 's1' ORDER BY id";
    check_numbers(&cut.column(names), 1..=changes);
    assert_eq!(cut.column("SELECT id FROM events WHERE kind = 'edit'").len(), changes);
    cut.check();
}

/// Its memory of the tables may be wrong then.
#[test]
fn a_master_that_cannot_learn_what_it_has_stored_begins_anew() {
    let cut = Cut::start();
    let epoch = || cut.schema.psql("SELECT epoch FROM active_master").trim().to_owned();
    for (round, sku) in [(2, 1), (3, 2)] {
        cut.proxy.arm(At::Text("COMMIT"), Plug::Away);
        if round == 2 {
            assert_eq!(edit(&cut.master, sku, "not known"), Some(503));
        } else {
            cut.write("feed.csv", &feed("not known"));
            wait::until("the commit is cut", || cut.proxy.hit());
        }
        wait::until("it stands by", || (role(&cut.master) != "ready").then_some(()));
        wait::until("it has given up", || {
            let asked = http::get(&format!("{}/readyz", cut.master.url));
            asked.is_ok_and(|(_, text)| !text.starts_with(b"the database cannot be written")).then_some(())
        });
        cut.proxy.come_up();
        wait::until("it is active again", || (role(&cut.master) == "ready").then_some(()));
        assert_eq!(epoch(), round.to_string());
        assert_eq!(edit(&cut.master, sku, "known"), Some(200));
    }
    // What was committed is there, once. In the first round that may have been another change than the edit.
    let names = |sku: &str| {
        cut.column(&format!("SELECT texts::json -> 'name' ->> 1 FROM product_changes WHERE sku = '{sku}' ORDER BY id"))
    };
    assert_eq!(
        (cut.name_of("changing").as_deref(), names("changing")),
        (Some("not known"), vec!["not known".to_owned()])
    );
    assert!(
        [&["known"][..], &["not known", "known"]]
            .contains(&&names("s1").iter().map(String::as_str).collect::<Vec<_>>()[..])
    );
    cut.check();
}

/// Sends an upload, and returns the status.
fn upload(cut: &Cut, number: usize) -> Option<u16> {
    let url = format!("{}/api/v1/uploads?filename=up.csv&replace=1", cut.master.url);
    let body = format!("sku,name\nuploaded,{number}\n");
    Some(http::request("POST", &url, &[], body.as_bytes()).ok()?.status)
}

#[test]
fn an_upload_is_there_or_not_as_its_answer_says() {
    let cut = Cut::start();
    assert_eq!(upload(&cut, 0), Some(202));
    wait::until("the first upload", || cut.is_settled("uploaded").then_some(()));
    let has = |number: usize| cut.name_of("uploaded") == Some(number.to_string());
    let is_under_way = || {
        let state = |state: &str| format!("SELECT count(*) FROM documents WHERE state IN ({state})");
        cut.schema.psql(&state("'receiving', 'queued', 'processing'")).trim() != "0"
    };
    let changes = cut.pull_each(
        "an upload",
        |number| {
            let status = upload(&cut, number);
            assert!(matches!(status, Some(202 | 503)), "{status:?}");
            if status == Some(503) {
                assert!(!is_under_way(), "it was answered that nothing was stored");
                wait::until("it is taken", || (upload(&cut, number) == Some(202)).then_some(()));
            }
        },
        |number| has(number) && cut.is_at_rest() && !is_under_way(),
    );
    let names = "SELECT texts::json -> 'name' ->> 1 FROM product_changes WHERE sku = 'uploaded' ORDER BY id";
    check_numbers(&cut.column(names), 1..=changes);
    let ended = |state: &str| cut.column(&format!("SELECT id FROM documents WHERE state = '{state}'")).len();
    let others = "SELECT id || state FROM documents WHERE state NOT IN ('complete', 'failed')";
    assert_eq!((ended("complete"), cut.column(others)), (changes + 1, vec![]), "{}", cut.state());
    let mut folders = fs::read_dir(cut.home.path()).unwrap().flatten().map(|entry| entry.path());
    let folder = folders.find(|path| path.extension().is_some_and(|ending| ending == "uploads")).unwrap();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "the file of the last one");
    cut.check();
}
