//! A file from its first content to its deletion, against a real database.

use tributary_store::{Error, RejectFilter};

use super::*;

/// Results that are one text, stored as a partial.
struct TestTables;

impl<'a> ResultTables<'a> for TestTables {
    type Results = &'a str;
    type Changes = usize;

    fn write(store: &mut Store, file: i64, text: &'a str) -> Result<usize> {
        store.clear_partial(file)?;
        store.add_partial_piece(file, 0, text.as_bytes())?;
        Ok(text.len())
    }

    fn remove(store: &mut Store, file: i64) -> Result<usize> {
        store.clear_partial(file)?;
        Ok(0)
    }
}

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    row: FileRow,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("database.db").to_str().unwrap().parse().unwrap()).unwrap();
        let source = store.put_source("north", "http://x", 0, 0).unwrap();
        Self { store, row: FileRow::new("test", source, "a.csv"), _folder: folder }
    }

    fn write(&mut self, mut update: FileUpdate, results: Option<&str>) -> Option<usize> {
        let written = update.write::<TestTables>(&mut self.store, results).unwrap();
        self.row = update.row;
        assert_eq!(self.store.files("test", self.row.source_id).unwrap(), std::slice::from_ref(&self.row));
        written
    }

    fn accept(&mut self, hash: &str, rejects: &[&str]) {
        let (rank, entry) = (rank(hash, true), entry(hash));
        let key = ContentKey { entry: &entry, reading: "r", rank: &rank };
        let found = Findings {
            rows: 9,
            results: 5,
            unused: 2,
            rejected: rejects.len() as u64,
            repaired: 1,
            notes: &["one".to_owned(), "two".to_owned()],
            format: Some("UTF-8"),
            rejects: rejects.iter().map(|reason| reject_row(1, 2, (*reason).to_owned(), "raw".to_owned())).collect(),
        };
        let update = FileUpdate::accepted(self.row.clone(), key, found);
        assert_eq!(self.write(update, Some(hash)), Some(hash.len()));
    }

    fn reject(&mut self, hash: &str, is_of_content: bool, rows: &[&str]) {
        let (rank, entry) = (rank(hash, is_of_content), entry(hash));
        let key = ContentKey { entry: &entry, reading: "r", rank: &rank };
        let reject = FileReject {
            line: 3,
            raw: "x".into(),
            header: vec!["a".into(), "b".into()],
            ..FileReject::of_file("no header")
        };
        let rows = rows.iter().map(|reason| reject_row(4, 5, (*reason).to_owned(), "raw".to_owned())).collect();
        let update = FileUpdate::rejected(self.row.clone(), key, &reject, rows);
        assert_eq!(self.write(update, None), None);
    }

    /// The reasons of the rejects, newest first.
    fn rejects(&mut self) -> Vec<String> {
        let rows = self.store.newest_rejects(&RejectFilter::default(), None, 9).unwrap();
        rows.rows.into_iter().map(|row| row.reason).collect()
    }

    fn results(&mut self) -> String {
        let mut text = Vec::new();
        let take = |piece: &[u8]| -> Result<(), Error> {
            text.extend_from_slice(piece);
            Ok(())
        };
        self.store.partial(self.row.id, take).unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn entry(hash: &str) -> ManifestEntry {
    ManifestEntry { path: "a.csv".into(), size: 7, hash: hash.into(), ..ManifestEntry::default() }
}

fn rank(hash: &str, is_of_content: bool) -> Rank {
    Rank { key: format!("rank of {hash}"), is_of_content }
}

#[test]
fn an_accepted_content_replaces_everything() {
    let mut world = World::new();
    world.reject("h0", true, &[]);
    world.accept("h1", &["first"]);
    let row = &world.row;
    let numbers = [row.size_bytes, row.row_count, row.results, row.unused, row.rejects, row.repaired];
    assert_eq!(numbers, [7, 9, 5, 2, 1, 1]);
    assert_eq!((row.hash.as_deref(), row.reading.as_deref(), row.state), (Some("h1"), Some("r"), FileState::Applied));
    assert_eq!((row.rank_key.as_str(), row.notes.as_deref()), ("rank of h1", Some("one; two")));
    assert_eq!((row.format.as_deref(), row.applied_at.is_some()), (Some("UTF-8"), true));
    assert_eq!((&row.rejected_hash, &row.rejected_reading, &row.rejected_reason), (&None, &None, &None));
    assert_eq!(row.rejected_header, None);
    assert_eq!((world.rejects(), world.results()), (vec!["first".to_owned()], "h1".to_owned()));
    world.accept("h2", &[]);
    assert_eq!((world.rejects(), world.results()), (vec![], "h2".to_owned()));
}

#[test]
fn a_rejected_content_stands_beside_the_accepted_one_until_that_is_back() {
    let mut world = World::new();
    world.accept("h1", &["first"]);
    let before = world.row.clone();
    world.reject("h2", true, &["row"]);
    let row = world.row.clone();
    assert_eq!((row.state, row.rejected_hash.as_deref()), (FileState::Rejected, Some("h2")));
    assert_eq!(row.rejected_reason.as_deref(), Some("line 3: no header"));
    assert_eq!((row.rejected_header.as_deref(), &row.applied_at), (Some(r#"["a","b"]"#), &before.applied_at));
    assert_eq!((row.hash, row.row_count, row.rank_key), (before.hash.clone(), 9, "rank of h1".to_owned()));
    assert_eq!(world.rejects(), ["the file is rejected: no header", "row", "first"]);
    world.reject("h3", false, &[]);
    assert_eq!(world.rejects(), ["the file is rejected: no header", "first"]);
    assert_eq!(world.row.rank_key, "rank of h3", "this rank is that of the path");
    world.write(FileUpdate::changing(world.row.clone()), None);
    assert_eq!((world.row.state, world.rejects().len()), (FileState::Changing, 2));
    world.write(FileUpdate::settled(FileRow { rank_key: "rank of h1".into(), ..world.row.clone() }), None);
    assert_eq!(world.row, before);
    assert_eq!((world.rejects(), world.results()), (vec!["first".to_owned()], "h1".to_owned()));
}

#[test]
fn what_a_file_gave_goes_before_it_goes() {
    let mut world = World::new();
    world.accept("h1", &["first"]);
    TestTables::remove(&mut world.store, world.row.id).unwrap();
    assert_eq!(world.results(), "");
    world.store.delete_file(world.row.id).unwrap();
    assert_eq!(world.rejects(), [""; 0]);
}
