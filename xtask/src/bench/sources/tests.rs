//! The simulator must count truly, and play a source as `docs/reference/source-protocol.md` describes one.

use std::thread;

use serde_json::Value;
use tributary_protocol::BodyDigest;
use tributary_testkit::{http, wait::until};

use super::{
    content::Content,
    fleet::{Fleet, Illness},
};

const ROWS: usize = 3;

fn fleet() -> Fleet {
    Fleet::start(4, ROWS, 1).unwrap()
}

fn json(url: &str) -> Value {
    let (status, body) = http::get(url).unwrap();
    assert_eq!(status, 200, "{url}");
    serde_json::from_slice(&body).unwrap()
}

fn changed(source: usize) -> Content {
    Content { source, rows: ROWS, changed: 1, revision: 5 }
}

#[test]
fn what_it_announces_is_what_it_sends() {
    let fleet = fleet();
    for source in 0..fleet.len() {
        let url = fleet.url(source);
        let listed = http::request("GET", &format!("{url}/sense/files"), &[], b"").unwrap();
        assert!(listed.header("content-digest").is_some_and(|digest| BodyDigest::of(&listed.body).is(digest)));
        let manifest: Value = serde_json::from_slice(&listed.body).unwrap();
        let (file, version) = (&manifest["files"][0], json(&format!("{url}/sense"))["version"].clone());
        assert_eq!(manifest["version"], version);
        let hash = file["hash"].as_str().unwrap();
        let read = |tag: &str| {
            http::request("GET", &format!("{url}/read/feed.csv"), &[("If-Match", &format!("\"{tag}\""))], b"").unwrap()
        };
        let body = read(hash).body;
        assert_eq!(hash, format!("blake3:{}", blake3::hash(&body).to_hex()));
        assert_eq!(file["size"], body.len());
        let text = String::from_utf8(body).unwrap();
        assert_eq!(text.lines().count(), 1 + ROWS);
        assert!(
            text.lines().skip(1).all(|row| row.starts_with(&format!("s{source:05}-r"))),
            "each has rows of its own"
        );
        assert_eq!(read("blake3:00").status, 412);
    }
    assert_eq!(fleet.requests(), [4, 4, 4]);
}

#[test]
fn an_answer_is_held_until_its_source_changes() {
    let fleet = fleet();
    let ask = |source: usize, wait: u64| {
        let version = json(&format!("{}/sense", fleet.url(source)))["version"].as_str().unwrap().to_owned();
        let url = format!("{}/sense?since={version}&wait={wait}", fleet.url(source));
        thread::spawn(move || json(&url)["status"].as_u64())
    };
    assert_eq!(fleet.applied(0..2), None);
    let (held, other) = (ask(0, 60), ask(1, 60));
    until("both are held", || fleet.all_held(0..2).then_some(()));
    assert!(!fleet.all_held(0..3) && !held.is_finished() && !other.is_finished());
    assert!(fleet.applied(0..2).is_some());
    fleet.change([changed(0)].into_iter());
    assert_eq!(held.join().unwrap(), Some(1));
    assert_eq!(fleet.applied(0..2), None, "the new version was not asked about");
    assert!(fleet.applied(1..2).is_some() && fleet.all_held(1..2));
    assert_eq!(ask(0, 0).join().unwrap(), Some(0));
    assert!(fleet.applied(0..2).is_some());
    assert!(fleet.longest_gap(0..2).is_ok() && fleet.longest_gap(0..3).is_err(), "the third was never asked");
}

#[test]
fn only_the_sources_that_were_chosen_are_ill() {
    let fleet = fleet();
    let status = |source: usize| http::get(&format!("{}/sense", fleet.url(source))).map(|(status, _)| status);
    fleet.fall_ill(1..2, Illness::Fails);
    fleet.fall_ill(fleet.mortal(), Illness::Refuses);
    until("nobody listens any more", || status(3).is_err().then_some(()));
    assert_eq!((status(0).unwrap(), status(1).unwrap(), status(2).unwrap()), (200, 500, 200));
    fleet.fall_ill(2..3, Illness::Hangs);
    let url = fleet.url(2);
    let hanging = thread::spawn(move || http::get(&format!("{url}/sense")));
    until("it has taken the request", || (fleet.connections() == 1).then_some(()));
    assert!(!hanging.is_finished());
    drop(fleet);
    assert!(hanging.join().unwrap().is_err());
}

#[test]
fn a_delta_leads_to_the_version_that_it_names() {
    let fleet = fleet();
    let files = format!("{}/sense/files", fleet.url(0));
    let before = json(&files)["version"].as_str().unwrap().to_owned();
    fleet.change([changed(0)].into_iter());
    let delta = json(&format!("{files}?since={before}"));
    assert_eq!((delta["since"].as_str(), delta["files"].as_array().unwrap().len()), (Some(before.as_str()), 1));
    let now = delta["version"].as_str().unwrap();
    assert_ne!(now, before);
    assert_eq!(json(&format!("{files}?since={now}"))["files"].as_array().unwrap().len(), 0);
}
