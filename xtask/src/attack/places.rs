//! Clients that take the places of others: among those that send, that wait, that compute.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tributary_testkit::http;

use super::{
    Attack, How,
    stage::{Plan, Stage, plain},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("4", "ten senders hold bodies of 8 MiB, but for their last byte", How::On(plain, held_bodies)),
    Attack("4", "1,000 uploads are announced and never sent", How::On(plain, announced_uploads)),
    Attack("4", "400 documents arrive at little more than the least speed", How::On(plain, documents)),
    Attack("4", "900 followers of the events, and one correction", How::On(plain, followers)),
    Attack("4", "32 clients that take computed reports of the source slowly", How::On(plain, computed)),
    Attack(
        "3",
        "a report of 100 metrics over 50,000 groups is asked of a source with `--report-memory 16MiB`",
        How::On(little_memory, many_sums),
    ),
    Attack("4", "40 clients ask for the last bytes of all rows of the source, again and again", How::On(plain, ranges)),
];

/// Longest time after which an honest client must have its place.
const MAX_SECONDS: f64 = 20.0;

fn little_memory() -> Result<Plan> {
    Ok(Plan::new().source_arg("--report-memory=16MiB"))
}

/// Sends a body but for its last byte.
fn hold(url: &str, request: &str, body: &[u8]) -> Result<TcpStream> {
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len() + 1
    );
    Stage::send(url, &[head.as_bytes(), body].concat())
}

/// Asks until the answer has this status, and returns the seconds that it took.
fn place(what: &str, status: u16, mut ask: impl FnMut() -> Result<u16>) -> Result<f64> {
    let begun = Instant::now();
    loop {
        let (found, seconds) = (ask()?, begun.elapsed().as_secs_f64());
        if found == status {
            return Ok(seconds);
        }
        ensure!(seconds < MAX_SECONDS, "{what} is answered with {found} after {seconds:.0} s");
        thread::sleep(Duration::from_millis(100));
    }
}

