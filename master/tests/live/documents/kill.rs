//! The promise of the inbox: the master is killed at random moments while clients send, replace, cancel and take back documents of a
//! few paths. Afterwards the tables are what the paths stand for, and the paths stand for what the clients were told.
//!
//! `KILLS=200` asks for more than a few kills, `SEED=7` for other moments.

mod client;
mod judge;
mod log;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use tributary_store::{GroupRow, ReportRange, ReportValue};
use tributary_testkit::wait;

use self::{
    client::Client,
    log::{FailTogether, Log, PATHS},
};
use crate::system::{Products, System};

const CLIENTS: u64 = 8;
/// Answers between two kills: at least so many, and at most twice.
const ANSWERS: u64 = 150;
/// A kill comes up to so long after that, because an answer is a moment of its own.
const MAX_DELAY: u64 = 30_000;

/// Documents of these paths are feeds and go into a report.
const CONFIGURATION: &str = r#"
[[report]]
name = "orders"
files = "orders/**"
feed = true
group_by = "name"
metrics = { rows = "count()" }

[uploads]
keep_free = "0B"
"#;

/// Pseudorandom numbers, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        // From Knuth's MMIX; the high bits are good enough.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

#[test]
fn a_killed_master_loses_no_document_and_brings_none_back() {
    let (kills, seed) = (setting("KILLS", 4), setting("SEED", 1));
    println!("SEED={seed}");
    let mut system = System::new();
    system.configure(CONFIGURATION);
    system.start_master(&[]);
    let log = Log::default();
    log.listens_at(Some(system.master_url("")));
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let client = Client::new(number, seed, &log);
            scope.spawn(move || client.run());
        }
        let _together = FailTogether(&log);
        let mut random = Random(seed);
        for _ in 0..kills {
            let answers = log.answers() + ANSWERS + random.below(ANSWERS);
            wait::until("clients get answers", || (log.answers() >= answers || log.has_failed()).then_some(()));
            std::thread::sleep(Duration::from_micros(random.below(MAX_DELAY)));
            log.listens_at(None);
            system.kill_master();
            wait::until("all clients wait", || (log.waiting() == CLIENTS || log.has_failed()).then_some(()));
            system.start_master(&[]);
            if log.has_failed() {
                return;
            }
            check(&system, &log);
            log.listens_at(Some(system.master_url("")));
        }
        log.end();
    });
    let (settled, before) = check(&system, &log);
    // Nor does a run of its own find anything to do.
    system.kill_master();
    system.once_ok();
    assert_eq!(State::read(&system), before);
    system.start_master(&[]);
    assert_eq!(settle(&system), settled);
    before.wait(&system);
}

/// Checks what paths stand for, while nobody asks for anything. Returns it, and what is stored.
fn check(system: &System, log: &Log) -> (BTreeMap<&'static str, Value>, State) {
    let settled = settle(system);
    judge::judge(&log.operations(), &settled);
    let expected = State::expected(log, &settled);
    expected.wait(system);
    (settled, expected)
}

/// Waits until no document is under way. Returns the document of each path that stands for one.
fn settle(system: &System) -> BTreeMap<&'static str, Value> {
    wait::until("all documents have ended", || {
        let uploads = system.json("/api/v1/uploads");
        let mut uploads = uploads["items"].as_array().unwrap().iter();
        uploads.all(|upload| matches!(upload["state"].as_str().unwrap(), "complete" | "failed")).then_some(())
    });
    let mut standing = BTreeMap::new();
    for path in PATHS {
        let answer = system.ask("GET", &log::url(path), "");
        assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.text());
        let document: Value = serde_json::from_slice(&answer.body).unwrap();
        if document["state"] == "complete" {
            standing.insert(path, document);
        }
    }
    standing
}

/// All that is stored of documents.
#[derive(Debug, PartialEq)]
struct State {
    /// By sku.
    products: Products,
    /// By name.
    report: BTreeMap<String, i64>,
    /// Path, id and place of the documents that have a place.
    places: BTreeSet<String>,
    /// Names in the folder.
    files: BTreeSet<String>,
}

impl State {
    fn read(system: &System) -> Self {
        let mut store = system.store();
        let table = store.stored_report("orders").unwrap();
        let report = table.map(|table| store.report_rows(&table, ReportRange::ALL).unwrap());
        let row = |row: GroupRow| match row.values[..] {
            [ReportValue::Integer(rows)] => (row.group.concat(), rows),
            _ => panic!("{row:?}"),
        };
        let standing = store.all_standing_documents().unwrap();
        let folder = fs::read_dir(system.beside("uploads")).unwrap();
        Self {
            products: system.products(),
            report: report.into_iter().flatten().map(row).collect(),
            places: standing.iter().map(|row| format!("{} {} {:?}", row.path, row.id, row.place)).collect(),
            files: folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect(),
        }
    }

    /// Computes it from what the paths stand for, as the clients sent it.
    fn expected(log: &Log, standing: &BTreeMap<&str, Value>) -> Self {
        let id = |document: &Value| document["id"].as_str().unwrap().to_owned();
        let place = |(path, document): (&&str, &Value)| format!("{path} {} Some(Current)", id(document));
        let file = |(path, document): (&&str, &Value)| format!("{}.{}", path.replace('/', "%2F"), id(document));
        let (mut products, mut report) = (Products::new(), BTreeMap::new());
        for (path, document) in standing {
            let body = log.body(document["hash"].as_str().unwrap());
            for row in body.lines().skip(1) {
                let (sku, name) = row.split_once(',').unwrap();
                products.insert(sku.to_owned(), (name.to_owned(), String::new()));
                if path.starts_with("orders/") {
                    *report.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
        let (places, files) = (standing.iter().map(place).collect(), standing.iter().map(file).collect());
        Self { products, report, places, files }
    }

    /// Waits until it is so: rows of what was taken back last go in a pass of their own.
    #[track_caller]
    fn wait(&self, system: &System) {
        let deadline = Instant::now() + wait::MAX_WAIT;
        while State::read(system) != *self && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(State::read(system), *self);
    }
}
