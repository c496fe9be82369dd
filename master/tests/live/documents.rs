//! Documents as queues send them: applied before the answer, repeated, out of order, taken back.

mod kill;

use serde_json::Value;
use tributary_testkit::{
    feed,
    http::{self, Response},
    wait,
};

use crate::system::System;

const FEED: &str = "sku,name\na,A\nb,B\n";

fn master() -> System {
    let mut system = System::new();
    system.start_master(&[]);
    system
}

#[track_caller]
fn put(system: &System, path: &str, query: &str, body: &str, status: u16) -> Value {
    answer(system.ask("PUT", &format!("/api/v1/documents/{path}{query}"), body), status)
}

#[track_caller]
fn answer(response: Response, status: u16) -> Value {
    assert_eq!(response.status, status, "{}", response.text());
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn delete(system: &System, path: &str, query: &str) -> Response {
    system.ask("DELETE", &format!("/api/v1/documents/{path}{query}"), "")
}

fn skus(system: &System) -> Vec<String> {
    let products = system.json("/api/v1/products?limit=1000");
    products["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_document_is_applied_when_that_is_answered() {
    let system = master();
    let done = put(&system, "orders/2026/11/a%20b.csv", "?wait=applied", FEED, 200);
    assert_eq!((&done["path"], &done["state"]), (&"orders/2026/11/a b.csv".into(), &"complete".into()));
    assert_eq!((&done["rows"], &done["bytes"], &done["rejects"]), (&2.into(), &17.into(), &0.into()));
    assert_eq!(skus(&system), ["a", "b"]);
    assert_eq!(system.json("/api/v1/documents/orders/2026/11/a%20b.csv"), done);
    let upload = system.json(&format!("/api/v1/uploads/{}", done["id"].as_str().unwrap()));
    assert_eq!((&upload["state"], &upload["filename"]), (&done["state"], &done["path"]), "it is an upload too");

    // The same content again, and another one.
    assert_eq!(put(&system, "orders/2026/11/a%20b.csv", "?wait=applied", FEED, 200)["state"], "complete");
    put(&system, "orders/2026/11/a%20b.csv", "?wait=applied", "sku,name\nc,C\n", 200);
    assert_eq!(skus(&system), ["c"]);

    assert_eq!(delete(&system, "orders/2026/11/a%20b.csv", "").status, 204);
    assert!(skus(&system).is_empty());
    assert_eq!(delete(&system, "orders/2026/11/a%20b.csv", "").status, 404);
    assert_eq!(system.ask("GET", "/api/v1/documents/orders/2026/11/a%20b.csv", "").status, 404);
}

/// Its sender would send it again, or believe that it was lost.
#[test]
fn a_stop_answers_who_waits_until_a_document_is_applied() {
    let mut system = master();
    let mut large = Vec::new();
    feed::write(&mut large, 60_000, 0, 7).unwrap();
    let url = system.master_url("/api/v1/documents/a.csv?wait=applied");
    let sender = std::thread::spawn(move || http::request("PUT", &url, &[], &large).map(|answer| answer.status));
    wait::until("it is stored", || {
        let state = system.json("/api/v1/uploads")["items"][0]["state"].clone();
        ["queued", "processing"].iter().any(|stored| state == *stored).then_some(())
    });
    assert_eq!(system.stop_master().0, Some(0));
    assert_eq!(sender.join().unwrap().unwrap(), 202);
    system.start_master(&[]);
    wait::until("it is applied", || (skus(&system).len() == 1_000).then_some(()));
}

#[test]
fn one_that_cannot_be_used_is_refused_with_the_reason_and_changes_nothing() {
    let system = master();
    put(&system, "a.csv", "?wait=applied", FEED, 200);
    let refused = put(&system, "a.csv", "?wait=applied&message=m1&sequence=5", "x,y\n1,2\n", 422);
    assert!(refused["detail"].as_str().unwrap().contains("sku"), "{refused}");
    assert_eq!(skus(&system), ["a", "b"]);
    // A repeated message changes nothing, and says what came of it.
    let again = put(&system, "a.csv", "?wait=applied&message=m1&sequence=5", "x,y\n1,2\n", 200);
    assert_eq!(again["state"], "failed");
    // Its sequence is remembered.
    assert_eq!(put(&system, "a.csv", "?sequence=4", "sku,name\nc,C\n", 200)["state"], "superseded");
    assert_eq!(skus(&system), ["a", "b"]);
    assert_eq!(put(&system, "new.csv", "?wait=applied", "x,y\n1,2\n", 422)["status"], 422);
    assert_eq!(system.json("/api/v1/documents/new.csv")["state"], "failed");
}

#[test]
fn a_known_message_changes_nothing() {
    let system = master();
    let first = put(&system, "a.csv", "?message=m1&wait=applied", FEED, 200);
    let again = put(&system, "a.csv", "?message=m1&wait=applied", "sku,name\nc,C\n", 200);
    assert_eq!((&again["id"], &again["state"]), (&first["id"], &"complete".into()));
    assert_eq!(skus(&system), ["a", "b"]);
    assert_eq!(delete(&system, "a.csv", "?message=m2").status, 204);
    let gone = put(&system, "a.csv", "?message=m1&wait=applied", FEED, 200);
    assert_eq!((&gone["state"], &gone["id"]), (&"complete".into(), &Value::Null), "{gone}");
    assert!(skus(&system).is_empty());
    put(&system, "a.csv", "?message=m3&wait=applied", FEED, 200);
    assert_eq!(answer(delete(&system, "a.csv", "?message=m2"), 200)["path"], "a.csv");
    assert_eq!(skus(&system), ["a", "b"]);
}

#[test]
fn the_greatest_sequence_counts() {
    let system = master();
    put(&system, "a.csv", "?sequence=7&wait=applied", "sku,name\ng,G\n", 200);
    for sequence in [7, 6, -1] {
        let late = put(&system, "a.csv", &format!("?sequence={sequence}&wait=applied"), FEED, 200);
        assert_eq!(late["state"], "superseded", "{sequence}");
    }
    assert_eq!(skus(&system), ["g"]);
    assert_eq!(system.json("/api/v1/documents/a.csv")["sequence"], 7);
    // Another path counts apart, and without a sequence the order of arrival counts.
    put(&system, "b.csv", "?sequence=1&wait=applied", "sku,name\nb,B\n", 200);
    put(&system, "a.csv", "?wait=applied", "sku,name\nh,H\n", 200);
    assert_eq!(skus(&system), ["b", "h"]);
    // The sequence of one that was taken back is remembered, over a restart too.
    assert_eq!(delete(&system, "a.csv", "?sequence=9").status, 204);
    let mut system = system;
    system.kill_master();
    system.start_master(&[]);
    assert_eq!(put(&system, "a.csv", "?sequence=8&wait=applied", FEED, 200)["state"], "superseded");
    assert_eq!(answer(delete(&system, "a.csv", "?sequence=9"), 200)["state"], "superseded");
    put(&system, "a.csv", "?sequence=10&wait=applied", FEED, 200);
    assert_eq!(skus(&system), ["a", "b"]);
}

#[test]
fn a_folder_is_taken_back_as_a_whole() {
    let system = master();
    for (path, sku) in [("f/a.csv", "a"), ("f/g/b.csv", "b"), ("f.csv", "c"), ("f0/d.csv", "d"), ("F/e.csv", "e")] {
        put(&system, path, "?wait=applied", &format!("sku,name\n{sku},N\n"), 200);
    }
    put(&system, "f/bad.csv", "?wait=applied", "x,y\n1,2\n", 422);
    assert_eq!(delete(&system, "f/g/", "?message=m1").status, 204);
    assert_eq!(skus(&system), ["a", "c", "d", "e"]);
    put(&system, "f/g/b.csv", "?wait=applied", "sku,name\nb,N\n", 200);
    assert_eq!(answer(delete(&system, "f/g/", "?message=m1"), 200)["path"], "f/g/", "the message is known");
    assert_eq!(skus(&system), ["a", "b", "c", "d", "e"]);
    assert_eq!(delete(&system, "f/", "").status, 204);
    assert_eq!(skus(&system), ["c", "d", "e"]);
    assert_eq!(system.ask("GET", "/api/v1/documents/f/a.csv", "").status, 404);
    for path in ["f/", "none/", "c%25_/"] {
        assert_eq!(delete(&system, path, "").status, 204, "{path}: there is nothing");
    }
    for path in ["/", "a//", "f/%2E%2E/"] {
        assert_eq!(delete(&system, path, "").status, 422, "{path}");
    }
    assert_eq!(delete(&system, "F/", "?sequence=3").status, 422);
    assert_eq!(delete(&system, "F/", "?message=").status, 422);
    assert_eq!(skus(&system), ["c", "d", "e"]);
}

#[test]
fn wrong_requests_are_refused() {
    let system = master();
    for (path, query, status) in [
        ("a.csv", "?wait=read", 400),
        ("a.csv", "?sequence=x", 400),
        ("a.csv", "?other=1", 400),
        ("a.csv", "?message=", 422),
        ("a//b.csv", "", 422),
        ("a/%2E%2E/b.csv", "", 422),
        ("a.exe", "", 422),
        ("%FF.csv", "", 400),
    ] {
        put(&system, path, query, FEED, status);
    }
    put(&system, "a.csv", &format!("?message={}", "x".repeat(256)), FEED, 422);
    assert_eq!(system.ask("POST", "/api/v1/documents/a.csv", FEED).status, 405);
    assert!(skus(&system).is_empty());
}

#[test]
fn many_at_once_are_all_applied() {
    let system = master();
    let send = |worker: usize| {
        for number in 0..25 {
            let body = format!("sku,name\nw{worker:02}n{number:02},N\n");
            let path = format!("w{worker}/{number}.csv");
            put(&system, &path, &format!("?wait=applied&message={worker}-{number}"), &body, 200);
        }
    };
    std::thread::scope(|scope| {
        (0..8).for_each(|worker| {
            scope.spawn(move || send(worker));
        });
    });
    assert_eq!(skus(&system).len(), 200);
    let uploads = system.json("/api/v1/uploads?limit=300");
    assert!(uploads["items"].as_array().unwrap().iter().all(|upload| upload["state"] == "complete"));
    assert_eq!(uploads["items"].as_array().unwrap().len(), 200);
}
