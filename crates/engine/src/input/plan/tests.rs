//! Plans for a reader that only tests know.

use std::cell::Cell;

use tributary_format_rules::FormatRules;
use tributary_protocol::{Order, Unreadable};

use super::*;
use crate::input::ResultLink;

/// Reads what begins with its prefix, as `r2`, or `r2+` and the delimiter.
#[derive(Default)]
struct TestReader {
    claims: &'static str,
    /// The number of readings that were computed.
    readings: Cell<usize>,
}

impl Reader for TestReader {
    fn name(&self) -> String {
        "test".into()
    }

    fn claims(&self, path: &str) -> bool {
        path.starts_with(self.claims)
    }

    fn reading(&self, format: &FormatSpec) -> String {
        self.readings.set(self.readings.get() + 1);
        format.delimiter.as_ref().map_or("r2".into(), |delimiter| format!("r2+{delimiter}"))
    }

    fn rank(&self, format: &FormatSpec, entry: &ManifestEntry) -> Rank {
        let is_of_content = format.order == Some(Order::Modified);
        Rank { key: format.order.map(|_| entry.modified.clone()).unwrap_or_default(), is_of_content }
    }

    fn links(&self, _: &str, _: &str) -> Vec<ResultLink> {
        Vec::new()
    }
}

fn file(path: &str, accepted: Option<(&str, &str)>, rejected: Option<(&str, &str)>, state: FileState) -> FileRow {
    let text = |pair: Option<(&str, &str)>| (pair.map(|p| p.0.to_owned()), pair.map(|p| p.1.to_owned()));
    let ((hash, reading), (rejected_hash, rejected_reading)) = (text(accepted), text(rejected));
    let new = FileRow::new("test", 1, path);
    FileRow { hash, reading, state, rejected_reason: rejected_hash.clone(), rejected_hash, rejected_reading, ..new }
}

fn manifest(paths: &[&str]) -> CompactManifest {
    let entry = |path: &&str| ManifestEntry {
        path: (*path).into(),
        size: 1,
        hash: "h2".into(),
        modified: "now".into(),
        ..ManifestEntry::default()
    };
    CompactManifest { version: "v".into(), files: paths.iter().map(entry).collect(), ..CompactManifest::default() }
}

fn formats(rules: Vec<FormatSpec>) -> SourceFormats {
    SourceFormats { own: FormatRules::new(&rules).unwrap(), ..SourceFormats::default() }
}

fn by_path(files: &[FileRow]) -> KnownFiles {
    files.iter().cloned().collect()
}

/// The word for what a plan does with its only file.
fn did(plan: &Plan) -> &'static str {
    match (plan.read.len(), plan.settled.len(), plan.reranked.len(), plan.removed.len()) {
        (1, 0, 0, 0) => "read",
        (0, 1, 0, 0) => "settled",
        (0, 0, 1, 0) => "reranked",
        (0, 0, 0, 1) => "removed",
        (0, 0, 0, 0) => "nothing",
        other => panic!("{other:?}"),
    }
}

/// The manifest lists `a` with the hash `h2`; `r2` is the reading now. `expect` is what the plan does with `a`.
#[track_caller]
fn check(stored: Option<FileRow>, expect: &str) {
    let reader = TestReader::default();
    let plan = Planner(()).plan(&reader, (&manifest(&["a"]), &SourceFormats::default()), &by_path(stored.as_slice()));
    assert_eq!(did(&plan), expect);
    assert_eq!(plan.is_empty(), expect == "nothing");
}

#[test]
fn each_case() {
    use FileState::{Applied, Changing, Rejected};
    check(None, "read");
    check(Some(file("a", Some(("h2", "r2")), None, Applied)), "nothing");
    check(Some(file("a", Some(("h1", "r2")), None, Applied)), "read");
    check(Some(file("a", Some(("h2", "r1")), None, Applied)), "read");
    check(Some(file("a", None, Some(("h2", "r2")), Rejected)), "nothing");
    check(Some(file("a", None, Some(("h2", "r1")), Rejected)), "read");
    check(Some(file("a", Some(("h2", "r2")), Some(("h1", "r2")), Rejected)), "settled");
    check(Some(file("a", Some(("h2", "r2")), None, Changing)), "settled");
    check(Some(file("a", Some(("h1", "r2")), None, Changing)), "read");
    check(Some(file("a", None, None, Changing)), "read");
}

