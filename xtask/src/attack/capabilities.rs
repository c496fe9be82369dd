//! Secrets in paths, which open files without a token: they open those files, for their time, and nothing else, and stand nowhere.

use std::{fs, io, net::TcpStream, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tributary_testkit::{
    http::{self, Response},
    process::{self, Daemon},
    wait,
};

use super::{
    Attack, How,
    stage::{Stage, plain},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack(
        "8",
        "capabilities that are forged, altered, cut, expired, revoked, or used for something else",
        How::Alone(abused),
    ),
    Attack("3", "400 bodies of `/capabilities`, and as many of `/plain`, that never end", How::On(plain, unending)),
    Attack("3", "capabilities for as many paths as a source remembers", How::On(plain, crowded)),
];

const TOKEN: &str = "ann-q7Yh2mVt9Kp4Zx8Rb1Nc5";
const NEXT_TOKEN: &str = "bob-q7Yh2mVt9Kp4Zx8Rb1Nc5";
/// Longest wait for anything.
const MAX_WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A source that asks for a token and logs all that it can.
struct Guarded {
    source: Daemon,
    home: tempfile::TempDir,
}

impl Guarded {
    fn start() -> Result<Self> {
        let home = tempfile::tempdir().context("failed to make a temporary folder")?;
        fs::create_dir(home.path().join("north"))?;
        fs::write(home.path().join("north/a.csv"), "sku,name\na,A\n")?;
        fs::write(home.path().join("north/b.csv"), "sku,name\nb,B\n")?;
        fs::write(home.path().join("tokens"), TOKEN)?;
        let mut source = process::command("data-source", home.path());
        source.args(["--listen", "127.0.0.1:0", "--dir", "north", "--token-file", "tokens"]).env("RUST_LOG", "trace");
        source.stderr(fs::File::create(home.path().join("log"))?);
        Ok(Self { source: Daemon::start(source), home })
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Result<Response> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
        http::request(method, &format!("{}{path}", self.source.url), &headers, body.as_bytes())
            .with_context(|| format!("{method} {path} got no answer"))
    }

    fn issue(&self, body: &Value) -> Result<String> {
        let answer = self.ask("POST", "/capabilities", Some(TOKEN), &body.to_string())?;
        ensure!(answer.status == 201, "no capability was made: {}", answer.text());
        let made: Value = serde_json::from_slice(&answer.body)?;
        Ok(made["token"].as_str().context("the answer has no token")?.to_owned())
    }

    /// Asks without a token; the answer must have one of these statuses, and neither a row nor the name of the other file.
    fn refuses(&self, method: &str, path: &str, statuses: &[u16]) -> Result<()> {
        let answer = self.ask(method, path, None, "")?;
        ensure!(statuses.contains(&answer.status), "{method} {path} was answered with {}", answer.status);
        ensure!(!answer.text().contains("sku,name"), "{method} {path} was answered with rows");
        ensure!(!answer.text().contains("b.csv"), "{method} {path} names a file that it does not open");
        Ok(())
    }
}

/// Requests that a capability for `a.csv` does not open.
fn beside(secret: &str) -> Vec<(&'static str, String)> {
    let open = format!("/read/~{secret}");
    let zeros = "0".repeat(64);
    let paths = [
        "b.csv",
        "",
        "no.csv",
        "A.csv",
        "a.csv/",
        "./a.csv",
        "x/../a.csv",
        "%2e%2e/a.csv",
        "../north/a.csv",
        "a.csv%00",
        "/a.csv",
        "%2Fetc%2Fpasswd",
        "%FF",
    ];
    let mut requests: Vec<_> = paths.iter().map(|path| ("GET", format!("{open}/{path}"))).collect();
    requests.push(("GET", format!("{open}/~blake3:{zeros}/a.csv")));
    requests.push(("GET", format!("{open}/~blake3:{zeros}/b.csv")));
    requests.push(("GET", format!("{open}/~{secret}/a.csv")));
    requests.extend(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(|method| (method, format!("{open}/a.csv"))));
    let routes = ["/", "/read", "/read/a.csv", "/sense", "/sense/files", "/metrics"];
    requests.extend(routes.map(|route| ("GET", format!("{route}?token={secret}"))));
    requests.extend(["/aggregate", "/plain", "/capabilities"].map(|route| ("POST", route.to_owned())));
    requests.push(("DELETE", format!("/capabilities/{secret}")));
    requests
}

/// Secrets that look like this one.
fn altered(secret: &str) -> Vec<String> {
    let swapped: String = secret
        .chars()
        .map(|sign| if sign.is_lowercase() { sign.to_ascii_uppercase() } else { sign.to_ascii_lowercase() })
        .collect();
    vec![
        secret[1..].to_owned(),
        secret[..42].to_owned(),
        format!("{secret}A"),
        swapped,
        secret.chars().rev().collect(),
        format!("%{:02x}{}", secret.as_bytes()[0], &secret[1..]),
        "A".repeat(43),
        "A".repeat(60_000),
        format!("{}.", &secret[..42]),
    ]
}

fn abused() -> Result<String> {
    let guarded = Guarded::start()?;
    let (secret, short) = (guarded.issue(&json!({ "paths": ["a.csv"] }))?, guarded.issue(&json!({ "valid": "1s" }))?);
    let mut refused = 0;
    for (method, path) in beside(&secret) {
        guarded.refuses(method, &path, &[401, 403, 404, 412])?;
        refused += 1;
    }
    for wrong in altered(&secret) {
        guarded.refuses("GET", &format!("/read/~{wrong}/a.csv"), &[400, 401, 403])?;
        refused += 1;
    }
    for body in [
        r#"{"paths":["a.csv"],"paths":null}"#,
        r#"[["a.csv"]]"#,
        "null",
        r#"{"valid":"25h"}"#,
        r#"{"files":["a.csv"]}"#,
    ] {
        let answer = guarded.ask("POST", "/capabilities", Some(TOKEN), body)?;
        ensure!(answer.status == 400, "{body} was answered with {}", answer.status);
        refused += 1;
    }
    let status =
        |secret: &str| -> Result<u16> { Ok(guarded.ask("GET", &format!("/read/~{secret}/a.csv"), None, "")?.status) };
    wait::within(MAX_WAIT, PAUSE, || status(&short).is_ok_and(|status| status == 403).then_some(()))
        .context("one for a second does not expire")?;
    ensure!(status(&secret)? == 200, "a good one opens nothing");
    let metrics = guarded.ask("GET", "/metrics", Some(TOKEN), "")?.text();
    ensure!(metrics.contains("/read/~{capability}/{path}"), "the requests are not counted");
    let other = guarded.issue(&json!({}))?;
    ensure!(
        guarded.ask("DELETE", &format!("/capabilities/{secret}"), Some(TOKEN), "")?.status == 204,
        "it is not revoked"
    );
    ensure!(status(&secret)? == 403 && status(&other)? == 200, "the wrong one was revoked");
    fs::write(guarded.home.path().join("tokens"), NEXT_TOKEN)?;
    wait::within(MAX_WAIT, PAUSE, || status(&other).is_ok_and(|status| status == 403).then_some(()))
        .context("one outlives the token that it came from")?;
    let log = fs::read_to_string(guarded.home.path().join("log"))?;
    for secret in [&secret, &short, &other] {
        ensure!(!log.contains(&secret[..20]), "the log has a secret");
        ensure!(!metrics.contains(&secret[..20]), "the metrics have a secret");
    }
    Ok(format!("{refused} requests refused"))
}

/// Bodies of which the last byte never comes.
fn unending(stage: &Stage) -> Result<String> {
    let url = stage.source("");
    let mut clients = Vec::new();
    for (path, size) in [("/capabilities", 1 << 20), ("/plain", 256 << 10)] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n");
        let request = [head.into_bytes(), vec![b' '; size - 1]].concat();
        for _ in 0..400 {
            clients.push(Stage::send(&url, &request)?);
        }
    }
    clients.iter().try_for_each(|client| client.set_nonblocking(true))?;
    let mut refused = 0;
    wait::within(MAX_WAIT, PAUSE, || {
        refused = clients.iter().filter(|client| is_refused(client)).count();
        (refused > 400).then_some(())
    })
    .with_context(|| format!("only {refused} of {} bodies were refused", clients.len()))?;
    // An honest question comes through.
    let answer = http::request("POST", &stage.source("/capabilities"), &[], b"{}")?;
    ensure!(answer.status == 201, "a good request was answered with {}", answer.status);
    Ok(format!("{refused} of {} bodies refused", clients.len()))
}

/// Whether the server has answered 503, or hung up.
fn is_refused(client: &TcpStream) -> bool {
    let mut begin = [0; 12];
    match client.peek(&mut begin) {
        Ok(12) => begin.ends_with(b"503"),
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}

fn crowded(stage: &Stage) -> Result<String> {
    let names: Vec<_> = (0..60_000_u32).map(|number| format!("{number:x}")).collect();
    let ask = |valid: &str| -> Result<u16> {
        let body = json!({ "paths": names, "valid": valid }).to_string();
        Ok(http::request("POST", &stage.source("/capabilities"), &[], body.as_bytes())?.status)
    };
    let (mut made, mut last) = (0, 201);
    while last == 201 && made < 400 {
        last = ask("10s")?;
        made += usize::from(last == 201);
    }
    ensure!(last == 503, "the last of {made} was answered with {last}");
    stage.until("they expire", || (ask("1s").ok()? == 201).then_some(()))?;
    Ok(format!("{made} were made"))
}
