//! Uploads that are cancelled, taken back, rejected, or overtaken.

use std::fs;

use serde_json::Value;

use super::{
    FEED, Slow, content, delete, ended, feed, files, folder, get, id, id_of, master, send, skus, sources, upload,
    wait_for_files, wait_for_skus,
};
use crate::system::System;

/// A file without the columns of a feed.
const NO_FEED: &str = "x,y\n1,2\n";

#[test]
fn a_body_that_comes_in_can_be_cancelled() {
    let system = master("");
    let slow = Slow::start(&system, &id('c'), "&filename=a.csv", 1000, FEED);
    delete(&system, &id('c'));
    assert!(files(&system).is_empty(), "its pieces are gone when that is answered");
    let (status, body) = slow.answer();
    assert!(status == 409 && body.contains("cancelled"), "{status} {body}");
    let cancelled = get(&system, &id('c'));
    assert_eq!((cancelled["state"].as_str(), cancelled["error"].as_str()), (Some("failed"), Some("it was cancelled")));
    // The name is free again, and what is said of it can be forgotten.
    assert_eq!(upload(&system, "a.csv", "", FEED)["state"], "complete");
    delete(&system, &id('c'));
    assert_eq!(system.ask("GET", &format!("/api/v1/uploads/{}", id('c')), "").status, 404);
    wait_for_files(&system, &["a.csv"]);
}

#[test]
fn a_file_goes_with_its_rows() {
    let system = master("");
    let (one, _) = (upload(&system, "a.csv", "", FEED), upload(&system, "b.csv", "", "sku,name\nb,B\nc,C\n"));
    assert_eq!(skus(&system), ["a", "b", "c"]);
    delete(&system, one["id"].as_str().unwrap());
    assert_eq!(skus(&system), ["b", "c"], "they are gone when that is answered");
    wait_for_files(&system, &["b.csv"]);
    // So the same again is read again.
    let again = upload(&system, "a.csv", "", FEED);
    assert_eq!(skus(&system), ["a", "b", "c"]);
    delete(&system, again["id"].as_str().unwrap());
    // One that is being read goes too.
    let big = id_of(&send(&system, "big.csv", "", &feed(30_000)));
    delete(&system, &big);
    wait_for_files(&system, &["b.csv"]);
    let state = ended(&system, &big)["state"].clone();
    assert_eq!(state, "failed");
    wait_for_skus(&system, &["b", "c"]);
}

#[test]
fn the_file_of_a_later_upload_stays_when_an_earlier_one_is_taken_back() {
    let system = master("");
    let first = upload(&system, "a.csv", "", FEED);
    upload(&system, "a.csv", "&replace=1", "sku,name\nc,C\n");
    delete(&system, first["id"].as_str().unwrap());
    wait_for_files(&system, &["a.csv"]);
    assert_eq!(skus(&system), ["c"]);
}

#[test]
fn a_file_that_cannot_be_used_is_failed_and_gone() {
    let system = master("");
    let failed = upload(&system, "a.csv", "", NO_FEED);
    assert_eq!(failed["state"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("sku"), "{failed}");
    wait_for_files(&system, &[]);
    tributary_testkit::wait::until("nothing is left of it", || {
        (sources(&system) == [("uploads".to_owned(), "up".to_owned())]).then_some(())
    });
    assert!(system.json("/api/v1/rejects")["items"].as_array().unwrap().is_empty());
    assert_eq!(upload(&system, "a.csv", "", FEED)["state"], "complete");
}

#[test]
fn what_it_was_to_replace_comes_back() {
    let system = master("");
    upload(&system, "a.csv", "", FEED);
    assert_eq!(upload(&system, "a.csv", "&replace=1", NO_FEED)["state"], "failed");
    wait_for_files(&system, &["a.csv"]);
    assert_eq!(content(&system, "a.csv"), FEED);
    tributary_testkit::wait::until("it counts again", || {
        (sources(&system) == [("uploads".to_owned(), "up".to_owned())]).then_some(())
    });
    assert_eq!(skus(&system), ["a", "b"]);
}

#[test]
fn one_that_is_overtaken_is_failed_and_the_last_one_counts() {
    let system = master("");
    upload(&system, "a.csv", "", FEED);
    let ids: Vec<_> = (0..5)
        .map(|number| id_of(&send(&system, "a.csv", "&replace=1", &format!("sku,name\nn{number},N\n{}", feed(3_000)))))
        .collect();
    let ends: Vec<_> = ids.iter().map(|id| ended(&system, id)).collect();
    assert_eq!(ends.last().unwrap()["state"], "complete");
    for end in &ends[..4] {
        let overtaken = end["error"].as_str().is_some_and(|why| why.contains("another upload has taken its place"));
        assert!(end["state"] == "complete" || overtaken, "{end}");
    }
    assert!(skus(&system).contains(&"n4".to_owned()) && !skus(&system).contains(&"n3".to_owned()));
    wait_for_files(&system, &["a.csv"]);
    // The one that was there before them all is what comes back.
    let last = content(&system, "a.csv");
    assert_eq!(upload(&system, "a.csv", "&replace=1", NO_FEED)["state"], "failed");
    assert_eq!(content(&system, "a.csv"), last);
}

#[test]
fn a_file_that_somebody_takes_away_is_not_waited_for() {
    let system = master("");
    upload(&system, "other.csv", "", FEED);
    keep_busy(&system);
    let big = id_of(&send(&system, "big.csv", "", "sku,name\nbig,Big\n"));
    fs::remove_file(folder(&system).join(format!("big.csv.{big}"))).unwrap();
    let end = ended(&system, &big);
    // Should the machine be so slow that it was read in between, its rows stay: it was not taken back.
    let is_read = end["state"] == "complete";
    assert!(is_read || end["error"].as_str().unwrap().contains("missing"), "{end}");
    assert_eq!(skus(&system).contains(&"big".to_owned()), is_read);
}

/// Keeps those who read busy, so that what comes next waits.
fn keep_busy(system: &System) {
    send(system, "busy.csv", "", &feed(30_000));
}

#[test]
fn what_was_overtaken_does_not_come_back() {
    for is_cancelled in [false, true] {
        let system = master("");
        keep_busy(&system);
        let first = id_of(&send(&system, "a.csv", "", FEED));
        let second = if is_cancelled { "sku,name\nc,C\n" } else { NO_FEED };
        let second = id_of(&send(&system, "a.csv", "&replace=1", second));
        if is_cancelled {
            delete(&system, &second);
        }
        let (first, second) = (ended(&system, &first), ended(&system, &second));
        let is_owned = |upload: &Value| upload["state"] == "complete";
        // Should the machine be so slow that the first one was read in between, it owns the file.
        let has_file = is_owned(&first) || is_owned(&second);
        tributary_testkit::wait::until("the file is as it was said to be", || {
            (files(&system).contains(&"a.csv".to_owned()) == has_file).then_some(())
        });
        assert!(is_cancelled || !is_owned(&second), "{second}");
    }
}

#[test]
fn what_was_taken_back_meanwhile_does_not_come_back() {
    let system = master("");
    let first = upload(&system, "a.csv", "", FEED);
    keep_busy(&system);
    let second = id_of(&send(&system, "a.csv", "&replace=1", NO_FEED));
    delete(&system, first["id"].as_str().unwrap());
    assert_eq!(ended(&system, &second)["state"], "failed");
    wait_for_files(&system, &["busy.csv"]);
    tributary_testkit::wait::until("its rows go too", || (!skus(&system).contains(&"a".to_owned())).then_some(()));
}
