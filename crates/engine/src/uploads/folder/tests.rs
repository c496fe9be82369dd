//! Tests of the uploads folder on a real file system.

use std::io::Write;

use super::*;

const A: &str = "0000000000000000000000000000000a";
const B: &str = "0000000000000000000000000000000b";

fn upload_folder() -> (tempfile::TempDir, UploadFolder) {
    let parent = tempfile::tempdir().unwrap();
    let folder = UploadFolder::new(parent.path().join("a/b"));
    folder.create().unwrap();
    (parent, folder)
}

fn receive(folder: &UploadFolder, id: &str, content: &str) {
    folder.create_incoming(id).unwrap().write_all(content.as_bytes()).unwrap();
}

fn placement(id: &str, replaces: bool) -> Placement {
    Placement { id: id.to_owned(), filename: "f.csv".to_owned(), replaces }
}

#[track_caller]
fn check(folder: &UploadFolder, content: Option<&str>, hidden: &[HiddenFile]) {
    assert_eq!(fs::read_to_string(folder.file_path("f.csv")).ok().as_deref(), content);
    assert_eq!(folder.hidden_files().unwrap(), hidden);
}

#[test]
fn a_new_file_is_published_and_rolled_back() {
    let (_parent, folder) = upload_folder();
    receive(&folder, A, "one");
    check(&folder, None, &[HiddenFile::Incoming(A.into())]);
    assert!(folder.create_incoming(A).is_err());
    for _ in 0..2 {
        folder.publish(&placement(A, false), None).unwrap();
        check(&folder, Some("one"), &[]);
    }
    for _ in 0..2 {
        folder.roll_back(&placement(A, false)).unwrap();
        check(&folder, None, &[]);
    }
    receive(&folder, B, "two");
    folder.delete_incoming(B).unwrap();
    folder.delete_incoming(B).unwrap();
    check(&folder, None, &[]);
}

#[test]
fn a_replaced_file_is_restored_or_deleted() {
    let (_parent, folder) = upload_folder();
    let replace = |content: &str| {
        fs::write(folder.file_path("f.csv"), "former").unwrap();
        receive(&folder, A, content);
        folder.publish(&placement(A, true), None).unwrap();
        check(&folder, Some(content), &[HiddenFile::Backup(A.into())]);
    };
    replace("one");
    for _ in 0..2 {
        folder.roll_back(&placement(A, true)).unwrap();
        check(&folder, Some("former"), &[]);
    }
    replace("two");
    folder.delete_backup(A).unwrap();
    folder.delete_backup(A).unwrap();
    check(&folder, Some("two"), &[]);
}

#[test]
fn an_upload_inherits_the_backup_of_the_one_it_overtakes() {
    let (_parent, folder) = upload_folder();
    fs::write(folder.file_path("f.csv"), "former").unwrap();
    receive(&folder, A, "one");
    folder.publish(&placement(A, true), None).unwrap();
    receive(&folder, B, "two");
    folder.publish(&placement(B, true), Some(A)).unwrap();
    check(&folder, Some("two"), &[HiddenFile::Backup(B.into())]);
    folder.roll_back(&placement(B, true)).unwrap();
    check(&folder, Some("former"), &[]);
}

#[test]
fn kinds_of_entries_are_told_apart() {
    let (_parent, folder) = upload_folder();
    fs::create_dir(folder.file_path("folder.csv")).unwrap();
    fs::write(folder.file_path("f.csv"), "").unwrap();
    std::os::unix::fs::symlink("f.csv", folder.file_path("link.csv")).unwrap();
    let check = |name: &str, expect: EntryKind| assert_eq!(folder.entry_kind(name), expect, "{name}");
    check("f.csv", EntryKind::File);
    check("folder.csv", EntryKind::Other);
    check("link.csv", EntryKind::Other);
    check("none.csv", EntryKind::Missing);
    assert!(folder.free_bytes().unwrap() > 0);
}
