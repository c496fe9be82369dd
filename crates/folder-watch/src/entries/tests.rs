//! Compares lists of entries with sorted maps, and deltas with the manifests that they lead to.

use std::{collections::BTreeMap, time::UNIX_EPOCH};

use proptest::prelude::*;
use tributary_protocol::{Manifest, ManifestEntry};

use super::*;
use crate::{Snapshot, Stat};

/// Size and hash of a content in one number, and whether it is partial, by path.
type Model = BTreeMap<String, (u64, bool)>;

/// Enough paths for several chunks, of which some begin one.
const PATHS: u64 = 2_000;

fn path(number: u64) -> String {
    format!("{:02}/{number}.csv", number % 7)
}

fn entry(path: &str, content: u64, is_partial: bool) -> Entry {
    let stat = Stat { size: content, mtime_ns: 0, ctime_ns: 0, ino: content };
    Entry { path: path.to_owned(), hash: content.to_string(), size: content, stat, is_partial }
}

/// Puts another content at a path, or removes it.
#[derive(Debug, Clone)]
struct Change {
    path: u64,
    to: Option<(u64, bool)>,
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let change = (0..PATHS, proptest::option::of((0..5_u64, any::<bool>()))).prop_map(|(path, to)| Change { path, to });
    proptest::collection::vec(change, 1..most)
}

fn apply(change: &Change, entries: &mut Entries, model: &mut Model) {
    let path = path(change.path);
    match change.to {
        Some((content, is_partial)) => {
            entries.insert(entry(&path, content, is_partial));
            model.insert(path, (content, is_partial));
        }
        None => assert_eq!(entries.remove(&path), model.remove(&path).is_some()),
    }
}

fn assert_holds(entries: &Entries, model: &Model) {
    let listed = entries.iter().map(|entry| (entry.path.clone(), (entry.size, entry.is_partial)));
    assert!(listed.eq(model.iter().map(|(path, content)| (path.clone(), *content))), "{entries:?} {model:?}");
    let partial = model.values().filter(|(_, is_partial)| *is_partial).count();
    let bytes: u64 = model.values().map(|(size, _)| size).sum();
    assert_eq!((entries.len(), entries.bytes(), entries.partial()), (model.len(), bytes, partial));
}

/// All paths, in an order that is not theirs.
fn many() -> (Entries, Model) {
    let (mut entries, mut model) = (Entries::default(), Model::default());
    for number in 0..PATHS {
        apply(&Change { path: number * 999 % PATHS, to: Some((1, false)) }, &mut entries, &mut model);
    }
    (entries, model)
}

fn shared(one: &Entries, other: &Entries) -> usize {
    one.chunks.iter().filter(|chunk| other.chunks.iter().any(|other| Arc::ptr_eq(chunk, other))).count()
}

#[test]
fn a_change_copies_what_lies_around_it() {
    let (before, mut model) = many();
    let chunks = before.chunks.len();
    assert!(chunks > 3, "else this tests nothing");
    for number in 0..PATHS {
        let mut after = before.clone();
        after.insert(entry(&path(number), 7, false));
        assert_eq!(shared(&before, &after), chunks - 1);
        assert_eq!(before.differing(&after), [path(number).into()]);
        assert!(after.remove(&path(number)));
        assert!(shared(&before, &after) >= chunks - 2, "a removal may join two chunks");
        assert_eq!(after.differing(&before), [path(number).into()]);
        after.insert(entry(&path(number), 1, false));
        assert_eq!((after.chunks.len(), before.differing(&after)), (chunks, vec![]));
    }
    let mut none = before.clone();
    for number in 0..PATHS {
        apply(&Change { path: number, to: None }, &mut none, &mut model);
    }
    assert_eq!((none.chunks.len(), none.digest(), model.len()), (0, None, 0));
    assert_eq!(none.differing(&before).len(), PATHS as usize);
}

#[test]
fn entries_are_found_from_a_path_on() {
    let (entries, model) = many();
    for from in ["", "00/", "03/5", "03/5.csv", "06/zzz", "zzz"] {
        let found = entries.from(from).map(|entry| &entry.path);
        assert!(found.eq(model.range(from.to_owned()..).map(|(path, _)| path)), "{from}");
    }
    assert_eq!(Entries::default().from("a").count(), 0);
    for other in ["", "00", "00/7", "00/7.csv.gz", "zzz"] {
        assert_eq!(entries.get(other), None, "{other}");
    }
}

#[test]
fn a_path_that_only_got_other_times_does_not_differ() {
    let before: Entries = [entry("a.csv", 1, false), entry("b.csv", 1, false)].into_iter().collect();
    let mut after = before.clone();
    after.insert(Entry { stat: Stat { mtime_ns: 1, ..entry("a.csv", 1, false).stat }, ..entry("a.csv", 1, false) });
    assert_eq!((before.differing(&after), before == after), (vec![], false));
    after.insert(entry("b.csv", 1, true));
    assert_eq!(before.differing(&after), ["b.csv".into()]);
}

/// The manifest of a caller that read a whole manifest and then a delta.
fn joined(whole: Manifest, delta: Manifest) -> Manifest {
    let mut files: BTreeMap<String, ManifestEntry> =
        whole.files.into_iter().map(|file| (file.path.clone(), file)).collect();
    delta.removed.iter().for_each(|path| drop(files.remove(path)));
    files.extend(delta.files.into_iter().map(|file| (file.path.clone(), file)));
    Manifest { files: files.into_values().collect(), since: None, removed: Vec::new(), ..delta }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A list holds what a map holds, and its digest does not depend on how it came about.
    #[test]
    fn a_list_is_a_sorted_map(changes in changes(400)) {
        let (mut entries, mut model) = many();
        for change in &changes {
            apply(change, &mut entries, &mut model);
        }
        assert_holds(&entries, &model);
        let again: Entries = model.iter().map(|(path, (content, partial))| entry(path, *content, *partial)).collect();
        prop_assert_eq!(again.digest(), entries.digest());
        prop_assert_eq!(again.chunks.len(), entries.chunks.len());
        prop_assert!(again == entries && again.differing(&entries).is_empty());
    }

    /// A delta from any earlier version turns the manifest of then into that of now.
    #[test]
    fn deltas_lead_to_the_current_manifest(versions in proptest::collection::vec(changes(12), 1..8), few in any::<bool>()) {
        let (mut entries, mut model) = if few { (Entries::default(), Model::default()) } else { many() };
        let snapshot = |entries: &Entries, closed: bool| {
            let unreadable = closed.then(|| ("z/".to_owned(), "denied".to_owned())).into_iter().collect();
            Snapshot::new(entries.clone(), unreadable, Arc::default(), UNIX_EPOCH)
        };
        let mut snapshots = vec![snapshot(&entries, false)];
        for (number, changes) in versions.iter().enumerate() {
            for change in changes {
                // Few paths come, change and go again and again.
                let path = if few { change.path % 4 } else { change.path };
                apply(&Change { path, ..change.clone() }, &mut entries, &mut model);
            }
            let mut next = snapshot(&entries, number % 2 == 0);
            next.follow(&snapshots[number]);
            snapshots.push(next);
        }
        let now = &snapshots[versions.len()];
        for earlier in &snapshots {
            let delta = now.delta(&earlier.version).expect("each version is remembered");
            prop_assert!(delta.removed.is_sorted() && delta.files.is_sorted_by_key(|file| file.path.clone()));
            prop_assert_eq!(joined(earlier.into(), delta), Manifest::from(now));
        }
    }
}
