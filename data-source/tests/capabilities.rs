//! Capabilities: what they open and for how long, and that nothing else gets open or known by them.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Answer, Source, send, wait_for};

const TOKEN: &str = "a-token-of-the-owner-0123456789";
const OTHER: &str = "a-token-of-another-one-0123456789";
const TEXT: &str = "sku,name\n1,a\n2,b\n";

/// A source with two tokens, and the file of them.
struct Guarded {
    source: Source,
    tokens: tempfile::NamedTempFile,
}

impl Guarded {
    fn of(files: &[(&str, &str)]) -> Self {
        let tokens = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(tokens.path(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(tokens.path(), format!("ann read {TOKEN}\nbob read {OTHER}\n")).unwrap();
        let source = Source::with(files, &["--settle", "50ms", "--token-file", tokens.path().to_str().unwrap()]);
        Self { source, tokens }
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        send(&format!("http://{}{path}", self.source.address), method, &[("authorization", &bearer)], body.to_owned())
    }

    /// Makes a capability with this token, and returns its prefix.
    fn prefix(&self, token: &str, body: &Value) -> String {
        let answer = self.ask("POST", "/capabilities", token, &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["prefix"].as_str().unwrap().to_owned()
    }
}

fn hash_of(content: &str) -> String {
    format!("blake3:{}", blake3::hash(content.as_bytes()).to_hex())
}

#[test]
fn a_capability_opens_files_without_a_token() {
    let guarded = Guarded::of(&[("a.csv", TEXT), ("b/c d.csv", "x\n1\n"), ("~x.csv", "y\n2\n")]);
    let source = &guarded.source;
    let answer = guarded.ask("POST", "/capabilities", TOKEN, "{}");
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"));
    let made = answer.json();
    let (token, prefix) = (made["token"].as_str().unwrap(), made["prefix"].as_str().unwrap());
    assert_eq!(prefix, format!("/read/~{token}/"));
    assert_eq!(answer.header("location"), format!("/capabilities/{token}"));
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));
    for (path, text) in [("a.csv", TEXT), ("b/c%20d.csv", "x\n1\n"), ("~x.csv", "y\n2\n"), ("%7Ex.csv", "y\n2\n")] {
        let read = source.get(&format!("{prefix}{path}"));
        assert_eq!((read.status.as_u16(), read.text().as_str()), (200, text), "{path}");
        assert_eq!(read.header("referrer-policy"), "no-referrer");
        assert_eq!(read.header("cache-control"), "private, no-cache");
        assert_eq!(read.header("accept-ranges"), "bytes");
    }
    let part = source.ask("GET", &format!("{prefix}a.csv"), &[("range", "bytes=9-11")]);
    assert_eq!((part.status.as_u16(), part.text().as_str()), (206, "1,a"));
    assert_eq!(part.header("content-range"), "bytes 9-11/17");
    let head = source.ask("HEAD", &format!("{prefix}a.csv"), &[]);
    assert_eq!((head.status.as_u16(), head.header("content-length")), (200, "17"));
    assert_eq!(source.get(&format!("{prefix}none.csv")).problem(404), "no such file; `/sense/files` lists all files");
}

#[test]
fn it_opens_nothing_else() {
    let guarded = Guarded::of(&[("a.csv", TEXT), ("b.csv", TEXT)]);
    let (source, all) = (&guarded.source, guarded.prefix(TOKEN, &json!({})));
    let some = guarded.prefix(TOKEN, &json!({"paths": ["a.csv"], "valid": "1h"}));
    assert_eq!(source.get(&format!("{some}a.csv")).status, 200);
    for path in ["b.csv", "none.csv", "", "..%2Fsense", "a.csv/"] {
        let detail = source.get(&format!("{some}{path}")).problem(403);
        assert!(detail.contains("does not open this file"), "{detail}");
    }
    let secret = all.strip_prefix("/read/~").unwrap().trim_end_matches('/');
    for path in ["/sense", "/sense/files", "/read", "/read/a.csv", "/metrics", "/", &format!("/read/{secret}/a.csv")] {
        assert_eq!(source.get(path).status, 401, "{path}");
        let answer = source.ask("GET", path, &[("authorization", &format!("Bearer {secret}"))]);
        assert_eq!(answer.status, 401, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(source.ask(method, &format!("{all}a.csv"), &[]).status, 401, "{method}");
        assert_eq!(source.ask(method, &format!("/capabilities/{secret}"), &[]).status, 401, "{method}");
    }
    assert_eq!(source.post("/capabilities", "{}").status, 401);
    assert_eq!(source.post("/aggregate", "{}").status, 401);
    assert_eq!(source.ask("GET", &format!("{all}a.csv"), &[("host", "evil.example")]).status, 421);
    assert_eq!(source.ask("GET", &format!("{all}a.csv"), &[("sec-fetch-site", "cross-site")]).status, 403);
}

#[test]
fn it_ends_with_its_time_with_its_token_and_when_it_is_revoked() {
    let guarded = Guarded::of(&[("a.csv", TEXT)]);
    let source = &guarded.source;
    let is_gone = |prefix: &str| source.get(&format!("{prefix}a.csv")).status == 403;
    let short = guarded.prefix(TOKEN, &json!({"valid": "1s"}));
    wait_for("the capability expires", || is_gone(&short));
    let detail = source.get(&format!("{short}a.csv")).problem(403);
    assert!(detail.contains("expired") && !detail.contains(&short[7..]), "{detail}");
    let [anns, bobs] = [TOKEN, OTHER].map(|token| guarded.prefix(token, &json!({})));
    let revoked = guarded.prefix(TOKEN, &json!({}));
    let place = revoked.replace("/read/~", "/capabilities/");
    let place = place.trim_end_matches('/');
    assert_eq!(guarded.ask("DELETE", place, OTHER, "").status, 204);
    assert_eq!(guarded.ask("DELETE", place, OTHER, "").problem(404), "there is no such capability, or it has expired");
    assert!(is_gone(&revoked) && !is_gone(&anns) && !is_gone(&bobs));
    fs::write(guarded.tokens.path(), format!("bob read {OTHER}\n")).unwrap();
    source.signal("HUP");
    wait_for("the token is gone", || is_gone(&anns));
    assert!(!is_gone(&bobs));
    assert_eq!(guarded.ask("GET", &format!("{anns}a.csv"), OTHER, "").status, 404, "a token needs no capability");
}

#[test]
fn a_pinned_path_never_gives_another_content() {
    let guarded = Guarded::of(&[("a.csv", TEXT)]);
    let (source, prefix) = (&guarded.source, guarded.prefix(TOKEN, &json!({"paths": ["a.csv"]})));
    let [old, new] = [TEXT, "sku,name\n9,z\n"].map(|text| format!("{prefix}~{}/a.csv", hash_of(text)));
    assert_eq!((source.get(&old).text().as_str(), source.get(&new).status.as_u16()), (TEXT, 412));
    source.write("a.csv", b"sku,name\n9,z\n");
    wait_for("the new content", || source.get(&new).status == 200);
    for (method, headers) in [("GET", &[][..]), ("GET", &[("range", "bytes=0-3")]), ("HEAD", &[])] {
        assert_eq!(source.ask(method, &old, headers).status, 412, "{method} {headers:?}");
    }
    assert!(source.get(&old).problem(412).contains("/sense/files"));
    fs::remove_file(source.path("a.csv")).unwrap();
    wait_for("the file is gone", || source.get(&new).status == 404);
}

#[test]
fn wrong_requests_say_what_is_wrong() {
    let source = Source::of(&[("a.csv", TEXT)]);
    let check = |body: &str, status: u16, words: &str| {
        let detail = source.post("/capabilities", body).problem(status);
        assert!(detail.contains(words), "{body}: {detail}");
    };
    check("", 400, "the body is not a request for a capability");
    check("[]", 400, "the body is not a request for a capability");
    check("{\"path\": []}", 400, "path");
    check("{\"valid\": \"25h\"}", 400, "1s to 24h");
    check("{\"valid\": \"0s\"}", 400, "1s to 24h");
    check("{\"valid\": 600}", 400, "the body is not");
    check(&json!({"paths": ["x".repeat(4_097)]}).to_string(), 400, "longer");
    check(&json!({"paths": ["x".repeat(1 << 20)]}).to_string(), 413, "1048576");
    assert_eq!(source.ask("GET", "/capabilities", &[]).problem(405), "this path supports only POST");
    assert_eq!(source.ask("GET", "/capabilities/x", &[]).problem(405), "this path supports only DELETE");
    assert_eq!(source.ask("DELETE", "/capabilities/x", &[]).status, 404);
}

#[test]
fn a_source_without_tokens_gives_them_too() {
    let source = Source::of(&[("a.csv", TEXT)]);
    let made = source.post("/capabilities", "{\"paths\": [\"a.csv\"]}").json();
    let prefix = made["prefix"].as_str().unwrap();
    assert_eq!(source.get(&format!("{prefix}a.csv")).text(), TEXT);
    assert_eq!(source.get(&format!("{prefix}b.csv")).status, 403);
    let unknown = format!("/read/~{}/a.csv", "x".repeat(43));
    assert_eq!(source.get(&unknown).status, 404);
}

#[test]
fn the_secret_is_in_no_metric() {
    let guarded = Guarded::of(&[("a.csv", TEXT)]);
    let (source, prefix) = (&guarded.source, guarded.prefix(TOKEN, &json!({})));
    source.get(&format!("{prefix}a.csv"));
    let metrics = guarded.ask("GET", "/metrics", TOKEN, "").text();
    assert!(metrics.contains("{route=\"/read/~{capability}/{path}\",status=\"200\"} 1"), "{metrics}");
    assert!(metrics.contains("\ntributary_source_capabilities 1\n"), "{metrics}");
    assert!(!metrics.contains(&prefix[7..50]), "{metrics}");
}

/// The reader is stopped in the middle of a file; a transfer that has begun ends by itself.
#[test]
fn a_transfer_under_way_goes_on() {
    let text = "0123456789abcde\n".repeat(1 << 20);
    let guarded = Guarded::of(&[("a.csv", &text)]);
    let prefix = guarded.prefix(TOKEN, &json!({}));
    let head = format!("GET {prefix}a.csv HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut stream = guarded.source.send(&head);
    stream.flush().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    let place = prefix.replace("/read/~", "/capabilities/");
    assert_eq!(guarded.ask("DELETE", place.trim_end_matches('/'), TOKEN, "").status, 204);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(&text.as_bytes()[..1 << 20]), "{}", rest.len());
}
