//! Peers that take or send slowly, or do nothing, and those that are gone.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::{
    net::sockopt::set_socket_recv_buffer_size,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

use super::{
    Attack, How,
    hostile::{endless, head, reply, sensed},
    peers::{entry, write_list},
    stage::{Plan, REPORT, Stage, plain},
};
use crate::processes;

pub(super) const ATTACKS: &[Attack] = &[
    Attack("4", "512 readers of the source that take nothing", How::On(plain, source_readers)),
    Attack(
        "4",
        "32 readers of all products that take nothing, as CSV, JSON and a workbook",
        How::On(plain, list_readers),
    ),
    Attack("4", "8 uploads that drip", How::On(plain, uploads)),
    Attack("4", "a source that drips its file", How::On(dripping, drips)),
    Attack("3", "eight sources that say `100 Continue` for ever", How::On(interim, interim_refused)),
    Attack(
        "3",
        "a source that drips a long list, while another has a long one, too",
        How::On(dripping_list, list_drips),
    ),
    Attack(
        "4",
        "a source that drips signs of life while it computes a report",
        How::On(dripping_report, |stage| stage.report_fails("/aggregate is too slow")),
    ),
    Attack("4", "512 connections to each server that send nothing, or half a head", How::On(plain, silent)),
    Attack(
        "4",
        "200 followers of the events that take nothing, while 2,000 products change",
        How::On(plain, followers),
    ),
    Attack(
        "4",
        "6,000 clients that send 60 requests each and take nothing",
        How::On(plain, |stage| pipelining(stage, 6_000, 60)),
    ),
    Attack(
        "4",
        "200 clients that send 10,000 requests each and take nothing",
        How::On(plain, |stage| pipelining(stage, 200, 10_000)),
    ),
    Attack("4", "16 clients that take 16 different lists slowly, again and again", How::On(plain, different_lists)),
    Attack("4", "400 clients of each server that hang up in the middle", How::On(plain, hang_up)),
];

/// Files that a server opens now and then: the database's connections, the honest client.
const FILES: u64 = 24;

