//! Uploads that are refused, and that nothing is left of them.

use std::fs;

use tributary_testkit::{http, wait};

use super::{FEED, Slow, ended, files, folder, form, id, id_of, master, send, upload, wait_for_files};
use crate::{live::web::problem, system::System};

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn names_that_lead_elsewhere_or_would_lie_unread_are_refused() {
    let system = master("");
    let long = format!("{}.csv", "x".repeat(300));
    let hostile = [
        "../x.csv",
        "..",
        ".",
        "a//b.csv",
        "a/../b.csv",
        "a/.b/c.csv",
        "/etc/x.csv",
        ".x.csv",
        "a\0.csv",
        "a\n.csv",
        "C:\\x.csv",
        "..\\x.csv",
        "x.exe",
        "x.csv.part",
        "",
        &long,
    ];
    for name in hostile {
        let refused = problem(&send(&system, &encoded(name), "", FEED), 422);
        assert!(!refused["detail"].as_str().unwrap().is_empty(), "{name:?}");
        if !name.contains(['\0', '\n']) {
            let file = format!("name=\"file\"; filename=\"{name}\"");
            let refused = form(&system, "/api/v1/uploads", &[(&file, FEED)]);
            assert_eq!(refused.status, 422, "{name:?}: {}", refused.text());
        }
    }
    assert_eq!(send(&system, "%2e%2e", "", FEED).status, 422);
    assert_eq!(send(&system, "%FF.csv", "", FEED).status, 400, "it is not UTF-8");
    assert_eq!(system.ask("POST", "/api/v1/uploads", FEED).status, 422);
    assert!(!folder(&system).exists());
    let outside = system.home().join("x.csv");
    assert!(!outside.exists() && !fs::exists("/etc/x.csv").unwrap());
}

#[test]
fn a_name_that_is_there_is_refused_unless_it_may_be_replaced() {
    let system = master("");
    upload(&system, "a.csv", "", FEED);
    let refused = problem(&send(&system, "a.csv", "", "sku,name\nc,C\n"), 409);
    assert!(refused["detail"].as_str().unwrap().contains("replace=1"), "{refused}");
    problem(&send(&system, "a.csv", "&replace=0", "sku,name\nc,C\n"), 409);
    assert_eq!(send(&system, "a.csv", "&replace=2", FEED).status, 400);
    assert_eq!(upload(&system, "a.csv", "&replace=1", "sku,name\nc,C\n")["state"], "complete");
    super::wait_for_skus(&system, &["c"]);
    wait_for_files(&system, &["a.csv"]);
    // Of two that come at the same time, the first has the name.
    let mut slow = Slow::start(&system, &id('1'), "&filename=b.csv", FEED.len(), "sku");
    problem(&send(&system, "b.csv", "", FEED), 409);
    slow.send(&FEED[3..]);
    assert_eq!(slow.answer().0, 202);
    ended(&system, &id('1'));
}

#[test]
fn an_id_is_taken_once() {
    let system = master("");
    let first = send(&system, "a.csv", &format!("&id={}", id('f')), FEED);
    assert_eq!(id_of(&first), id('f'));
    problem(&send(&system, "b.csv", &format!("&id={}", id('F')), FEED), 409);
    ended(&system, &id('f'));
    problem(&send(&system, "b.csv", &format!("&id={}", id('f')), FEED), 409);
    for wrong in ["", "1", &"g".repeat(32)] {
        problem(&send(&system, "b.csv", &format!("&id={wrong}"), FEED), 422);
    }
}

#[test]
fn what_is_too_large_is_refused_by_its_length_or_on_the_way() {
    let system = master("max_size = \"10B\"");
    problem(&send(&system, "a.csv", "", FEED), 413);
    // Announced, it is refused before a byte of it has come.
    let head = "POST /api/v1/uploads?filename=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(http::exchange(&system.master_url(""), head.as_bytes()).unwrap().status, 413);
    assert!(system.json("/api/v1/uploads")["items"].as_array().unwrap().is_empty());
    let chunked = "POST /api/v1/uploads?filename=a.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                   Transfer-Encoding: chunked\r\n\r\n9\r\nsku,name\n\r\n4\r\na,A\n\r\n0\r\n\r\n";
    assert_eq!(http::exchange(&system.master_url(""), chunked.as_bytes()).unwrap().status, 413);
    let file = "name=\"file\"; filename=\"a.csv\"";
    assert_eq!(form(&system, "/api/v1/uploads", &[(file, FEED)]).status, 413);
    // What had begun is told.
    let uploads = system.json("/api/v1/uploads");
    let uploads = uploads["items"].as_array().unwrap();
    assert!(uploads.len() == 2 && uploads.iter().all(|upload| upload["state"] == "failed"), "{uploads:?}");
    wait_for_files(&system, &[]);
    assert_eq!(upload(&system, "a.csv", "", "sku,name\n")["state"], "complete", "ten bytes are taken");
}

