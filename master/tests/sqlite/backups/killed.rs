//! Both are killed at moments spread over a run: there is never half a backup, and a restore can always be repeated.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tributary_testkit::{feed, process};

use super::{Elsewhere, backup, filled, put, succeeds};
use crate::system::System;

const KILLS: u32 = 12;

/// Enough documents and rows that a kill hits them.
fn large() -> System {
    let system = filled();
    let mut rows = Vec::new();
    feed::write(&mut rows, 10_000, 50_000, 2).unwrap();
    system.write("north", "large.csv", rows);
    for number in 0..40 {
        put(&system, &format!("orders/d{number}.csv"), &format!("sku,name\nd{number},Document\n"));
    }
    system.sync();
    system
}

/// Runs `starter` in a folder and kills it after a while. Returns whether it was still running.
fn killed(folder: &Path, args: &[&str], after: Duration) -> bool {
    let mut command = process::command("starter", folder);
    let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The moments are spread over the length of a run: time itself is the condition here.
    std::thread::sleep(after);
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    was_running
}

#[test]
fn a_killed_backup_leaves_no_file_of_that_name() {
    let system = large();
    let started = Instant::now();
    backup(&system, "whole.tar.zst");
    let whole = started.elapsed();
    let folder = system.home().to_owned();
    let mut kills = 0;
    for kill in 0..KILLS {
        let to = folder.join(format!("{kill}.tar.zst"));
        kills += u32::from(killed(&folder, &["backup", to.to_str().unwrap()], whole * kill / KILLS));
        if !to.exists() {
            // What it has left is in nobody's way.
            backup(&system, to.to_str().unwrap());
        }
        succeeds(&Elsewhere::new(&system).restore(&to));
    }
    assert!(kills > KILLS / 3, "only {kills} of {KILLS} backups were killed");
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_str().unwrap().contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_killed_restore_is_repeated() {
    let mut system = large();
    system.stop_master();
    let saved = backup(&system, "b.tar.zst");
    let first = Elsewhere::new(&system);
    let started = Instant::now();
    succeeds(&first.restore(&saved));
    let whole = started.elapsed();
    let expect = first.contents();
    let mut kills = 0;
    for kill in 0..KILLS {
        let elsewhere = Elsewhere::new(&system);
        let folder = elsewhere.database().parent().unwrap().to_owned();
        kills += u32::from(killed(&folder, &["restore", saved.to_str().unwrap()], whole * kill / KILLS));
        // The database gets its name before the documents, and a run of its own finds it not empty.
        let is_done = elsewhere.database().exists() && elsewhere.database().with_extension("db.uploads").exists();
        if !is_done {
            succeeds(&elsewhere.restore(&saved));
        }
        assert_eq!(elsewhere.contents(), expect);
    }
    assert!(kills > KILLS / 3, "only {kills} of {KILLS} restores were killed");
}
