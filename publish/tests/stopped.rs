//! SIGINT and SIGTERM while uploads are under way.

use std::{
    process::Child,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tributary_testkit::wait::until;

use crate::{
    Said,
    fake::{FakeMaster, Reply, status},
    folder, start,
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
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    until("the upload is accepted", || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
        line.contains("waiting to be processed").then_some(())
    });
    let said = stop(child, Signal::INT);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.lines[..2], ["a.csv: failed: stopped", "b.csv: failed: stopped before it was sent"]);
    assert_eq!(master.others(), ["DELETE /api/v1/uploads/0"]);
    assert_eq!(master.uploads().len(), 1);
}

#[test]
fn an_upload_whose_answer_was_lost_is_cancelled() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Lose(vec![None, None, status("queued", 0, 0)])]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("the file has come", || (!master.uploads().is_empty()).then_some(()));
    let said = stop(child, Signal::INT);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(1), "a.csv: failed: stopped"), "{said:?}");
    let [other] = &master.others()[..] else { panic!("{:?}", master.others()) };
    assert!(other.starts_with("DELETE /api/v1/uploads/"), "{other}");
}

#[test]
fn a_master_that_does_not_answer_does_not_delay_a_stop() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Silent]);
    let child = start(&folder, &master.url, &["a.csv"]);
    until("the file has come", || (!master.uploads().is_empty()).then_some(()));
    let said = stop(child, Signal::TERM);
    assert_eq!((said.code, said.lines[0].as_str()), (Some(1), "a.csv: failed: stopped"), "{said:?}");
    assert!(master.others().is_empty(), "the broken connection is enough");
}
