//! Several tokens with names and roles: who did what, and another token without a restart.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;
use tributary_testkit::{
    http::{self, Response},
    process, wait,
};

use super::{BROWSER, page, problem};
use crate::system::System;

const ANN: &str = "ann-q7Yh2mVt9Kp4Zx8Rb1Nc5";
const BOB: &str = "bob-q7Yh2mVt9Kp4Zx8Rb1Nc5";
const CID: &str = "cid-q7Yh2mVt9Kp4Zx8Rb1Nc5";
const DAN: &str = "dan-q7Yh2mVt9Kp4Zx8Rb1Nc5";

/// A master with a token for each of four people.
fn guarded() -> System {
    let mut system = System::new();
    system.write("north", "feed.csv", (0..300).fold("sku,name\n".to_owned(), |feed, n| feed + &format!("a{n},x\n")));
    system.serve("north");
    let lines = format!("# people\nann read {ANN}\nbob edit {BOB}\ncid upload {CID}\n\ndan {DAN}\n");
    fs::write(file(&system), lines).unwrap();
    let source = format!("[[source]]\nname = \"north\"\nurl = \"{}\"\n", system.url("north"));
    system.configure(&format!("token_file = \"sources/secrets/tokens\"\n{source}"));
    system.start_master_that_warns();
    wait::until("the feed is applied", || (system.products().len() == 300).then_some(()));
    system
}

fn file(system: &System) -> std::path::PathBuf {
    system.folder("secrets").join("tokens")
}

#[track_caller]
fn ask(system: &System, token: &str, method: &str, path: &str, body: &str) -> Response {
    let bearer = [("Authorization", &*format!("Bearer {token}")), ("Content-Length", &*body.len().to_string())];
    http::request(method, &system.master_url(path), &bearer[..1 + usize::from(body.is_empty())], body.as_bytes())
        .unwrap()
}