fn ask(url: &str, path: &str, headers: &str) -> Result<TcpStream> {
    Stage::send(url, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").as_bytes())
}

/// Asks what an honest client asks, who takes all of it, and returns the seconds that it took.
fn honest(url: &str) -> Result<f64> {
    let begun = Instant::now();
    let (status, body) = tributary_testkit::http::get(url)?;
    ensure!(status == 200 && body.len() > 1 << 20, "{url} was answered with {status} and {} bytes", body.len());
    Ok(begun.elapsed().as_secs_f64())
}

/// Waits until the server at this place holds no connection more than before, and returns the seconds that it took.
fn let_go(stage: &Stage, place: usize, before: u64) -> Result<f64> {
    let (begun, process) = (Instant::now(), stage.processes()[place]);
    stage
        .until("the slow ones are let go", || (processes::open_files(process).ok()? <= before + FILES).then_some(()))?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(seconds < 60.0, "the last one was let go after {seconds:.0} s");
    Ok(seconds)
}

/// Open files of a server at this place.
fn open_files(stage: &Stage, place: usize) -> Result<u64> {
    processes::open_files(stage.processes()[place])
}

fn source_readers(stage: &Stage) -> Result<String> {
    let kinds = [
        ("/read/feed.csv", ""),
        ("/read/feed.csv", "Accept-Encoding: zstd\r\n"),
        ("/read", ""),
        ("/read/feed.csv", "Range: bytes=5-\r\n"),
    ];
    let (url, before) = (stage.source(""), open_files(stage, 1)?);
    let slow =
        (0..512).map(|number| ask(&url, kinds[number % 4].0, kinds[number % 4].1)).collect::<Result<Vec<_>>>()?;
    let (file, all) = (honest(&stage.source("/read/feed.csv"))?, honest(&stage.source("/read"))?);
    let after = let_go(stage, 1, before)?;
    drop(slow);
    Ok(format!("a file in {file:.1} s, all rows in {all:.1} s meanwhile; let go after {after:.0} s"))
}

fn list_readers(stage: &Stage) -> Result<String> {
    let (url, before) = (stage.master(""), open_files(stage, 0)?);
    let formats = ["csv", "csv&raw=1", "json&limit=10000", "xlsx"];
    let path = |number: usize| format!("/api/v1/products?format={}", formats[number % 4]);
    let slow = (0..32).map(|number| ask(&url, &path(number), "")).collect::<Result<Vec<_>>>()?;
    thread::sleep(Duration::from_millis(200));
    let list = honest(&stage.master("/api/v1/products?format=csv&raw=1"))?;
    let after = let_go(stage, 0, before)?;
    drop(slow);
    let sheet = honest(&stage.master("/api/v1/products?format=xlsx"))?;
    let log = std::fs::metadata(stage.home().join("database.db-wal")).map_or(0, |log| log.len() >> 20);
    ensure!(log < 64, "the log has {log} MiB");
    Ok(format!("a list in {list:.1} s meanwhile, a workbook in {sheet:.1} s afterwards; let go after {after:.0} s"))
}

fn uploads(stage: &Stage) -> Result<String> {
    let begin = |number| {
        let head = format!(
            "POST /api/v1/uploads?filename=drip{number}.csv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nsku"
        );
        Stage::send(&stage.master(""), head.as_bytes())
    };
    let dripping = (0..8).map(begin).collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    stage.until("an honest upload has a place", || {
        let sent =
            stage.ask("POST", "/api/v1/uploads?filename=honest.csv&replace=1", &[], b"sku,name\nh,Honest\n").ok()?;
        (sent.status == 202).then_some(())
    })?;
    let waited = begun.elapsed().as_secs_f64();
    for mut client in dripping {
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;
        // 503: it came when the honest one had its place.
        ensure!(answer.starts_with("HTTP/1.1 408") || answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    Ok(format!("an honest one was taken after {waited:.1} s"))
}

fn drip(out: &mut TcpStream, piece: &[u8]) -> std::io::Result<()> {
    for _ in 0..6_000 {
        out.write_all(piece)?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn dripping() -> Result<Plan> {
    Plan::new().hostile("bad", "", |path, out| match path {
        "/read" => {
            head(out, "text/csv")?;
            drip(out, b"s")
        }
        _ => reply(out, "application/json", br#"{"status":1}"#),
    })
}

fn drips(stage: &Stage) -> Result<String> {
    stage.says("bad", "too slow")
}

fn interim() -> Result<Plan> {
    (0..8).try_fold(Plan::new(), |plan, number| {
        plan.hostile(&format!("bad{number}"), "", |path, out| match path {
            "/sense/files" => endless(out, b"HTTP/1.1 100 Continue\r\n\r\n"),
            _ => sensed(path, out),
        })
    })
}

fn interim_refused(stage: &Stage) -> Result<String> {
    let (begun, process) = (Instant::now(), stage.processes()[0]);
    let before = processes::cpu(process)?;
    for number in 0..8 {
        stage.says(&format!("bad{number}"), "")?;
    }
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), (processes::cpu(process)? - before).as_secs_f64());
    ensure!(seconds < 60.0, "they were let go after {seconds:.0} s");
    Ok(format!("let go after {seconds:.0} s, in which the master took {cpu:.0} s of a core"))
}

/// Long: an eighth of the room for all lists.
const LONG_LIST: u64 = 20_000;

fn dripping_list() -> Result<Plan> {
    let plan = Plan::new().section("[limits]\nlists = \"16MiB\"").hostile("bad", "", |path, out| match path {
        "/sense/files" => {
            head(out, "application/json")?;
            out.write_all(b"{\"version\":\"v1\",\"files\":[")?;
            for number in 0.. {
                let comma = if number == 0 { "" } else { "," };
                out.write_all(format!("{comma}{}", entry(number)).as_bytes())?;
                if number > LONG_LIST {
                    // More than the least speed of a body.
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Ok(())
        }
        _ => sensed(path, out),
    })?;
    plan.hostile("long", "", |path, out| match path {
        "/sense/files" => write_list(LONG_LIST, out),
        _ => sensed(path, out),
    })
}

fn list_drips(stage: &Stage) -> Result<String> {
    let begun = Instant::now();
    stage.until("the other list is asked for", || stage.hostile("long").was_asked_for("/sense/files").then_some(()))?;
    let slow = stage.says("bad", "too slow while other long lists wait")?;
    stage.until("the files of the other list are asked for", || {
        stage.hostile("long").was_asked_for_below("/read/").then_some(())
    })?;
    Ok(format!("after {:.0} s: {slow}", begun.elapsed().as_secs_f64()))
}

const ENTRY: &str = "{\"version\":\"v1\",\"files\":[{\"path\":\"a.csv\",\"size\":20,\"modified\":\"2026-11-22T00:00:00Z\",\
     \"hash\":\"blake3:0000000000000000000000000000000000000000000000000000000000000001\"}]}";

fn dripping_report() -> Result<Plan> {
    Plan::new().section(REPORT).hostile("bad", "", |path, out| match path.split('?').next() {
        Some("/sense/files") => reply(out, "application/json", ENTRY.as_bytes()),
        Some("/aggregate") => {
            head(out, "application/x-ndjson")?;
            drip(out, b"{\"progress\":{\"bytes\":1,\"rows\":1}}\n")
        }
        _ => sensed(path, out),
    })
}

fn silent(stage: &Stage) -> Result<String> {
    let before = [open_files(stage, 0)?, open_files(stage, 1)?];
    let mut silent = Vec::new();
    for url in [stage.master(""), stage.source("")] {
        for number in 0..512 {
            silent.push(Stage::send(&url, if number % 2 == 0 { b"" } else { b"GET / HTTP/1.1\r\nHost: loc" })?);
        }
    }
    let after = let_go(stage, 0, before[0])?.max(let_go(stage, 1, before[1])?);
    drop(silent);
    Ok(format!("let go after {after:.0} s"))
}

fn followers(stage: &Stage) -> Result<String> {
    let url = stage.master("");
    let followers = (0..200).map(|_| ask(&url, "/api/v1/events", "")).collect::<Result<Vec<_>>>()?;
    for number in 0..2_000 {
        let body = format!("{{\"name\":\"{}\",\"description\":\"{number}\"}}", "x".repeat(1_000));
        stage.ask("PUT", &format!("/api/v1/products/f{}", number % 100), &[], body.as_bytes())?;
    }
    drop(followers);
    Ok(String::new())
}

fn pipelining(stage: &Stage, count: usize, requests: usize) -> Result<String> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).context("failed to allow more files")?;
    let (url, before) = (stage.master(""), open_files(stage, 0)?);
    let requests = "GET /products HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(requests);
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Stage::send(&url, b"")?;
        // Else the system would take several answers for it.
        set_socket_recv_buffer_size(&client, 4 << 10)?;
        // Who is let go at once has been held off, and a part of it waits in the system.
        client.set_nonblocking(true)?;
        let _ = client.write(requests.as_bytes());
        clients.push(client);
    }
    let after = let_go(stage, 0, before)?;
    drop(clients);
    Ok(format!("let go after {after:.0} s"))
}

fn different_lists(stage: &Stage) -> Result<String> {
    let (url, is_over) = (stage.master(""), AtomicBool::new(false));
    let take = |number: usize| -> Result<()> {
        for list in 0.. {
            let path = format!("/api/v1/products?format=csv&limit={}", 1_000_000 + 1_000 * number + list);
            let mut client = ask(&url, &path, "")?;
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(4) {
                if is_over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                // One that was refused asks again.
                let Ok(1..) = client.read(&mut [0; 1_000]) else { break };
                thread::sleep(Duration::from_millis(300));
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|number| {
                scope.spawn({
                    let take = &take;
                    move || take(number)
                })
            })
            .collect();
        thread::sleep(Duration::from_secs(2));
        let small = |_| seconds_of(&stage.master("/api/v1/products?format=csv&limit=10"));
        let waited = (0..10).map(small).collect::<Result<Vec<f64>>>();
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| anyhow!("a client panicked"))?)?;
        let longest = waited?.into_iter().fold(0.0, f64::max);
        ensure!(longest < 2.0, "a list of ten products took {longest:.1} s");
        Ok(format!("a list of ten products in {longest:.2} s at most"))
    })
}

/// Asks for something small, and returns the seconds that it took.
fn seconds_of(url: &str) -> Result<f64> {
    let begun = Instant::now();
    let (status, _) = tributary_testkit::http::get(url)?;
    ensure!(status == 200, "{url} was answered with {status}");
    Ok(begun.elapsed().as_secs_f64())
}

fn hang_up(stage: &Stage) -> Result<String> {
    let before = [open_files(stage, 0)?, open_files(stage, 1)?];
    for number in 0..400 {
        let lists =
            ["/api/v1/products?format=csv", "/api/v1/products?format=xlsx", "/products?q=zzz", "/api/v1/events"];
        drop(ask(&stage.master(""), lists[number % 4], "")?);
        let files = ["/read", "/read/feed.csv", "/sense?wait=60&since=x", "/"];
        drop(ask(&stage.source(""), files[number % 4], "Accept-Encoding: gzip\r\n")?);
    }
    let after = let_go(stage, 0, before[0])?.max(let_go(stage, 1, before[1])?);
    Ok(format!("forgotten after {after:.1} s"))
}
