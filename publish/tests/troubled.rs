//! Connections that break and masters that are busy: what is tried again, and how long.

use std::{
    fs::{self, File},
    net::TcpListener,
    time::{Duration, Instant},
};

use tributary_testkit::wait::until;

use crate::{
    Said, content,
    fake::{FakeMaster, Reply, failed, job},
    folder, publish, start,
};

#[test]
fn a_broken_connection_is_tried_again_from_the_start() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Break(5_000), Reply::Take(vec![job("complete", 1_000, 0)])]);
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
    let taken = Reply::Lose(vec![job("queued", 0, 0), job("complete", 1_000, 0)]);
    let master = FakeMaster::start(&[taken, Reply::Refuse("409 Conflict", "", "it is there")]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.lines[0], "a.csv: complete, 1,000 rows, 0 rejects, T s", "{said:?}");
    assert_eq!((said.code, master.uploads().len()), (Some(0), 1));
    // One that has failed there is sent again.
    let failed = Reply::Lose(vec![failed("the disk is full")]);
    let master = FakeMaster::start(&[failed, Reply::Take(vec![job("complete", 1, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(0), 2), "{said:?}");
}

#[test]
fn a_master_that_has_not_noticed_the_broken_try_is_given_time() {
    let folder = folder(&["a.csv"]);
    let conflict = Reply::Refuse("409 Conflict", "", "a.csv is there already");
    let master = FakeMaster::start(&[Reply::Break(9), conflict, Reply::Take(vec![job("complete", 1, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(0), 3), "{said:?}");
}

#[test]
fn a_conflict_behind_a_busy_master_is_not_our_own() {
    let folder = folder(&["a.csv"]);
    let busy = Reply::Refuse("503 Service Unavailable", "Retry-After: 0\r\n", "busy");
    let master = FakeMaster::start(&[busy, Reply::Refuse("409 Conflict", "", "it is there")]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(1), 2), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: it is there; `--replace` replaces it (after 2 tries)");
}

#[test]
fn a_busy_master_says_when_to_come_again_and_five_tries_are_all() {
    let folder = folder(&["a.csv"]);
    for status in ["408 Request Timeout", "425 Too Early", "429 Too Many Requests", "503 Service Unavailable"] {
        let master = FakeMaster::start(&[Reply::Refuse(status, "Retry-After: 0\r\n", "not now")]);
        let started = Instant::now();
        let said = publish(&folder, &master.url, &["a.csv"]);
        assert_eq!((said.code, master.uploads().len()), (Some(1), 5), "{said:?}");
        assert_eq!(said.lines[0], "a.csv: failed: not now (after 5 tries)");
        assert!(started.elapsed() < Duration::from_secs(5), "four pauses of our own are 15 s");
    }
    let wait = Reply::Refuse("503 Service Unavailable", "Retry-After: 2\r\n", "not now");
    let master = FakeMaster::start(&[wait, Reply::Take(vec![job("complete", 1, 0)])]);
    let started = Instant::now();
    assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(0));
    assert!(started.elapsed() > Duration::from_secs(2));
}

#[test]
fn a_master_that_restarts_while_it_works_is_waited_for() {
    let folder = folder(&["a.csv"]);
    let says = vec![job("processing", 3, 0), None, None, None, job("processing", 4, 0), job("complete", 5, 0)];
    let master = FakeMaster::start(&[Reply::Take(says)]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(0), "a.csv: complete, 5 rows, 0 rejects, T s"), "{said:?}");
    assert_eq!(said.stderr.matches("waiting for the master").count(), 1, "{}", said.stderr);
    assert_eq!(master.uploads().len(), 1);
}

#[test]
fn a_master_that_is_not_there_yet_is_tried_again() {
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
fn a_file_that_changes_while_it_is_sent_fails_and_is_not_taken_for_whole() {
    let folder = folder(&[]);
    let path = folder.path().join("a.csv");
    // Far more than the network and the read-ahead hold.
    File::create(&path).unwrap().set_len(200 << 20).unwrap();
    // It takes the request and nothing of the body until the file has changed.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = start(&folder, &format!("http://{}", listener.local_addr().unwrap()), &["a.csv"]);
    let (mut stream, _) = listener.accept().unwrap();
    std::io::Read::read_exact(&mut stream, &mut [0; 1_000]).unwrap();
    fs::write(&path, "short").unwrap();
    let received = std::io::copy(&mut stream, &mut std::io::sink()).unwrap_or_default();
    let said = Said::of(&child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.lines[0], "a.csv: failed: it was changed while it was read; publish it once it is quiet");
    assert!(received < 200 << 20);
}
