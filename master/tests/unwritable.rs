//! A database that cannot be written for real: locked by another program, read-only, or with files that cannot grow. It is said, nothing
//! half-done is shown, and everything goes on by itself afterwards.

mod displaced;
mod growth;
mod locked;
mod uploads;

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
};

use tributary_testkit::{process, wait};

use crate::system::System;

/// A system with this feed of one source.
fn configured(feed: &str) -> System {
    let mut system = System::new();
    system.write("a", "feed.csv", feed);
    system.serve("a");
    system.configure_sources(&[("a", "max_removal = false")]);
    system
}

/// The same, and a master that has applied it.
fn running(feed: &str) -> System {
    let mut system = configured(feed);
    system.start_master_that_warns();
    system.sync();
    system
}

/// Waits until `/readyz` says that nothing can be written, and returns the text.
#[track_caller]
fn said(system: &System) -> String {
    let text = wait::until("it says that it cannot write", || {
        let answer = system.ask("GET", "/readyz", "");
        (answer.status == 503).then(|| answer.text())
    });
    assert!(text.starts_with("the database cannot be written: "), "{text}");
    text
}

fn is_ready(system: &System) -> bool {
    system.ask("GET", "/readyz", "").status == 200
}

/// Nobody but the owner of a database may change it. Root may anyway, so the master runs as somebody else then.
#[test]
fn a_read_only_database_is_refused_at_the_start() {
    let system = configured("sku,name\na,A\n");
    system.once_ok();
    system.write("a", "feed.csv", "sku,name\na,B\n");
    system.settle("a");
    let database = system.database();
    let home = database.parent().unwrap();
    let mode = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(home, 0o777);
    for end in ["db.lock", "db.spool", "db.cache"] {
        mode(&database.with_extension(end), 0o777);
    }
    let run = |args: &[&str]| {
        let mut command = system.command("master", args);
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(65_534);
        }
        command.output().unwrap()
    };
    mode(&database, 0o444);
    for args in [&["--once"][..], &["--listen", "127.0.0.1:0"]] {
        let output = run(args);
        let error = process::stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("cannot be written; check the permissions of the file"), "{error}");
    }
    mode(&database, 0o666);
    let output = run(&["--once"]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    assert_eq!(system.products()["a"].0, "B");
}
