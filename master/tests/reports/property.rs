//! Whatever happens to files, sources, reports and the master, in the end the reports are what a recount of the folders gives, and a
//! fresh database of the same folders holds the same rows.

use std::{collections::BTreeSet, fs, time::Duration};

use proptest::{prelude::*, sample::Index};
use serde_json::Value;
use tributary_store::{GroupRow, ReportRange};

use super::{
    configure,
    model::{ALL, ALL_NO_FEEDS, KINDS, SALES, SALES_OTHERWISE, SALES_RENAMED, Spec, contents},
    wait_for,
};
use crate::system::System;

const SOURCES: [&str; 2] = ["north", "south"];
const PATHS: [&str; 5] = ["sales.csv", "b_sales.csv", "sales_é.csv", "b.csv", "c.csv"];
/// The declarations that each report may have.
const VARIANTS: [&[Spec]; 3] = [&[SALES, SALES_RENAMED, SALES_OTHERWISE], &[ALL, ALL_NO_FEEDS], &[KINDS]];

#[derive(Debug, Clone)]
enum Action {
    Write(Index, Index, String),
    /// By renaming, so that nobody sees a half of it.
    Replace(Index, Index, String),
    /// A file that some report or all of them must reject.
    Spoil(Index, Index, u8),
    Rename(Index, Index, Index),
    Delete(Index, Index),
    RestartSource(Index),
    /// SIGKILL of the master after so many milliseconds, and its start with a report declared otherwise, or as before.
    Kill(u64, Option<(Index, Index)>),
    /// The reports are what the folders give, if no file is rejected.
    Look,
}

