//! Tests of when a document counts as committed or rejected.

use tributary_config::{PRODUCTS, ReportConfig};
use tributary_store::{FileRow, FileState};

use super::*;
use crate::input::Reader;

fn store_url(folder: &tempfile::TempDir) -> tributary_store::DatabaseUrl {
    folder.path().join("database.db").to_str().unwrap().parse().unwrap()
}

#[test]
fn a_feed_is_committed_or_rejected_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&store_url(&folder)).unwrap();
    let none = Reports::new(&[], store_url(&folder));
    let check =
        |store: &mut Store, hash: &str, expect| assert_eq!(verdict(store, &none, "a.csv", hash).unwrap(), expect);
    check(&mut store, "h", Verdict::Pending);
    let source = store.put_source(UPLOADS, "file:///", 0, 0).unwrap();
    let mut file = FileRow::new(PRODUCTS, source, "a.csv");
    store.put_file(&mut file).unwrap();
    check(&mut store, "h", Verdict::Pending);
    let mut applied = FileRow {
        hash: Some("h".into()),
        reading: Some("r".into()),
        row_count: 9,
        rejects: 2,
        state: FileState::Applied,
        ..file
    };
    store.put_file(&mut applied).unwrap();
    check(&mut store, "h", Verdict::Committed { rows: 9, rejects: 2 });
    check(&mut store, "later", Verdict::Pending);
    let mut rejected = FileRow {
        state: FileState::Rejected,
        rejected_hash: Some("later".into()),
        rejected_reading: Some("r".into()),
        rejected_reason: Some("no header".into()),
        ..applied
    };
    store.put_file(&mut rejected).unwrap();
    check(&mut store, "later", Verdict::Rejected("no header".into()));
    check(&mut store, "h", Verdict::Pending);
}

/// A file of the same path in another source says nothing about the upload.
#[test]
fn a_report_decides_by_content_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&store_url(&folder)).unwrap();
    let report = ReportConfig::with_columns("sales", vec!["a".into()], vec!["n".into()]);
    let uploads = store.put_source(UPLOADS, "file:///", 0, 0).unwrap();
    let north = store.put_source("north", "http://x", 0, 1).unwrap();
    let applied = |source| FileRow {
        hash: Some("h".into()),
        reading: Some(report.plan.digest().to_owned()),
        row_count: 9,
        rejects: 2,
        state: FileState::Applied,
        ..FileRow::new("report:sales", source, "a.csv")
    };
    let check = |store: &mut Store, hash: &str, expect| {
        let file = store.file_of("report:sales", UPLOADS, "a.csv").unwrap();
        assert_eq!(file.map_or(Verdict::Pending, |file| report.verdict(file, hash)), expect);
    };
    store.put_file(&mut applied(north)).unwrap();
    check(&mut store, "h", Verdict::Pending);
    let mut file = applied(uploads);
    store.put_file(&mut file).unwrap();
    check(&mut store, "h", Verdict::Committed { rows: 9, rejects: 2 });
    check(&mut store, "later", Verdict::Pending);
    let mut stale = FileRow { reading: Some("another digest".into()), ..file };
    store.put_file(&mut stale).unwrap();
    check(&mut store, "h", Verdict::Pending);
}
