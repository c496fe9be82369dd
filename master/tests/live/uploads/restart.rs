//! A plug that is pulled: what was received as a whole goes on, what was not is gone and said to be.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tributary_testkit::wait;

use super::{FEED, Slow, ended, feed, files, get, id, id_of, master, send, skus, sources, upload, wait_for_files};
use crate::system::System;

#[test]
fn a_body_that_the_master_did_not_receive_as_a_whole_is_failed() {
    for is_killed in [true, false] {
        let mut system = master("");
        upload(&system, "before.csv", "", FEED);
        let slow = Slow::start(&system, &id('d'), "&filename=a.csv", 1_000_000, &feed(30_000));
        assert_eq!(files(&system).len(), 2);
        if is_killed {
            system.kill_master();
            assert_eq!(files(&system).len(), 2);
        } else {
            let (code, took) = system.stop_master();
            assert!(code == Some(0) && took.as_secs() < 5, "{code:?} {took:?}");
        }
        drop(slow);
        system.start_master(&[]);
        let failed = get(&system, &id('d'));
        assert_eq!(failed["state"], "failed");
        assert_eq!(failed["error"], "the master stopped while receiving the file; upload it again");
        wait_for_files(&system, &["before.csv"]);
        assert_eq!(upload(&system, "a.csv", "", "sku,name\nc,C\n")["state"], "complete");
    }
}

#[test]
fn a_body_that_was_received_is_read_after_a_restart() {
    const ROWS: usize = 20_000;
    let mut system = master("");
    // The first one makes the source; after that, the second is read while the master is killed.
    for (filename, is_read) in [("first.csv", false), ("second.csv", true)] {
        let id = id_of(&send(&system, filename, "", &feed(ROWS)));
        if is_read {
            wait::until("it is being read", || {
                matches!(get(&system, &id)["state"].as_str().unwrap(), "processing" | "complete").then_some(())
            });
        }
        system.kill_master();
        system.start_master(&[]);
        let done = ended(&system, &id);
        assert_eq!((done["state"].as_str(), done["rows"].as_u64()), (Some("complete"), Some(ROWS as u64)));
        assert_eq!(done["bytes"], done["total"]);
    }
    assert_eq!(skus(&system).len(), 10_000);
    assert_eq!(sources(&system), [("uploads".to_owned(), "up".to_owned())]);
}

#[test]
fn one_that_is_rejected_after_a_restart_is_failed_too() {
    let mut system = master("");
    upload(&system, "a.csv", "", FEED);
    let rejected = id_of(&send(&system, "a.csv", "&replace=1", "x,y\n1,2\n"));
    system.kill_master();
    system.start_master(&[]);
    assert_eq!(ended(&system, &rejected)["state"], "failed");
    wait_for_files(&system, &["a.csv"]);
    wait::until("what it replaced is back", || (skus(&system) == ["a", "b"]).then_some(()));
}

#[test]
fn once_reads_what_was_uploaded_and_the_next_start_says_so() {
    let mut system = master("");
    let id = id_of(&send(&system, "a.csv", "", &feed(20_000)));
    system.kill_master();
    let summary = system.once_ok();
    assert!(summary.starts_with("1 sources: "), "{summary}");
    system.start_master(&[]);
    assert_eq!(ended(&system, &id)["rows"], 20_000);
}

/// The file of an upload.
fn file_of(system: &System, name: &str) -> PathBuf {
    let folder = system.beside("uploads");
    let mut files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    files.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name)).unwrap()
}

/// The error of the source of uploads.
fn error(system: &System) -> Value {
    system.json("/api/v1/sources")["items"][0]["error"].clone()
}

/// It was noticed only at the next start.
#[test]
fn a_file_that_is_deleted_while_the_master_runs_is_named_until_it_is_back() {
    let system = master("");
    upload(&system, "a.csv", "", FEED);
    upload(&system, "b.csv", "", "sku,name\nb1,B\n");
    let before = skus(&system);
    let page = || system.ask("GET", "/sources/uploads", "").text();
    let told = "its file is missing from the folder of uploads";
    for _ in 0..2 {
        let (file, away) = (file_of(&system, "a.csv"), system.home().join("away"));
        fs::rename(&file, &away).unwrap();
        wait::until("the missing file is named", || {
            error(&system).as_str().is_some_and(|error| error.contains(told) && !error.contains("b.csv")).then_some(())
        });
        assert!(page().contains(told), "{}", page());
        assert_eq!((skus(&system), sources(&system)), (before.clone(), vec![("uploads".into(), "up".into())]));
        fs::rename(&away, &file).unwrap();
        wait::until("it is back", || error(&system).is_null().then_some(()));
    }
    assert_eq!(skus(&system), before);
    // One that is taken back is not missed.
    assert_eq!(system.ask("DELETE", "/api/v1/documents/b.csv", "").status, 204);
    wait::until("its rows are gone", || (!skus(&system).contains(&"b1".to_owned())).then_some(()));
    assert!(error(&system).is_null(), "{}", error(&system));
}

/// Its rows stayed, the source was up, and nobody learned that they cannot be computed again.
#[test]
fn an_applied_upload_whose_file_is_gone_is_named() {
    let mut system = master("");
    upload(&system, "a.csv", "", FEED);
    upload(&system, "b.csv", "", "sku,name\nb1,B\n");
    let before = skus(&system);
    system.stop_master();
    fs::remove_file(file_of(&system, "a.csv")).unwrap();
    system.start_master(&[]);
    let told = "a.csv cannot be read: its file is missing from the folder of uploads; upload it again";
    let is_told = |system: &System| error(system).as_str().is_some_and(|error| error.contains(told));
    wait::until("the missing file is named", || is_told(&system).then_some(()));
    assert_eq!(skus(&system), before);
    // It lasts while others are applied, and ends with a new file.
    upload(&system, "c.csv", "", "sku,name\nc1,C\n");
    assert!(is_told(&system), "{}", error(&system));
    assert_eq!(upload(&system, "a.csv", "&replace=1", FEED)["state"], "complete");
    wait::until("nothing is missing", || error(&system).is_null().then_some(()));
    assert_eq!(sources(&system), [("uploads".to_owned(), "up".to_owned())]);
}
