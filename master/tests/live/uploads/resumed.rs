//! Uploads in parts, as tus clients send them: broken off, gone on with, cancelled and refused.

use tributary_testkit::http::{self, Response};

use super::{FEED, delete, ended, folder, get, id, master, upload, wait_for_files, wait_for_skus};
use crate::system::System;

/// `filename` of `Upload-Metadata`, in Base64: `a/b.csv`.
const NAME: &str = "filename YS9iLmNzdg==";
const PART: (&str, &str) = ("Content-Type", "application/offset+octet-stream");
const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");

fn ask(system: &System, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let headers: Vec<_> = [TUS].into_iter().chain(headers.iter().copied()).collect();
    let response = http::request(method, &system.master_url(path), &headers, body.as_bytes()).unwrap();
    assert_eq!(response.header("tus-resumable"), Some("1.0.0"), "{method} {path}");
    response
}

/// Announces a file and returns the path that takes its parts.
#[track_caller]
fn create(system: &System, length: usize, metadata: &str) -> String {
    let length = length.to_string();
    let headers = [("Upload-Length", length.as_str()), ("Upload-Metadata", metadata)];
    let created = ask(system, "POST", "/api/v1/tus/", &headers, "");
    assert_eq!(created.status, 201, "{}", created.text());
    created.header("location").unwrap().to_owned()
}

#[track_caller]
fn append(system: &System, path: &str, offset: usize, body: &str, status: u16) -> Response {
    let response = ask(system, "PATCH", path, &[PART, ("Upload-Offset", &offset.to_string())], body);
    assert_eq!(response.status, status, "{}", response.text());
    response
}

#[track_caller]
fn offset(system: &System, path: &str) -> (usize, usize) {
    let head = ask(system, "HEAD", path, &[], "");
    assert_eq!((head.status, head.header("cache-control")), (200, Some("no-store")));
    let number = |name: &str| head.header(name).unwrap().parse().unwrap();
    (number("upload-offset"), number("upload-length"))
}

fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[test]
fn a_file_comes_in_parts_and_over_a_restart() {
    let mut system = master("");
    let path = create(&system, FEED.len(), NAME);
    assert_eq!(offset(&system, &path), (0, FEED.len()));
    assert_eq!(append(&system, &path, 0, &FEED[..5], 204).header("upload-offset"), Some("5"));
    assert!(append(&system, &path, 5, &FEED[5..7], 204).header("upload-expires").is_some());
    let upload = get(&system, id_in(&path));
    assert_eq!(
        (&upload["state"], &upload["bytes"], &upload["filename"]),
        (&"receiving".into(), &7.into(), &"a/b.csv".into())
    );
    append(&system, &path, 5, "x", 409);
    system.kill_master();
    system.start_master(&[]);
    assert_eq!(offset(&system, &path), (7, FEED.len()));
    assert_eq!(get(&system, id_in(&path))["bytes"], 7);
    append(&system, &path, 7, &FEED[7..], 204);
    assert_eq!(ended(&system, id_in(&path))["state"], "complete");
    wait_for_skus(&system, &["a", "b"]);
    assert_eq!(offset(&system, &path), (FEED.len(), FEED.len()), "a client whose answer was lost learns it");
    wait_for_files(&system, &["a/b.csv"]);
    append(&system, &path, FEED.len(), "x", 404);
}

#[test]
fn a_part_that_breaks_off_is_kept() {
    let system = master("");
    let path = create(&system, FEED.len(), NAME);
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {}\r\n\
         Content-Length: 17\r\nConnection: close\r\n\r\n{}",
        PART.1,
        &FEED[..9]
    );
    let mut stream = std::net::TcpStream::connect(system.master_url("").trim_start_matches("http://")).unwrap();
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    tributary_testkit::wait::until("a part has come", || (get(&system, id_in(&path))["bytes"] == 9).then_some(()));
    // The connection hangs. Whoever asks goes on, and does not wait for it.
    assert_eq!(offset(&system, &path), (9, FEED.len()));
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 409") && answer.contains("another request goes on"), "{answer}");
    append(&system, &path, 9, &FEED[9..], 204);
    assert_eq!(ended(&system, id_in(&path))["state"], "complete");
    drop(stream);
}

#[test]
fn the_announcement_may_bring_the_first_part_or_all() {
    let system = master("");
    let headers = |length: &'static str| [("Upload-Length", length), ("Upload-Metadata", NAME), PART];
    let created = ask(&system, "POST", "/api/v1/tus/", &headers("17"), FEED);
    assert_eq!((created.status, created.header("upload-offset")), (201, Some("17")));
    assert_eq!(ended(&system, id_in(created.header("location").unwrap()))["state"], "complete");
    // A file without a byte needs no part, and is no feed.
    let empty = create(&system, 0, "filename ZS5jc3Y=");
    assert_eq!(ended(&system, id_in(&empty))["state"], "failed");
}

