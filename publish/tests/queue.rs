//! The choice between a master and a broker, and what a run to a broker finds out without one.

use std::{
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tributary_testkit::process;

use crate::{
    Said, command,
    fake::{FakeMaster, Reply, status},
    folder, until_it_says,
};

/// An address at which nobody listens.
const NOBODY: &str = "amqp://guest:secret@127.0.0.1:1";

fn to_broker(folder: &TempDir, words: &[&str]) -> Command {
    let mut command = process::command("publish", folder.path());
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(command: &mut Command) -> Said {
    Said::of(&command.output().unwrap())
}

/// Guards a shell that has the variables of both targets against sending to the wrong one.
#[test]
fn a_flag_beats_the_variable_of_the_other_target() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Take(vec![status("complete", 1, 0)])]);
    let uploaded = said(command(&folder, &master.url, &["a.csv"]).env("TRIBUTARY_AMQP", NOBODY));
    assert_eq!(uploaded.code, Some(0), "{uploaded:?}");

    let both = [("TRIBUTARY_TO", master.url.as_str()), ("TRIBUTARY_AMQP", NOBODY)];
    let unclear = said(to_broker(&folder, &["a.csv"]).envs(both));
    assert_eq!(unclear.code, Some(2), "{unclear:?}");
    assert!(unclear.stderr.contains("TRIBUTARY_TO and TRIBUTARY_AMQP are both set"), "{unclear:?}");

    let invalid = said(to_broker(&folder, &["a.csv", "--amqp", "http://u:secret@broker"]).envs(both));
    assert_eq!(invalid.code, Some(2), "{invalid:?}");
    assert!(invalid.stderr.contains("`--amqp` is invalid") && !invalid.stderr.contains("secret"), "{invalid:?}");
    // A token is for masters, and may be set for other programs.
    let ignored = said(to_broker(&folder, &["no.csv", "--amqp", NOBODY]).env("TRIBUTARY_TOKEN_FILE", "t"));
    assert!(ignored.stderr.contains("failed to read no.csv"), "{ignored:?}");
}

#[test]
fn the_help_shows_no_password() {
    let help = said(to_broker(&folder(&[]), &["--help"]).env("TRIBUTARY_AMQP", NOBODY));
    assert!(help.lines.iter().any(|line| line.contains("TRIBUTARY_AMQP")), "{help:?}");
    assert!(!help.lines.iter().any(|line| line.contains("secret")), "{help:?}");
}

#[test]
fn a_fault_of_a_file_is_found_before_a_connection_is_made() {
    let folder = folder(&["good.csv"]);
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    write("good.jsonl", b"{}\n");
    write("bad.jsonl", b"{}\n\n[1,\n");
    write("large.csv", &vec![b'x'; (16 << 20) + 1]);
    let check = |words: &[&str], expect: &str| {
        let said = said(to_broker(&folder, words).args(["--amqp", NOBODY]));
        assert_eq!((said.code, said.lines.len()), (Some(1), 0), "{said:?}");
        assert!(said.stderr.starts_with("error: ") && said.stderr.contains(expect), "{said:?}");
    };
    check(&["--operations", "good.jsonl", "bad.jsonl"], "failed to check bad.jsonl: line 3 is not JSON");
    check(&["good.csv", "large.csv"], "large.csv has 16777217 bytes");
    check(&["good.csv", "none.csv"], "failed to read none.csv");
}

#[test]
fn a_broker_that_is_away_is_waited_for_until_a_stop() {
    let folder = folder(&["a.csv"]);
    let mut child = to_broker(&folder, &["a.csv", "--amqp", NOBODY]).spawn().unwrap();
    until_it_says(&mut child, "the broker amqp://127.0.0.1:1 cannot be reached: ");
    let sent = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let said = Said::of(&child.wait_with_output().unwrap());
    assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(
        said.lines,
        ["a.csv: failed: stopped before it was confirmed", "0 documents published, 1 failed; 0 B, T s"]
    );
}
