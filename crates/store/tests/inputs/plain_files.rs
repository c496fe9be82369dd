//! Findings about plain files: replaced, listed, forgotten, and gone with their source.

use tributary_store::{Error, PlainFileRow};

use crate::Database;

fn found(source_id: i64, path: &str, way: &str, hash: &str) -> PlainFileRow {
    let [path, way, hash] = [path, way, hash].map(str::to_owned);
    PlainFileRow { source_id, answer: format!("{{\"of\":\"{hash}\"}}"), path, way, hash }
}

fn all(database: &mut Database, source: i64) -> Vec<PlainFileRow> {
    let mut rows = database.store.plain_files_at(source, &["a.csv", "b.csv", "c.csv"]).unwrap();
    rows.sort_by(|one, other| (&one.path, &one.way).cmp(&(&other.path, &other.way)));
    rows
}

#[test]
fn a_finding_is_replaced_and_forgotten() {
    let mut database = Database::new();
    let source = database.store.put_source("cloud", "s3://b", 0, 0).unwrap();
    let other = database.store.put_source("north", "http://n", 0, 0).unwrap();
    let first = [found(source, "a.csv", "w", "1"), found(source, "a.csv", "x", "1"), found(source, "b.csv", "w", "1")];
    database.store.put_plain_files(&first).unwrap();
    database.store.put_plain_files(&[found(other, "a.csv", "w", "9")]).unwrap();
    assert_eq!(all(&mut database, source), first);
    database.store.put_plain_files(&[found(source, "a.csv", "w", "2"), found(source, "c.csv", "w", "1")]).unwrap();
    let [_, second, third] = first;
    let expect = [found(source, "a.csv", "w", "2"), second, third.clone(), found(source, "c.csv", "w", "1")];
    assert_eq!(all(&mut database, source), expect);

    let paths = |database: &mut Database, after, limit| database.store.plain_paths(source, after, limit).unwrap();
    assert_eq!(paths(&mut database, None, 9), ["a.csv", "b.csv", "c.csv"]);
    assert_eq!(paths(&mut database, Some("a.csv"), 1), ["b.csv"]);
    database.store.forget_plain_files(source, &["a.csv", "z.csv"]).unwrap();
    assert_eq!(all(&mut database, source), [third, expect[3].clone()]);
    assert_eq!(all(&mut database, other).len(), 1);
    database.store.delete_source(source).unwrap();
    assert_eq!(all(&mut database, source), []);
    let error = database.store.put_plain_files(&[found(source, "a.csv", "w", "1")]);
    assert!(matches!(error, Err(Error::Query { .. })), "{error:?}");
}
