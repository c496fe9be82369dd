//! Masters that are killed one after the other while edits, uploads and files go on: the next one takes over each time, with nothing lost or
//! doubled. `TRIBUTARY_CASES=50` kills 50.

use std::{
    fs,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tributary_testkit::{
    process::{self, Daemon, stdout},
    wait,
};

use super::{
    CONFIGURATION, files, has_rows,
    load::{Load, rounds},
    role, run,
};

/// A master whose uploads are in a folder that all of them reach.
fn master(url: &str, source: &str, uploads: &TempDir) -> (Daemon, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let text = CONFIGURATION.replace("DATABASE", url).replace("SOURCE", source);
    fs::write(home.path().join("tributary.toml"), format!("{text}[uploads]\ndir = {:?}\n", uploads.path())).unwrap();
    let mut command = process::command("master", home.path());
    command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "error");
    (Daemon::start(command), home)
}

#[test]
fn nothing_is_lost_or_doubled_when_masters_die_under_load() {
    let (schema, files, uploads) = (super::schema(), files(), tempfile::tempdir().unwrap());
    let source = Daemon::source(files.path());
    let (mut active, mut home) = master(&schema.url, &source.url, &uploads);
    wait::until("the first load", || has_rows(&active).then_some(()));
    let load = Load::start(&active.url, files.path());
    let (count, mut slowest, mut slowest_ready) = (rounds(5), Duration::ZERO, Duration::ZERO);
    for _ in 0..count {
        let (standby, its_home) = master(&schema.url, &source.url, &uploads);
        wait::until("it stands by", || (role(&standby) == "standby").then_some(()));
        load.wait_for(5);
        active.kill();
        let began = Instant::now();
        load.go_to(&standby.url);
        load.wait_for_edit();
        slowest = slowest.max(began.elapsed());
        wait::until("it is up to date with its source", || (role(&standby) == "ready").then_some(()));
        slowest_ready = slowest_ready.max(began.elapsed());
        (active, home) = (standby, its_home);
    }
    load.wait_for(5);
    load.finish(&|query| schema.psql(query));
    assert_eq!(schema.psql("SELECT epoch FROM active_master").trim(), (count + 1).to_string());
    let check = run("starter", &["check"], home.path());
    assert!(check.status.success(), "{}{}", stdout(&check), process::stderr(&check));
    eprintln!(
        "{count} takeovers: an edit is done after at most {slowest:?}, all sources are asked after {slowest_ready:?}"
    );
}