#[test]
fn whoever_corrects_sends_or_accepts_is_remembered() {
    let system = guarded();
    let edit = r#"{"name":"n","description":"d"}"#;
    let refused = ask(&system, ANN, "PUT", "/api/v1/products/a1", edit);
    problem(&refused, 403);
    for part in ["role needed", "`ann`", "`edit`", "`read`"] {
        assert!(refused.text().contains(part), "{}", refused.text());
    }
    assert_eq!(ask(&system, BOB, "PUT", "/api/v1/products/a1", edit).status, 200);
    let edits = system.table("edits");
    assert_eq!((&edits[0]["sku"], &edits[0]["edited_by"]), (&json!("a1"), &json!("bob")));
    let basic = [("Authorization", "Basic bXlzZWxmOmRhbi1xN1loMm1WdDlLcDRaeDhSYjFOYzU=")]; // myself and the token of dan
    let patch = http::request("PATCH", &system.master_url("/api/v1/products/a2"), &basic, br#"{"name":"m"}"#).unwrap();
    assert_eq!(patch.status, 200, "{}", patch.text());
    assert_eq!(system.table("edits")[1]["edited_by"], json!("dan"), "the token's name wins");

    problem(&ask(&system, BOB, "POST", "/api/v1/uploads?filename=u.csv", "sku,name\nu,x\n"), 403);
    assert_eq!(ask(&system, CID, "POST", "/api/v1/uploads?filename=u.csv", "sku,name\nu,x\n").status, 202);
    let uploads: serde_json::Value =
        serde_json::from_str(&ask(&system, ANN, "GET", "/api/v1/uploads", "").text()).unwrap();
    assert_eq!(uploads["items"][0]["sent_by"], json!("cid"));
    assert!(uploads["items"][0]["created_at"].is_string());

    assert_eq!(ask(&system, DAN, "DELETE", "/api/v1/documents/u.csv", "").status, 204);
    assert_eq!(ask(&system, CID, "PUT", "/api/v1/documents/f/v.csv", "sku,name\nv,x\n").status, 202);
    assert_eq!(ask(&system, CID, "DELETE", "/api/v1/documents/f/", "").status, 204);

    system.write("north", "feed.csv", "sku,name\n");
    wait::until("it is held", || (system.table("sources")[0]["state"] == "held").then_some(()));
    problem(&ask(&system, CID, "POST", "/api/v1/sources/north/accept", ""), 403);
    assert_eq!(ask(&system, DAN, "POST", "/api/v1/sources/north/accept", "").status, 202);
    let url = system.master_url("/api/v1/events");
    let bearer = format!("Bearer {ANN}");
    let mut lines = http::lines(&url, &[("Authorization", &bearer), ("Last-Event-ID", "0")]).unwrap();
    for removed in [r#"{"by":"dan","documents":1,"path":"u.csv"}"#, r#"{"by":"cid","documents":1,"path":"f/"}"#] {
        let event = lines.by_ref().skip_while(|line| line != "event: removed").nth(1).unwrap();
        assert_eq!(event, format!("data: {removed}"));
    }
    let accepted = lines.by_ref().skip_while(|line| line != "event: accepted").nth(1).unwrap();
    assert_eq!(accepted, r#"data: {"by":"dan","removes":300,"source":"north"}"#);
}

/// Someone with a token without a name could say that ann did it.
#[test]
fn nobody_is_recorded_by_the_name_of_a_token_that_he_does_not_have() {
    let system = guarded();
    fs::write(file(&system), format!("ann read {ANN}\n{DAN}\n")).unwrap();
    system.hangup();
    wait::until("the tokens are in force", || (ask(&system, BOB, "GET", "/", "").status == 401).then_some(()));
    // The user names Ann and eve, with the token that has no name.
    for (sku, encoded, by) in [
        ("a1", "QW5uOmRhbi1xN1loMm1WdDlLcDRaeDhSYjFOYzU=", json!(null)),
        ("a2", "ZXZlOmRhbi1xN1loMm1WdDlLcDRaeDhSYjFOYzU=", json!("eve")),
    ] {
        let basic = [("Authorization", &*format!("Basic {encoded}"))];
        let url = system.master_url(&format!("/api/v1/products/{sku}"));
        let patch = http::request("PATCH", &url, &basic, br#"{"name":"m"}"#).unwrap();
        assert_eq!(patch.status, 200, "{}", patch.text());
        let edits = system.table("edits");
        let edit = edits.iter().find(|edit| edit["sku"] == sku).unwrap();
        assert_eq!(edit["edited_by"], by);
    }
}

/// The first admin of the token file was taken for the person at the command line.
#[test]
fn the_command_line_accepts_under_its_own_name() {
    let system = guarded();
    system.write("north", "feed.csv", "sku,name\n");
    wait::until("it is held", || (system.table("sources")[0]["state"] == "held").then_some(()));
    let listen = system.master_url("").replace("http://", "");
    let output = system.run("master", &["--accept", "north", "--listen", &listen]);
    assert!(output.status.success(), "{}", process::stderr(&output));
    let bearer = format!("Bearer {ANN}");
    let headers = [("Authorization", &*bearer), ("Last-Event-ID", "0")];
    let mut lines = http::lines(&system.master_url("/api/v1/events"), &headers).unwrap();
    let accepted = lines.by_ref().skip_while(|line| line != "event: accepted").nth(1).unwrap();
    assert_eq!(accepted, r#"data: {"by":"master --accept","removes":300,"source":"north"}"#);
}

#[test]
fn a_reader_who_saves_gets_a_page() {
    let system = guarded();
    let headers = [BROWSER, ("Authorization", &*format!("Bearer {ANN}"))];
    let refused = http::request("POST", &system.master_url("/update"), &headers, b"sku=a1&name=b").unwrap();
    page(&refused, 403);
    assert!(refused.text().contains("`edit`"), "{}", refused.text());
}

#[test]
fn tokens_change_without_a_restart() {
    let system = guarded();
    let status = |token: &str| ask(&system, token, "GET", "/api/v1/sources", "").status;
    let until = |what: &str, token: &str, expect: u16| wait::until(what, || (status(token) == expect).then_some(()));
    let new = format!("eve-{}", &ANN[4..]);
    fs::write(file(&system), format!("eve {new}\n")).unwrap();
    system.hangup();
    until("the new token opens", &new, 200);
    assert_eq!(status(ANN), 401, "the old one does not");
    fs::write(file(&system), "eve short\n").unwrap();
    system.hangup();
    wait::until("it is in the log", || system.log().contains("the old tokens stay in force").then_some(()));
    assert!(!system.log().contains("short"), "{}", system.log());
    assert_eq!(status(&new), 200, "a wrong file changes nothing");
    fs::write(file(&system), format!("dan {DAN}\n")).unwrap();
    until("the changed file is noticed without a signal", DAN, 200);
}

/// Begins a request whose answer goes on until one side ends it.
fn follow(system: &System, token: &str, path: &str, upgrade: &str) -> TcpStream {
    let url = system.master_url("");
    let mut stream = TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{upgrade}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    until(&mut stream, "HTTP/1.1 ");
    let mut status = [0; 3];
    stream.read_exact(&mut status).unwrap();
    assert!([b"200", b"101"].contains(&&status), "{path}: {}", String::from_utf8_lossy(&status));
    stream
}

/// Reads until a text has come.
fn until(stream: &mut TcpStream, text: &str) {
    let mut read = Vec::new();
    while !read.ends_with(text.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        read.extend(byte);
    }
}

/// They would see for months what happens, long after their token was taken away.
#[test]
fn what_a_revoked_token_follows_ends() {
    const CLOSE: &str = "Connection: close\r\n";
    const WEBSOCKET: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let system = guarded();
    let (bearer, name) = (format!("Bearer {CID}"), "filename dS5jc3Y=");
    let begun = [
        ("Authorization", &*bearer),
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Length", "9"),
        ("Upload-Metadata", name),
        ("Content-Length", "0"),
    ];
    let begun = http::request("POST", &system.master_url("/api/v1/tus/"), &begun, b"").unwrap();
    assert_eq!(begun.status, 201, "{}", begun.text());
    let upload = begun.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    let ends = [
        follow(&system, ANN, "/api/v1/events", CLOSE),
        follow(&system, ANN, &format!("/api/v1/uploads/{upload}/events"), CLOSE),
        follow(&system, ANN, "/socket.io/?EIO=4&transport=websocket", WEBSOCKET),
    ];
    let mut goes_on = follow(&system, BOB, "/api/v1/events", CLOSE);
    fs::write(file(&system), format!("bob edit {BOB}\ndan {DAN}\n")).unwrap();
    system.hangup();
    for mut stream in ends {
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    assert_eq!(ask(&system, BOB, "PUT", "/api/v1/products/a1", r#"{"name":"n","description":"d"}"#).status, 200);
    until(&mut goes_on, "event: edit");
}

#[test]
fn weak_tokens_are_refused_and_new_ones_are_not() {
    let system = System::new();
    let path = file(&system);
    let start = |args: &[&str]| system.run("master", &[&["--token-file", path.to_str().unwrap()], args].concat());
    for (weak, why) in [("x", "128"), ("ann x", "128"), (&*"x".repeat(64), "different"), ("ann owner x", "admin")] {
        fs::write(&path, format!("{weak}\n")).unwrap();
        for (args, code) in [(&["--listen", "127.0.0.1:0"][..], 1), (&["--check"], 2)] {
            let output = start(args);
            let error = process::stderr(&output);
            assert_eq!(output.status.code(), Some(code), "{weak}: {error}");
            assert!(error.contains("line 1") && error.contains(why), "{weak}: {error}");
            assert!(why == "admin" || error.contains("master --new-token NAME"), "{error}");
        }
    }
    let made = |args: &[&str]| {
        let output = system.run("master", args);
        assert!(output.status.success(), "{}", process::stderr(&output));
        process::stdout(&output)
    };
    let (all, edit) = (made(&["--new-token", "ann"]), made(&["--new-token", "bob", "--role", "edit"]));
    assert!(all.starts_with("ann ") && all.split(' ').count() == 2 && edit.starts_with("bob edit "), "{all}{edit}");
    assert!(!system.database_exists(), "nothing is written");
    fs::write(&path, all + &edit).unwrap();
    let output = start(&["--check"]);
    assert!(output.status.success(), "{}", process::stderr(&output));
}