#[test]
fn a_full_disk_is_not_made_fuller() {
    let system = master("keep_free = \"9000TiB\"");
    let refused = problem(&send(&system, "a.csv", "", FEED), 507);
    assert!(refused["detail"].as_str().unwrap().contains("keep_free"), "{refused}");
    assert!(!folder(&system).exists());
    assert!(system.json("/api/v1/uploads")["items"].as_array().unwrap().is_empty());
}

#[test]
fn more_than_eight_at_one_time_are_asked_to_wait() {
    let system = master("");
    let start = |letter: char| {
        let query = format!("&filename={letter}.csv");
        Slow::start(&system, &id(letter), &query, FEED.len(), &FEED[..4])
    };
    let mut slow: Vec<_> = "01234567".chars().map(start).collect();
    let refused = send(&system, "more.csv", "", FEED);
    problem(&refused, 503);
    assert!(refused.header("retry-after").is_some());
    slow.iter_mut().for_each(|slow| slow.send(&FEED[4..]));
    assert!(slow.into_iter().all(|slow| slow.answer().0 == 202));
    "01234567".chars().for_each(|letter| assert_eq!(ended(&system, &id(letter))["state"], "complete"));
    assert_eq!(upload(&system, "more.csv", "", FEED)["state"], "complete");
}

#[test]
fn a_body_that_breaks_off_leaves_nothing_but_a_failed_upload() {
    let system = master("");
    let slow = Slow::start(&system, &id('c'), "&filename=a.csv", 1000, FEED);
    wait::until("the body has a file", || (!files(&system).is_empty()).then_some(()));
    drop(slow);
    let failed = ended(&system, &id('c'));
    assert!(failed["state"] == "failed" && failed["error"].as_str().unwrap().contains("whole"), "{failed}");
    wait_for_files(&system, &[]);
}

#[test]
fn what_is_encoded_or_sent_by_another_site_is_refused_before_its_body() {
    let system = master("");
    // The body never comes.
    let ask = |header: &str| {
        let head = format!(
            "POST /api/v1/uploads?filename=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n{header}\r\n\r\n"
        );
        http::exchange(&system.master_url(""), head.as_bytes()).unwrap().status
    };
    assert_eq!(ask("Origin: http://evil.example"), 403);
    assert_eq!(ask("Sec-Fetch-Site: cross-site"), 403);
    assert_eq!(ask("Content-Encoding: gzip"), 415);
    assert!(!folder(&system).exists());
    let form =
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nOrigin: http://evil.example\r\n\r\n";
    assert_eq!(http::exchange(&system.master_url(""), form.as_bytes()).unwrap().status, 403);
    let delete = http::request(
        "DELETE",
        &system.master_url(&format!("/api/v1/uploads/{}", id('0'))),
        &[("Sec-Fetch-Site", "cross-site")],
        b"",
    );
    assert_eq!(delete.unwrap().status, 403);
    assert_eq!(system.ask("DELETE", &format!("/api/v1/uploads/{}", id('0')), "").status, 404);
    assert_eq!(system.ask("GET", "/api/v1/uploads/nonsense", "").status, 404);
    assert_eq!(system.ask("POST", "/upload", FEED).status, 415);
}

#[test]
fn a_token_is_needed() {
    let mut system = System::new();
    fs::write(system.folder("secrets").join("form.token"), "q7Yh2mVt9Kp4Zx8Rb1Nc5Ws6\n").unwrap();
    let token = system.folder("secrets").join("form.token");
    system.start_master(&["--token-file", token.to_str().unwrap()]);
    for (method, path) in [
        ("POST", "/api/v1/uploads?filename=a.csv".to_owned()),
        ("PUT", "/api/v1/uploads?filename=a.csv".to_owned()),
        ("POST", "/upload".to_owned()),
        ("GET", "/upload".to_owned()),
        ("GET", "/api/v1/uploads".to_owned()),
        ("DELETE", format!("/api/v1/uploads/{}", id('0'))),
    ] {
        let refused = http::request(method, &system.master_url(&path), &[], FEED.as_bytes()).unwrap();
        assert_eq!(refused.status, 401, "{method} {path}");
    }
    assert!(!folder(&system).exists());
    let url = system.master_url("/api/v1/uploads?filename=a.csv");
    let bearer = [("Authorization", "Bearer q7Yh2mVt9Kp4Zx8Rb1Nc5Ws6")];
    assert_eq!(http::request("POST", &url, &bearer, FEED.as_bytes()).unwrap().status, 202);
    wait::until("it is complete", || {
        let all = http::request("GET", &system.master_url("/api/v1/uploads"), &bearer, b"").unwrap();
        all.text().contains("\"complete\"").then_some(())
    });
}

#[test]
fn no_source_may_have_its_name() {
    let system = System::new();
    let output = system.run("master", &["--once", "--source", "uploads=http://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(2));
}
