//! Reports that others compute are those of the push-down, to the last digit: others are DataFusion behind a scheduler that stands in for a
//! real one, and a real Ballista cluster, if `TRIBUTARY_E2E_BALLISTA` names its scheduler.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::Path,
};

use e2e::{Master, PythonProgram};
use serde_json::Value;
use tributary_testkit::{process::Daemon, wait};

/// Reports in every shape that a cluster computes.
const SHAPES: [(&str, &str); 11] = [
    ("counts", "group_by = \"shop\"\nmetrics = { n = \"count()\" }"),
    (
        "all",
        "group_by = [\"shop\", \"item\"]\nmetrics = { n = \"count()\", s = \"sum(price)\", m = \"mean(price)\", l = \"min(price)\", \
         g = \"max(price)\", r = \"sum(price * quantity)\", a = \"mean(quantity)\" }",
    ),
    ("total", "metrics = { n = \"count()\", s = \"sum(price)\", m = \"mean(price)\", g = \"max(quantity)\" }"),
    (
        "filtered",
        "where = \"price > 2.5 AND shop <> 'south' OR note IS NULL\"\ngroup_by = \"item\"\nmetrics = { n = \"count()\", s = \"sum(price)\" }",
    ),
    (
        "listed",
        "where = \"quantity BETWEEN 1 AND 50 AND NOT item IN ('pen', 'it''s')\"\ngroup_by = \"shop\"\nmetrics = { s = \"sum(quantity)\" }",
    ),
    (
        "checked",
        "check = \"quantity IS NULL OR quantity >= -100\"\ngroup_by = \"shop\"\nmetrics = { s = \"sum(quantity)\" }",
    ),
    (
        "formula",
        "group_by = \"shop\"\nmetrics = { s = \"sum(price * quantity - 0.05 * price)\", l = \"min(-price)\", c = \"sum(1)\" }",
    ),
    (
        "numbers",
        "where = \"quantity IS NOT NULL\"\ncheck = \"quantity < 1000\"\ngroup_by = \"code\"\nmetrics = { s = \"sum(code)\" }",
    ),
    ("long", "group_by = \"shop\"\nmetrics = { s = \"sum(long)\", l = \"min(long)\", g = \"max(long)\" }"),
    (REJECTING, "check = \"quantity > 0\"\ngroup_by = \"shop\"\nmetrics = { n = \"count()\", s = \"sum(quantity)\" }"),
    ("empty", "where = \"price > 1000000000\"\ngroup_by = \"shop\"\nmetrics = { s = \"sum(price)\" }"),
];
const COLUMNS: [&str; 7] = ["shop", "item", "price", "quantity", "note", "code", "long"];
/// Files that the cluster computes for every report but one.
const PLAIN_FILES: u64 = 6;
/// A report whose `check` rejects rows, which only the push-down can list.
const REJECTING: &str = "rejecting";

/// Numbers that look random, and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn row(&mut self) -> [String; 7] {
        let shop = ["north", "south", "zürich", "東京", "a\"b", "x;y", "x,y", "Zoo", "zoo"][self.next(9) as usize];
        let item = ["pen", "ink", "it's", "NULL-ish", "🖋", "1"][self.next(6) as usize];
        let price = match self.next(8) {
            0 => String::new(),
            1 => format!("-{}.{}", self.next(100), self.next(10)),
            2 => format!("00{}.{:02}", self.next(10), self.next(100)),
            3 => "-0".to_owned(),
            _ => format!("{}.{:02}", self.next(10_000), self.next(100)),
        };
        let quantity = if self.next(10) == 0 { String::new() } else { format!("{}", self.next(200) as i64 - 100) };
        let note = if self.next(3) == 0 { String::new() } else { format!("note {}", self.next(5)) };
        let long = format!("{}{:018}.{:04}", 1 + self.next(9), self.next(u32::MAX.into()), self.next(10_000));
        [shop.to_owned(), item.to_owned(), price, quantity, note, format!("{:03}", self.next(40)), long]
    }
}

