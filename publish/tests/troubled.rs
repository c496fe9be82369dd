//! Connections that break and masters that are busy: what is retried, and for how long.

use std::{
    fs::{self, File},
    net::TcpListener,
    time::{Duration, Instant},
};

use tributary_testkit::wait::until;

use crate::{
    Said, content,
    fake::{FakeMaster, Reply, failed, status},
    folder, publish, start,
};

#[test]
fn after_a_broken_connection_only_the_rest_is_sent() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Break(5_000), Reply::Take(vec![status("complete", 1_000, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: complete, 1,000 rows, 0 rejects, T s");
    assert!(said.stderr.contains("broke the connection") && said.stderr.contains("try 2 of 7 in 1 s"), "{said:?}");
    assert!(said.stderr.contains("going on at byte 5000"), "{said:?}");
    let [upload] = &master.uploads()[..] else { panic!("{:?}", master.uploads()) };
    assert_eq!(upload.parts, [(0, 5_000), (5_000, 3_009)]);
    assert_eq!(upload.body, content("a.csv").into_bytes());
}

/// A line that breaks every few seconds would end a long upload otherwise.
#[test]
fn tries_in_which_something_arrives_are_no_limit() {
    let folder = folder(&["a.csv"]);
    let mut replies = vec![Reply::Break(1); 8];
    replies.push(Reply::Take(vec![status("complete", 1, 0)]));
    let master = FakeMaster::start(&replies);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads()[0].parts.len()), (Some(0), 9), "{said:?}");
    assert_eq!(said.stderr.matches("try 2 of 7 in 1 s").count(), 8, "{said:?}");
}

#[test]
fn an_upload_whose_answer_was_lost_is_followed() {
    let folder = folder(&["a.csv"]);
    let taken = Reply::Lose(vec![status("queued", 0, 0), status("complete", 1_000, 0)]);
    let master = FakeMaster::start(&[taken, Reply::RefuseAtOnce("409 Conflict", "it is there")]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.lines[0], "a.csv: complete, 1,000 rows, 0 rejects, T s", "{said:?}");
    assert_eq!((said.code, master.uploads()[0].parts.len()), (Some(0), 1));
    // One that has failed on the master fails here.
    let master = FakeMaster::start(&[Reply::Lose(vec![failed("the disk is full")])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(1), "a.csv: failed: the disk is full"), "{said:?}");
}

/// A login page of a network in between is no answer of the master that has begun to take the file.
#[test]
fn an_internal_error_and_a_login_page_during_a_part_are_tried_again() {
    let folder = folder(&["a.csv"]);
    for answer in ["500 Internal Server Error", "200 OK"] {
        let oh = Reply::RefusePart(answer, "", "oh");
        let master = FakeMaster::start(&[oh, Reply::Take(vec![status("complete", 1, 0)])]);
        let said = publish(&folder, &master.url, &["a.csv"]);
        assert_eq!((said.code, master.uploads()[0].parts.len()), (Some(0), 2), "{answer}: {said:?}");
    }
    let full = Reply::RefusePart("507 Insufficient Storage", "", "the disk is too full");
    let master = FakeMaster::start(&[full]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(1), "a.csv: failed: the disk is too full"), "{said:?}");
}

#[test]
fn a_conflict_after_a_busy_answer_is_not_an_own_one() {
    let folder = folder(&["a.csv"]);
    let busy = Reply::Refuse("503 Service Unavailable", "Retry-After: 0\r\n", "busy");
    let master = FakeMaster::start(&[busy, Reply::Refuse("409 Conflict", "", "it is there")]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(1), 2), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: it is there; use `--replace` to replace it");
}

#[test]
fn a_transient_refusal_is_retried_when_the_master_says_and_seven_tries_are_the_limit() {
    let folder = folder(&["a.csv"]);
    for status_line in ["408 Request Timeout", "425 Too Early", "429 Too Many Requests", "504 Gateway Timeout"] {
        let master = FakeMaster::start(&[Reply::Refuse(status_line, "Retry-After: 0\r\n", "not now")]);
        let started = Instant::now();
        let said = publish(&folder, &master.url, &["a.csv"]);
        assert_eq!((said.code, master.uploads().len()), (Some(1), 7), "{said:?}");
        assert_eq!(said.lines[0], "a.csv: failed: not now (after 7 tries)");
        assert!(started.elapsed() < Duration::from_secs(30), "six delays of the back-off are 63 s");
    }
    for status_line in ["429 Too Many Requests", "503 Service Unavailable"] {
        let wait = Reply::Refuse(status_line, "Retry-After: 2\r\n", "not now");
        let master = FakeMaster::start(&[wait, Reply::Take(vec![status("complete", 1, 0)])]);
        let started = Instant::now();
        assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(0));
        assert!(started.elapsed() > Duration::from_secs(2));
    }
}

/// With more `--jobs` than the master receives at a time, files failed after some answers that it is busy.
#[test]
fn a_busy_master_uses_up_no_tries() {
    let folder = folder(&["a.csv"]);
    let busy = || Reply::Refuse("503 Service Unavailable", "Retry-After: 0\r\n", "8 uploads are being received");
    let mut replies = vec![busy(); 12];
    replies.push(Reply::Take(vec![status("complete", 1, 0)]));
    let master = FakeMaster::start(&replies);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(0), 13), "{said:?}");
    assert_eq!(said.stderr.matches("8 uploads are being received; waiting").count(), 1, "{}", said.stderr);

    let refuse = || Reply::Refuse("408 Request Timeout", "Retry-After: 0\r\n", "too slow");
    let master = FakeMaster::start(&[refuse(), busy(), busy(), busy(), refuse()]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(1), 7 + 3), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: too slow (after 7 tries)");
}

#[test]
fn a_master_that_restarts_while_it_works_is_waited_for() {
    let folder = folder(&["a.csv"]);
    let statuses =
        vec![status("processing", 3, 0), None, None, None, status("processing", 4, 0), status("complete", 5, 0)];
    let master = FakeMaster::start(&[Reply::Take(statuses)]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(0), "a.csv: complete, 5 rows, 0 rejects, T s"), "{said:?}");
    assert_eq!(said.stderr.matches("waiting for the master").count(), 1, "{}", said.stderr);
    assert_eq!(master.uploads().len(), 1);
}

#[test]
fn a_master_that_does_not_run_yet_is_retried() {
    let folder = folder(&["a.csv"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let mut child = start(&folder, &url, &["a.csv"]);
    let mut stderr = child.stderr.take().unwrap();
    let mut heard = Vec::new();
    until("it has failed to connect", || {
        let mut part = [0; 512];
        let len = std::io::Read::read(&mut stderr, &mut part).unwrap();
        heard.extend_from_slice(&part[..len]);
        String::from_utf8_lossy(&heard).contains("cannot be reached: ").then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_sent_fails_and_never_arrives_as_complete() {
    let folder = folder(&[]);
    let path = folder.path().join("a.csv");
    // Far more than is sent until the first part is noticed.
    const SIZE: usize = 2 << 30;
    File::create(&path).unwrap().set_len(SIZE as u64).unwrap();
    let master = FakeMaster::start(&[Reply::Take(vec![])]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("a part has come", || master.has_part());
    fs::write(&path, "short").unwrap();
    let said = Said::of(&child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: the file changed while it was read; publish it once it is complete");
    assert!(master.uploads()[0].body.len() < SIZE);
    assert_eq!(master.cancelled(), 1, "a later run must not go on with it");
}