#[test]
fn an_unfinished_upload_is_cancelled_by_both_names() {
    let system = master("");
    for by_tus in [true, false] {
        let path = create(&system, 100, NAME);
        append(&system, &path, 0, FEED, 204);
        if by_tus {
            assert_eq!(ask(&system, "DELETE", &path, &[], "").status, 204);
        } else {
            delete(&system, id_in(&path));
        }
        assert_eq!(get(&system, id_in(&path))["error"], "it was cancelled");
        wait_for_files(&system, &[]);
        assert_eq!(ask(&system, "HEAD", &path, &[], "").status, 410);
        append(&system, &path, 17, "x", 404);
    }
}

/// The id of an upload that was taken back was answered as one that is free, and then with 500.
#[test]
fn an_id_is_never_used_twice() {
    let system = master("");
    let metadata = format!("{NAME},id {}", "YWFh".repeat(10) + "YWE=");
    let path = create(&system, FEED.len(), &metadata);
    append(&system, &path, 0, FEED, 204);
    assert_eq!(ended(&system, id_in(&path))["state"], "complete");
    delete(&system, id_in(&path));
    assert_eq!(ask(&system, "HEAD", &path, &[], "").status, 410);
    let again = ask(&system, "POST", "/api/v1/tus/", &[("Upload-Length", "5"), ("Upload-Metadata", &metadata)], "");
    assert_eq!((again.status, again.text().contains("id is known")), (409, true), "{}", again.text());
    assert_eq!(ask(&system, "HEAD", &format!("/api/v1/tus/{}", id('0')), &[], "").status, 404);
}

#[test]
fn a_part_whose_sender_is_gone_keeps_nobody_from_its_path() {
    let system = master("");
    let part = create(&system, FEED.len(), NAME);
    append(&system, &part, 0, &FEED[..5], 204);
    let whole = create(&system, FEED.len(), NAME);
    append(&system, &whole, 0, FEED, 204);
    assert_eq!(ended(&system, id_in(&whole))["state"], "complete");
    // The first one to arrive has the path.
    let late = append(&system, &part, 5, &FEED[5..], 409);
    assert!(late.text().contains("exists already"), "{}", late.text());
    assert_eq!(get(&system, id_in(&part))["state"], "failed");
    assert_eq!(ended(&system, id_in(&whole))["state"], "complete");
}

#[test]
fn what_cannot_be_is_refused() {
    let system = master("max_size = \"20B\"");
    let refused = |headers: &[(&str, &str)]| ask(&system, "POST", "/api/v1/tus/", headers, "").status;
    assert_eq!(refused(&[("Upload-Length", "21"), ("Upload-Metadata", NAME)]), 413);
    assert_eq!(refused(&[("Upload-Length", "5")]), 422);
    assert_eq!(refused(&[("Upload-Metadata", NAME)]), 400);
    assert_eq!(refused(&[("Upload-Length", "-5"), ("Upload-Metadata", NAME)]), 400);
    assert_eq!(refused(&[("Upload-Length", "5"), ("Upload-Metadata", "filename Li4veC5jc3Y=")]), 422);
    assert!(!folder(&system).exists());
    let other = http::request("POST", &system.master_url("/api/v1/tus/"), &[("Tus-Resumable", "0.2.2")], b"").unwrap();
    assert_eq!((other.status, other.header("tus-version")), (412, Some("1.0.0")));
    let options = http::request("OPTIONS", &system.master_url("/api/v1/tus/"), &[], b"").unwrap();
    assert_eq!((options.status, options.header("tus-max-size")), (204, Some("20")));
    assert!(options.header("tus-extension").unwrap().contains("creation"));

    upload(&system, "b.csv", "", "sku,name\n");
    let taken = [("Upload-Length", "5"), ("Upload-Metadata", "filename Yi5jc3Y=")];
    assert_eq!(refused(&taken), 409);
    let path = create(&system, 5, "filename Yi5jc3Y=,replace MQ==,id YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=");
    assert_eq!(id_in(&path), id('a'));
    append(&system, &path, 0, "123456", 400);
    assert_eq!(ask(&system, "PATCH", &path, &[("Upload-Offset", "0")], "x").status, 415);
    assert_eq!(ask(&system, "PATCH", &path, &[PART], "x").status, 400);
    assert_eq!(
        ask(&system, "PATCH", &format!("/api/v1/tus/{}", id('0')), &[PART, ("Upload-Offset", "0")], "x").status,
        404
    );
}