/// Good and bad rows.
fn sales() -> impl Strategy<Value = String> {
    let text = |texts: &'static [&'static str]| proptest::sample::select(texts);
    let row = (
        text(&["", "s1", "s2", "s3"]),
        text(&["x", "y", "z", ""]),
        text(&["toys", " books ", "", "a,b", "say \"x\"", "two\nlines", "é"]),
        text(&["1", "2", " 30 ", "-4", "", "many", "0", "1_5"]),
        text(&["", "", "", "", "more"]),
    );
    (proptest::collection::vec(row, 0..12), any::<bool>()).prop_map(|(rows, turned)| {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let turn = |mut fields: Vec<&str>| {
            if turned {
                fields[..5].reverse();
            }
            fields.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        writer.write_record(turn(vec!["sku", "name", "kind", "dept", "n"])).unwrap();
        for (sku, kind, dept, n, more) in &rows {
            let mut fields = vec![*sku, "A", *kind, *dept, *n];
            fields.extend((!more.is_empty()).then_some(*more));
            writer.write_record(turn(fields)).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    })
}

fn action() -> impl Strategy<Value = Action> {
    use Action::*;
    let i = any::<Index>;
    prop_oneof![
        6 => (i(), i(), sales()).prop_map(|(a, b, c)| Write(a, b, c)),
        6 => (i(), i(), sales()).prop_map(|(a, b, c)| Replace(a, b, c)),
        3 => (i(), i(), 0..4u8).prop_map(|(a, b, c)| Spoil(a, b, c)),
        2 => (i(), i(), i()).prop_map(|(a, b, c)| Rename(a, b, c)),
        3 => (i(), i()).prop_map(|(a, b)| Delete(a, b)),
        1 => i().prop_map(RestartSource),
        4 => (0..400u64, proptest::option::weighted(0.6, (i(), i()))).prop_map(|(a, b)| Kill(a, b)),
        1 => Just(Look),
    ]
}

/// Whether a product feed of this content keeps what was accepted before: it has rows, and none is an offer.
fn is_rejected_feed(content: &[u8]) -> bool {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(content);
    let header = reader.headers().unwrap().clone();
    let Some(sku) = header.iter().position(|name| name == "sku") else { return true };
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    !rows.is_empty() && rows.iter().all(|row| row.len() != header.len() || row[sku].trim().is_empty())
}

struct World {
    system: System,
    specs: Vec<Spec>,
}

impl World {
    fn new() -> Self {
        let mut system = System::new();
        SOURCES.iter().for_each(|source| drop(system.serve(source)));
        let mut world = Self { system, specs: VARIANTS.iter().map(|variants| variants[0].clone()).collect() };
        world.start_master(&[]);
        world
    }

    fn start_master(&mut self, args: &[&str]) {
        configure(&self.system, &SOURCES, &self.specs.iter().map(Spec::section).collect::<String>());
        self.system.start_master(args);
    }

    fn act(&mut self, action: Action) {
        let folder = |source: Index| self.system.folder(source.get::<&str>(&SOURCES));
        match action {
            Action::Write(source, path, content) => fs::write(folder(source).join(path.get(&PATHS)), content).unwrap(),
            Action::Replace(source, path, content) => {
                let folder = folder(source);
                fs::write(folder.join(".new"), content).unwrap();
                fs::rename(folder.join(".new"), folder.join(path.get(&PATHS))).unwrap();
            }
            Action::Spoil(source, path, how) => {
                let content: &[u8] = match how {
                    0 => b"",
                    1 => b"sku,name\ns1,A\n",
                    2 => b"n,sku\n1,s1\n\"never closed,1\n",
                    _ => b"\x1f\x8b\x00\xff\xfe,\n\n\"",
                };
                fs::write(folder(source).join(path.get(&PATHS)), content).unwrap();
            }
            Action::Rename(source, from, to) => {
                let folder = folder(source);
                let _ = fs::rename(folder.join(from.get(&PATHS)), folder.join(to.get(&PATHS)));
            }
            Action::Delete(source, path) => drop(fs::remove_file(folder(source).join(path.get(&PATHS)))),
            Action::RestartSource(source) => {
                let source = source.get(&SOURCES);
                let url = self.system.url(source).to_owned();
                self.system.serve_at(source, &url);
            }
            Action::Kill(after, declared) => {
                // The moment is the condition here.
                std::thread::sleep(Duration::from_millis(after));
                self.system.kill_master();
                if let Some((report, variant)) = declared {
                    let report = report.index(VARIANTS.len());
                    self.specs[report] = variant.get(VARIANTS[report]).clone();
                }
                self.start_master(&[]);
            }
            Action::Look => self.look(),
        }
    }

    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        SOURCES.iter().flat_map(|source| contents(&self.system.folder(source))).collect()
    }

    /// Waits for what the folders give, where it does not depend on what was there before.
    fn look(&self) {
        let contents = self.contents();
        for spec in &self.specs {
            let claimed: Vec<_> = contents.iter().filter(|(path, _)| (spec.claims)(path)).map(|(_, it)| it).collect();
            if !claimed.iter().any(|content| spec.rejects(content)) {
                wait_for(&self.system, spec.name, &spec.rows(claimed));
            }
        }
    }

    /// No file is rejected from now on.
    fn mend(&self) {
        for source in SOURCES {
            for (path, content) in contents(&self.system.folder(source)) {
                if [SALES, ALL, KINDS].iter().any(|spec| spec.rejects(&content)) || is_rejected_feed(&content) {
                    fs::write(self.system.folder(source).join(path), "sku,name,kind,dept,n\ns9,Z,x,mended,1\n")
                        .unwrap();
                }
            }
        }
    }

    /// All rows of all reports, from the database.
    fn rows(&self) -> Vec<Vec<GroupRow>> {
        let mut store = self.system.store();
        let mut rows = |spec: &Spec| {
            let table = store.stored_report(spec.name).unwrap().unwrap();
            store.report_rows(&table, ReportRange::ALL).unwrap()
        };
        self.specs.iter().map(&mut rows).collect()
    }

    fn skus(&self) -> BTreeSet<String> {
        let items = self.system.json("/api/v1/products?limit=1000");
        let sku = |item: &Value| item["sku"].as_str().unwrap().to_owned();
        items["items"].as_array().unwrap().iter().map(sku).collect()
    }
}

proptest! {
    // Each step runs real processes; PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").map_or(5, |cases| cases.parse().unwrap()), max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reports_are_a_function_of_folders_and_configuration(actions in proptest::collection::vec(action(), 5..30)) {
        let mut world = World::new();
        actions.into_iter().for_each(|action| world.act(action));
        world.mend();
        world.look();
        world.system.sync();
        world.look();
        let (kept, skus) = (world.rows(), world.skus());
        world.system.kill_master();
        world.system.use_another_database();
        world.start_master(&[]);
        world.system.sync();
        world.look();
        prop_assert_eq!(kept, world.rows());
        prop_assert_eq!(skus, world.skus());
    }
}
