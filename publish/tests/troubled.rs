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
fn after_a_broken_connection_the_file_is_sent_again_from_its_start() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Break(5_000), Reply::Take(vec![status("complete", 1_000, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: complete, 1,000 rows, 0 rejects, T s");
    assert!(said.stderr.contains("broke the connection") && said.stderr.contains("try 2 of 5 in 1 s"), "{said:?}");
    let uploads = master.uploads();
    assert_eq!((uploads.len(), uploads[0].body.len()), (2, 5_000));
    assert_eq!(uploads[1].body, content("a.csv").into_bytes());
}

#[test]
fn an_upload_whose_answer_was_lost_is_followed() {
    let folder = folder(&["a.csv"]);
    let taken = Reply::Lose(vec![status("queued", 0, 0), status("complete", 1_000, 0)]);
    let master = FakeMaster::start(&[taken, Reply::Refuse("409 Conflict", "", "it is there")]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.lines[0], "a.csv: complete, 1,000 rows, 0 rejects, T s", "{said:?}");
    assert_eq!((said.code, master.uploads().len()), (Some(0), 1));
    // One that has failed on the master is sent again.
    let failed = Reply::Lose(vec![failed("the disk is full")]);
    let master = FakeMaster::start(&[failed, Reply::Take(vec![status("complete", 1, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(0), 2), "{said:?}");
}

#[test]
fn a_conflict_with_an_own_broken_try_is_retried() {
    let folder = folder(&["a.csv"]);
    let conflict = Reply::Refuse("409 Conflict", "", "a.csv is there already");
    let master = FakeMaster::start(&[Reply::Break(9), conflict, Reply::Take(vec![status("complete", 1, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(0), 3), "{said:?}");
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
fn a_transient_refusal_is_retried_when_the_master_says_and_five_tries_are_the_limit() {
    let folder = folder(&["a.csv"]);
    for status_line in ["408 Request Timeout", "425 Too Early", "429 Too Many Requests", "504 Gateway Timeout"] {
        let master = FakeMaster::start(&[Reply::Refuse(status_line, "Retry-After: 0\r\n", "not now")]);
        let started = Instant::now();
        let said = publish(&folder, &master.url, &["a.csv"]);
        assert_eq!((said.code, master.uploads().len()), (Some(1), 5), "{said:?}");
        assert_eq!(said.lines[0], "a.csv: failed: not now (after 5 tries)");
        assert!(started.elapsed() < Duration::from_secs(5), "four delays of the back-off are 15 s");
    }
    for status_line in ["429 Too Many Requests", "503 Service Unavailable"] {
        let wait = Reply::Refuse(status_line, "Retry-After: 2\r\n", "not now");
        let master = FakeMaster::start(&[wait, Reply::Take(vec![status("complete", 1, 0)])]);
        let started = Instant::now();
        assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(0));
        assert!(started.elapsed() > Duration::from_secs(2));
    }
}

/// With more `--jobs` than the master receives at a time, files failed after five answers that it is busy.
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
    assert_eq!((said.code, master.uploads().len()), (Some(1), 5 + 3), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: too slow (after 5 tries)");
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
    // Far more than the network and the read-ahead buffer.
    File::create(&path).unwrap().set_len(200 << 20).unwrap();
    // Reads the head and no more of the body until the file has changed.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = start(&folder, &format!("http://{}", listener.local_addr().unwrap()), &["a.csv"]);
    let (mut stream, _) = listener.accept().unwrap();
    std::io::Read::read_exact(&mut stream, &mut [0; 1_000]).unwrap();
    fs::write(&path, "short").unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap_or_default();
    let said = Said::of(&child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: the file changed while it was read; publish it once it is complete");
    assert!(received < 200 << 20);
}
