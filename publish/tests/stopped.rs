//! SIGINT and SIGTERM while uploads are under way: what was sent in part is kept, what was sent as a whole is taken back.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tributary_testkit::wait::until;

use crate::{
    Said, content,
    fake::{FakeMaster, Reply, status},
    folder, publish, start, until_it_says,
};

/// Sends a signal and waits for the exit, which must come soon.
fn stop(child: Child, signal: Signal) -> Said {
    let sent = Instant::now();
    kill_process(Pid::from_child(&child), signal).unwrap();
    let said = Said::of(&child.wait_with_output().unwrap());
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
    said
}

#[test]
fn an_upload_that_the_master_has_is_cancelled_and_no_other_starts() {
    let folder = folder(&["a.csv", "b.csv"]);
    let master = FakeMaster::start(&[Reply::Take(vec![status("processing", 1, 0)])]);
    let mut child = start(&folder, &master.url, &["--jobs", "1", "a.csv", "b.csv"]);
    // The log line comes before the first question about its status.
    until_it_says(&mut child, "waiting to be processed");
    let said = stop(child, Signal::INT);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.lines[..2], ["a.csv: failed: stopped", "b.csv: failed: stopped before it was sent"]);
    assert_eq!(master.cancelled(), 1);
    assert_eq!(master.uploads().len(), 1);
}

#[test]
fn an_upload_whose_answer_was_lost_is_cancelled() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Lose(vec![None, None, status("queued", 0, 0)])]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("the file has come", || master.has_part());
    let said = stop(child, Signal::INT);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(1), "a.csv: failed: stopped"), "{said:?}");
    assert_eq!(master.cancelled(), 1);
}

#[test]
fn a_part_is_kept_and_the_next_run_goes_on() {
    let folder = folder(&["a.csv"]);
    let busy = Reply::RefusePart("503 Service Unavailable", "Retry-After: 60\r\n", "busy");
    let master = FakeMaster::start(&[Reply::Break(5_000), busy]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("it goes on", || (master.uploads().first()?.parts.len() == 2).then_some(()));
    let said = stop(child, Signal::INT);
    let kept = "stopped; the master keeps 5000 of 8009 bytes for a day; the same command goes on there";
    assert_eq!((said.code, said.lines[0].clone()), (Some(1), format!("a.csv: failed: {kept}")), "{said:?}");
    assert_eq!(master.cancelled(), 0);
    master.goes_on_with(&[Reply::Take(vec![status("complete", 1_000, 0)])]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads().len()), (Some(0), 1), "{said:?}");
    assert_eq!(master.uploads()[0].body, content("a.csv").into_bytes());
}

#[test]
fn an_upload_of_which_nothing_has_come_is_cancelled() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::RefusePart("503 Service Unavailable", "Retry-After: 60\r\n", "busy")]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("a part has come", || master.has_part());
    assert_eq!(stop(child, Signal::INT).lines[0], "a.csv: failed: stopped");
    assert_eq!(master.cancelled(), 1);
}

#[test]
fn a_master_that_does_not_answer_does_not_delay_a_stop() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Silent]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("the file has come", || master.has_part());
    let said = stop(child, Signal::TERM);
    let kept = "stopped; the master keeps what it has of it for a day; the same command goes on there";
    assert_eq!((said.code, said.lines[0].clone()), (Some(1), format!("a.csv: failed: {kept}")), "{said:?}");
    assert_eq!(master.cancelled(), 0);
}