/// A file with these columns in this order.
fn table(numbers: &mut Numbers, rows: usize, (delimiter, end): (&str, &str), order: [usize; 7]) -> String {
    let cell = |text: &str| match text.contains(['"', ',', ';', '\t']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let mut text = order.map(|at| COLUMNS[at]).join(delimiter) + end;
    for _ in 0..rows {
        let row = numbers.row();
        let _ = write!(text, "{}{end}", order.map(|at| cell(&row[at])).join(delimiter));
    }
    text
}

/// Writes files that are plain, and some that are not.
pub(crate) fn write_files(folder: &Path) {
    let (mut numbers, order) = (Numbers(1), [0, 1, 2, 3, 4, 5, 6]);
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put("a comma.csv", &table(&mut numbers, 5_000, (",", "\n"), order));
    put("tabs.tsv", &table(&mut numbers, 3_000, ("\t", "\r\n"), order));
    put("ünï;code.csv", table(&mut numbers, 3_000, (";", "\n"), [6, 5, 4, 3, 2, 1, 0]).trim_end());
    put("none.csv", &table(&mut numbers, 0, (",", "\n"), order));
    put("one.csv", &table(&mut numbers, 1, (",", "\n"), order));
    // Large enough to be divided among executors.
    put("large.csv", &table(&mut numbers, 170_000, (",", "\n"), order));
    let head = "shop,item,price,quantity,note,code,long\n";
    put("ragged.csv", &format!("{head}north,pen,1,2,x,1,5\nnorth,pen\nsouth,ink,2,3,y,2,6\n"));
    put("lines.csv", &format!("{head}north,pen,1,2,\"two\nlines\",1,5\nnorth,pen,1,2,x,1,5\n"));
    put("mark.csv", &format!("\u{feff}{head}north,pen,1,2,x,1,5\n"));
}

/// The configuration with each report twice: `p_…` by the push-down, `b_…` by the cluster.
pub(crate) fn configuration(source: &str, scheduler: &str) -> String {
    let mut text = format!(
        "[engine]\nballista = \"{scheduler}\"\n\n[[source]]\nname = \"north\"\nurl = \"{source}\"\nmax_rejects = 1000000\n\
         poll_interval = \"200ms\"\n"
    );
    for (name, lines) in SHAPES {
        for (kind, engine) in [("p", "push-down"), ("b", "ballista")] {
            let _ = write!(
                text,
                "\n[[report]]\nname = \"{kind}_{name}\"\nfiles = \"**\"\n{lines}\nengine = \"{engine}\"\n"
            );
        }
    }
    text
}

/// The summaries of all reports, once none of them is computed any more.
pub(crate) fn settled(master: &Master) -> Vec<Value> {
    wait::within(std::time::Duration::from_secs(300), std::time::Duration::from_millis(200), || {
        let reports = master.api("/api/v1/reports")?["items"].as_array()?.clone();
        reports.iter().all(|report| report["state"] != "computing").then_some(reports)
    })
    .expect("all reports are computed")
}

/// Compares the reports of a cluster with those of the push-down.
fn compare(scheduler: &str) {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let source = Daemon::source(folder.path());
    compare_reports(&Master::start(&configuration(&source.url, scheduler), &[]));
}

/// Waits for the reports of a master, and compares those of the cluster with the others.
pub(crate) fn compare_reports(master: &Master) {
    let reports = settled(master);
    for (name, _) in SHAPES {
        let rows = |kind: &str| master.api(&format!("/api/v1/reports/{kind}_{name}")).unwrap()["items"].to_string();
        assert_eq!(rows("b"), rows("p"), "{name}");
        let report = reports.iter().find(|report| report["name"] == format!("b_{name}")).unwrap();
        assert_ne!(report["state"], "failed", "{report}");
        let notes = || master.api(&format!("/api/v1/files?reader=b_{name}")).unwrap().to_string();
        let least = if name == REJECTING { 1 } else { PLAIN_FILES };
        assert!(report["engines"]["ballista"].as_u64() >= Some(least), "{name}: {}", notes());
    }
}

/// DataFusion computes what an executor does, and the rest is the same.
#[test]
fn datafusion_computes_what_the_push_down_does() {
    let (_scheduler, url) = datafusion(&[]);
    compare(&url);
}

/// Starts a program that stands in for a scheduler and its executors, with these variables. Returns its address, too.
pub(crate) fn datafusion(variables: &[(&str, String)]) -> (PythonProgram, String) {
    let script = include_str!("scheduler.py");
    let mut scheduler = PythonProgram::start_with(script, &[], variables);
    let mut lines = BufReader::new(scheduler.0.stdout.take().unwrap()).lines();
    let url = lines.next().expect("it prints its address").unwrap();
    // It prints statements, which would fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (scheduler, url)
}

#[test]
fn a_cluster_computes_what_the_push_down_does() {
    if let Some(scheduler) = real_cluster() {
        compare(&scheduler);
    }
}

/// The scheduler of a real cluster, if there is one.
pub(crate) fn real_cluster() -> Option<String> {
    let scheduler = std::env::var("TRIBUTARY_E2E_BALLISTA").ok().filter(|scheduler| !scheduler.is_empty());
    if scheduler.is_none() {
        eprintln!("TRIBUTARY_E2E_BALLISTA names no scheduler: `cargo xtask cluster run` starts one");
    }
    scheduler
}