fn held_bodies(stage: &Stage) -> Result<String> {
    let url = stage.master("");
    let body = vec![b'x'; (8 << 20) - 2];
    let mut held = Vec::new();
    for number in 0..10 {
        held.push(hold(&url, &format!("PUT /api/v1/products/held{number}"), &body)?);
    }
    let edit = || Ok(stage.ask("PUT", "/api/v1/products/mine", &[], br#"{"name":"Mine","description":""}"#)?.status);
    let seconds = place("an edit", 201, edit)?;
    stage.ask("DELETE", "/api/v1/products/mine/edit", &[], b"")?;
    drop(held);
    Ok(format!("an edit was taken after {seconds:.1} s"))
}

fn announce(stage: &Stage, name: &str) -> Result<u16> {
    let headers =
        [("Tus-Resumable", "1.0.0"), ("Upload-Length", "27"), ("Upload-Metadata", &format!("filename {name}"))];
    Ok(stage.ask("POST", "/api/v1/tus/", &headers, b"")?.status)
}

fn announced_uploads(stage: &Stage) -> Result<String> {
    // Names in base64, each another one.
    for number in 0..1_000 {
        announce(stage, &format!("ZXX{number:05}Zi5jc3Y="))?;
    }
    let seconds = place("an honest upload", 201, || announce(stage, "aG9uZXN0LmNzdg=="))?;
    Ok(format!("an honest one was announced after {seconds:.1} s"))
}

fn documents(stage: &Stage) -> Result<String> {
    let begin = |number| {
        let head = format!(
            "PUT /api/v1/documents/drip{number}.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
        );
        Stage::send(&stage.master(""), head.as_bytes())
    };
    let mut dripping = (0..400).map(begin).collect::<Result<Vec<_>>>()?;
    let stopped = AtomicBool::new(false);
    let seconds = thread::scope(|scope| {
        scope.spawn(|| {
            while !stopped.load(Ordering::Relaxed) {
                dripping.retain_mut(|sender| sender.write_all(&[b'x'; 650]).is_ok());
                thread::sleep(Duration::from_millis(500));
            }
        });
        thread::sleep(Duration::from_secs(1));
        let honest = place("an honest document", 200, || {
            Ok(stage.ask("PUT", "/api/v1/documents/honest.csv?wait=applied", &[], b"sku,name\nhonest,H\n")?.status)
        });
        stopped.store(true, Ordering::Relaxed);
        honest
    })?;
    stage.ask("DELETE", "/api/v1/documents/honest.csv?wait=applied", &[], b"")?;
    Ok(format!("an honest one was applied after {seconds:.1} s"))
}

fn followers(stage: &Stage) -> Result<String> {
    let url = stage.master("");
    let request = b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let followers: Vec<_> = (0..900).map(|_| Stage::send(&url, request)).collect::<Result<_>>()?;
    for mut follower in &followers {
        follower.read_exact(&mut [0; 12])?;
    }
    let begun = Instant::now();
    stage.ask("PUT", "/api/v1/products/followed", &[], br#"{"name":"F","description":""}"#)?;
    for (number, mut follower) in followers.iter().enumerate() {
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains("event: edit") {
            let mut piece = [0; 4096];
            let taken = follower.read(&mut piece).with_context(|| format!("follower {number} gets nothing"))?;
            ensure!(taken > 0, "follower {number} of 900 was cut off");
            text.extend_from_slice(&piece[..taken]);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    stage.ask("DELETE", "/api/v1/products/followed/edit", &[], b"")?;
    Ok(format!("all had it after {seconds:.1} s"))
}

/// The hash of a file of the source, and the format of partials that it makes.
fn file(stage: &Stage, path: &str) -> Result<(String, String)> {
    let manifest: Value = serde_json::from_slice(&http::get(&stage.source("/sense/files"))?.1)?;
    let file = manifest["files"].as_array().and_then(|files| files.iter().find(|file| file["path"] == path).cloned());
    let hash =
        file.with_context(|| format!("the source has no {path}"))?["hash"].as_str().unwrap_or_default().to_owned();
    Ok((hash, tributary_report::partial_format()))
}

fn question(stage: &Stage, group: &str, metrics: Value) -> Result<Vec<u8>> {
    let (hash, format) = file(stage, "feed.csv")?;
    let report = json!({ "group_by": [group], "metrics": metrics });
    Ok(json!({ "path": "feed.csv", "hash": hash, "format": format, "report": report }).to_string().into_bytes())
}

fn aggregate(stage: &Stage, body: &[u8]) -> Result<(u16, f64)> {
    let begun = Instant::now();
    let answer = http::request("POST", &stage.source("/aggregate"), &[], body)?;
    Ok((answer.status, begun.elapsed().as_secs_f64()))
}

fn computed(stage: &Stage) -> Result<String> {
    let url = stage.source("");
    let mut slow = Vec::new();
    for number in 0..32 {
        let body = question(stage, "sku", json!([{ "name": format!("rows{number}"), "expression": "count()" }]))?;
        let head = format!("POST /aggregate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        slow.push(Stage::send(&url, &[head.as_bytes(), &body].concat())?);
    }
    thread::sleep(Duration::from_secs(1));
    let body = question(stage, "name", json!([{ "name": "rows", "expression": "count()" }]))?;
    let seconds = place("an honest question", 200, || Ok(aggregate(stage, &body)?.0))?;
    drop(slow);
    Ok(format!("an honest question was answered after {seconds:.1} s"))
}

fn many_sums(stage: &Stage) -> Result<String> {
    let metrics: Vec<_> = (0..300)
        .map(|n| json!({ "name": format!("m{n}"), "expression": format!("count(name) * {n} + count()") }))
        .collect();
    let sums: Vec<_> =
        (0..100).map(|n| json!({ "name": format!("m{n}"), "expression": format!("sum(qty * {n} + 1)") })).collect();
    let rows: String = (0..50_000).map(|row| format!("sums{row},Sums,{}\n", row % 9)).collect();
    fs::write(stage.folder().join("sums.csv"), format!("sku,name,qty\n{rows}"))?;
    stage.until("the source offers it", || file(stage, "sums.csv").ok().map(drop))?;
    let (hash, format) = file(stage, "sums.csv")?;
    let mut told = Vec::new();
    for metrics in [metrics, sums] {
        let report = json!({ "group_by": ["sku"], "metrics": metrics });
        let body = json!({ "path": "sums.csv", "hash": hash, "format": format, "report": report }).to_string();
        let (status, seconds) = aggregate(stage, body.as_bytes())?;
        told.push(format!("{status} after {seconds:.1} s"));
    }
    fs::remove_file(stage.folder().join("sums.csv"))?;
    stage.until("it is gone", || (!stage.shows("sums1")?).then_some(()))?;
    Ok(told.join(", "))
}

fn ranges(stage: &Stage) -> Result<String> {
    let url = stage.source("/read");
    let stopped = AtomicBool::new(false);
    let (quiet, meanwhile) = thread::scope(|scope| {
        let honest = || -> Result<f64> {
            let begun = Instant::now();
            let (status, _) = http::get(&stage.source("/read/feed.csv"))?;
            ensure!(status == 200, "a file is answered with {status}");
            Ok(begun.elapsed().as_secs_f64())
        };
        let quiet = honest();
        for _ in 0..40 {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let _ = http::request("GET", &url, &[("Range", "bytes=9000000-9000100")], b"");
                }
            });
        }
        thread::sleep(Duration::from_secs(1));
        let slowest = (0..5).map(|_| honest()).collect::<Result<Vec<_>>>();
        stopped.store(true, Ordering::Relaxed);
        (quiet, slowest)
    });
    let slowest = meanwhile?.into_iter().fold(0.0, f64::max);
    ensure!(slowest < MAX_SECONDS, "a file took {slowest:.1} s");
    Ok(format!("a file took {:.2} s before and {slowest:.2} s meanwhile", quiet?))
}
