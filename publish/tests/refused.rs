//! Answers that refuse a file for good: it is not sent again.

use std::fs;

use crate::{
    fake::{FakeMaster, Reply, forgotten, status},
    folder, publish,
};

#[test]
fn a_refusal_is_final_and_given_in_the_words_of_the_master() {
    let folder = folder(&["a.csv"]);
    for (status_line, detail, expect) in [
        ("409 Conflict", "a.csv is there already", "a.csv is there already; use `--replace` to replace it"),
        ("413 Content Too Large", "larger than 1 GiB", "larger than 1 GiB"),
        ("422 Unprocessable Content", "a bad name", "a bad name"),
        ("401 Unauthorized", "bring the token", "bring the token"),
        ("500 Internal Server Error", "oh", "oh"),
        ("507 Insufficient Storage", "the disk is too full", "the disk is too full"),
    ] {
        let master = FakeMaster::start(&[Reply::Refuse(status_line, "", detail)]);
        let said = publish(&folder, &master.url, &["a.csv"]);
        assert_eq!((said.code, master.uploads().len()), (Some(1), 1), "{status_line}: {said:?}");
        assert_eq!(said.lines[0], format!("a.csv: failed: {expect}"));
        assert_eq!(said.lines[1], "1 file: 0 complete, 1 failed; 0 rows, 0 rejects, 0.0 MB, T s");
    }
}

#[test]
fn replace_is_not_suggested_where_it_was_given() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Refuse("409 Conflict", "", "a.csv is being uploaded by another")]);
    let said = publish(&folder, &master.url, &["--replace", "a.csv"]);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(1), "a.csv: failed: a.csv is being uploaded by another"));
}

#[test]
fn an_answer_before_the_end_of_the_body_is_read() {
    let folder = folder(&[]);
    fs::write(folder.path().join("large.csv"), vec![b'x'; 30_000_000]).unwrap();
    for _ in 0..10 {
        let master = FakeMaster::start(&[Reply::RefuseAtOnce("413 Content Too Large", "larger than 1 MiB")]);
        let said = publish(&folder, &master.url, &["large.csv"]);
        assert_eq!(said.lines[0], "large.csv: failed: larger than 1 MiB", "{said:?}");
        assert_eq!(master.uploads().len(), 1);
    }
}

#[test]
fn a_server_that_is_not_a_master_is_recognised() {
    let folder = folder(&["a.csv"]);
    let check = |reply: Reply, part: &str| {
        let master = FakeMaster::start(&[reply]);
        let said = publish(&folder, &master.url, &["a.csv"]);
        assert!(said.code == Some(1) && said.lines[0].contains(part), "{said:?}");
        assert_eq!(master.uploads().len(), 1);
    };
    check(Reply::Refuse("200 OK", "", ""), "/api/v1/tus/ answers not as a master does");
    check(Reply::Refuse("301 Moved", "Location: /x\r\n", ""), "/api/v1/tus/ redirects to http://127.0.0.1:");
}

#[test]
fn an_upload_that_the_master_forgot_has_failed() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Take(vec![status("queued", 1, 0), forgotten()])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.lines[0], "a.csv: failed: the master no longer knows this upload", "{said:?}");
    assert_eq!(said.code, Some(1));
    let master = FakeMaster::start(&[Reply::Take(vec![status("complete", 1, 0)])]);
    assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(0));
}