#[test]
fn a_file_that_is_not_listed_or_not_claimed_goes() {
    let stored =
        [file("a", Some(("h", "r")), None, FileState::Applied), file("b", Some(("h", "r")), None, FileState::Applied)];
    let none = SourceFormats::default();
    let planned = |claims, manifest: &CompactManifest| {
        Planner(()).plan(&TestReader { claims, ..TestReader::default() }, (manifest, &none), &by_path(&stored))
    };
    let removed = |claims, manifest: &CompactManifest| planned(claims, manifest).removed;
    let empty = manifest(&[]);
    assert_eq!(removed("", &empty), stored);
    let unreadable = vec![Unreadable { path: "a".into(), error: "denied".into() }];
    let unreadable = CompactManifest { unreadable, ..empty };
    assert_eq!(removed("", &unreadable), stored[1..]);
    assert_eq!(removed("c", &unreadable), stored, "it is claimed no longer");
    assert_eq!(removed("b", &manifest(&["a"])), stored, "it is claimed no longer");
    assert_eq!(planned("b", &manifest(&["a"])).left_out, HashSet::from(["a".to_owned()]));
    assert_eq!(planned("", &manifest(&["a"])).left_out, HashSet::new());
}

/// A time is the rank of a content: a rejected content must not change the rank of the accepted one.
#[test]
fn another_rank_is_stored_unless_it_is_that_of_a_rejected_content() {
    let ranked = |order| formats(vec![FormatSpec { order: Some(order), ..FormatSpec::default() }]);
    let check = |stored: FileRow, order, expect| {
        let plan = Planner(()).plan(&TestReader::default(), (&manifest(&["a"]), &ranked(order)), &by_path(&[stored]));
        assert_eq!(did(&plan), expect);
        assert!(plan.reranked.iter().all(|file| file.rank_key == "now"), "{plan:?}");
    };
    let applied = || file("a", Some(("h2", "r2")), None, FileState::Applied);
    check(applied(), Order::Natural, "reranked");
    check(applied(), Order::Modified, "reranked");
    check(FileRow { rank_key: "now".into(), ..applied() }, Order::Natural, "nothing");
    let rejected = || file("a", Some(("h1", "r2")), Some(("h2", "r2")), FileState::Rejected);
    check(rejected(), Order::Natural, "reranked");
    check(rejected(), Order::Modified, "nothing");
}

/// Guards against a pass over many files that digests the same settings for each of them.
#[test]
fn each_format_is_digested_once() {
    let reader = TestReader::default();
    let tabs = FormatSpec { files: vec!["*.tsv".into()], delimiter: Some("\t".into()), ..FormatSpec::default() };
    let paths = ["a.csv", "b.tsv", "c.csv", "d.tsv"];
    let manifest = manifest(&paths);
    let mut plan = Planner(()).plan(&reader, (&manifest, &formats(vec![tabs])), &KnownFiles::default());
    let read: Vec<_> = plan.read.iter(&manifest.files, &reader).collect();
    assert_eq!(read.iter().map(|file| &*file.entry.path).collect::<Vec<_>>(), paths);
    let readings: Vec<_> = read.iter().map(|file| &*file.reading).collect();
    assert_eq!(readings, ["r2", "r2+\t", "r2", "r2+\t"]);
    assert_eq!(reader.readings.get(), 2);
    let tabs = plan.read.filtered(&manifest.files, &reader, |file| file.format.delimiter.is_some());
    assert_eq!(tabs.paths(&manifest.files).collect::<Vec<_>>(), ["b.tsv", "d.tsv"]);
    assert_eq!(plan.read.put_off(3, &manifest.files), ["d.tsv"]);
    assert_eq!(plan.read.len(), 3);
}

#[tokio::test]
async fn nobody_plans_on_an_async_worker() {
    let thread = || std::thread::current().id();
    let planned_on = plan_aside(move |planner| {
        Planner::plan(
            planner,
            &TestReader::default(),
            (&manifest(&["a"]), &SourceFormats::default()),
            &KnownFiles::default(),
        );
        thread()
    });
    assert_ne!(planned_on.await.unwrap(), thread());
}

#[test]
fn what_is_gone_is_found_between_what_is_listed() {
    let stored: Vec<_> =
        ["a", "a.b", "c", "e"].map(|path| file(path, Some(("h2", "r2")), None, FileState::Applied)).into();
    let gone = |listed: &[&str]| {
        let none = SourceFormats::default();
        let plan = Planner(()).plan(&TestReader::default(), (&manifest(listed), &none), &by_path(&stored));
        plan.removed.into_iter().map(|file| file.path).collect::<Vec<_>>()
    };
    assert_eq!(gone(&["a", "a.b", "c", "e"]), [""; 0]);
    assert_eq!(gone(&["", "a.b", "b", "d", "e", "f"]), ["a", "c"]);
    assert_eq!(gone(&["f"]), ["a", "a.b", "c", "e"]);
    assert_eq!(gone(&[]), ["a", "a.b", "c", "e"]);
}
