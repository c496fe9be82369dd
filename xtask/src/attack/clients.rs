//! Clients that ask for more than any good one does.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use anyhow::{Result, anyhow, ensure};
use serde_json::json;

use super::{
    Attack, How,
    stage::{Stage, plain},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack(
        "3",
        "64 bodies of 8 MiB of JSON at once",
        How::On(plain, |stage| bodies(stage, "PUT /api/v1/products/big")),
    ),
    Attack("3", "64 forms of 8 MiB at once", How::On(plain, |stage| bodies(stage, "POST /update"))),
    Attack("3", "1,200 followers of the events", How::On(plain, followers)),
    Attack("3", "300 uploads at once", How::On(plain, uploads)),
    Attack("3", "100 readers of all products at once, as CSV, JSON and a workbook", How::On(plain, readers)),
    Attack("3", "lists of products with texts of a megabyte, 32 at once", How::On(plain, wide_lists)),
    Attack("3", "100 readers of the source at once, packed and not", How::On(plain, source_readers)),
    Attack("3", "an upload that unpacks to two gigabytes", How::On(plain, bomb)),
    Attack("3", "an upload of one line of a gigabyte, another of a million columns", How::On(plain, lines)),
    Attack("3", "an upload of 3,000,000 broken rows", How::On(plain, broken_rows)),
];

/// Runs so many threads, each with its number, and returns what they return.
pub(super) fn at_once<T: Send>(count: usize, client: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn({
                    let client = &client;
                    move || client(number)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().map_err(|_| anyhow!("a client panicked"))?).collect()
    })
}

/// Sends a request and takes the whole answer; returns its status, 0 if the server has hung up, and the number of its bytes.
fn exchange(url: &str, request: &[u8]) -> Result<(u16, u64)> {
    let mut stream = Stage::send(url, request)?;
    let (mut begin, mut bytes, mut piece) = (Vec::new(), 0, vec![0; 64 << 10]);
    while let Ok(taken @ 1..) = stream.read(&mut piece) {
        bytes += taken as u64;
        begin.extend_from_slice(&piece[..taken.min(16)]);
        begin.truncate(16);
    }
    let status = String::from_utf8_lossy(&begin).split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.unwrap_or(0), bytes))
}

fn get(url: &str, path: &str, headers: &str) -> Result<(u16, u64)> {
    exchange(url, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").as_bytes())
}

/// Counts how often each status was answered, for people.
fn counted(statuses: impl IntoIterator<Item = u16>) -> String {
    let mut counts = std::collections::BTreeMap::new();
    statuses.into_iter().for_each(|status| *counts.entry(status).or_insert(0) += 1);
    counts.iter().map(|(status, count)| format!("{count} × {status}")).collect::<Vec<_>>().join(", ")
}

/// Bodies of which the last byte comes only after all are there.
fn bodies(stage: &Stage, request: &str) -> Result<String> {
    let size = 8 << 20;
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    );
    let body = [b"{\"name\":\"".to_vec(), vec![b'x'; size - 9]].concat();
    let url = stage.master("");
    let statuses = at_once(64, |_| Ok(exchange(&url, &[head.as_bytes(), &body].concat())?.0))?;
    ensure!(statuses.iter().all(|status| *status == 0 || (400..=503).contains(status)), "{}", counted(statuses));
    Ok(counted(statuses))
}

fn followers(stage: &Stage) -> Result<String> {
    let request = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let url = stage.master("");
    let followers: Vec<_> = (0..1_200).map(|_| Stage::send(&url, request.as_bytes())).collect::<Result<_>>()?;
    let mut statuses = Vec::new();
    for mut follower in &followers {
        let mut begin = [0; 12];
        follower.read_exact(&mut begin)?;
        statuses.push(String::from_utf8_lossy(&begin[9..]).parse()?);
    }
    for number in 0..50 {
        let body = json!({ "name": "x".repeat(1_000), "description": format!("{number}") }).to_string();
        stage.ask("PUT", "/api/v1/products/followed", &[], body.as_bytes())?;
    }
    stage.ask("DELETE", "/api/v1/products/followed/edit", &[], b"")?;
    ensure!(statuses.contains(&503) && statuses.contains(&200), "{}", counted(statuses));
    drop(followers);
    stage.until("there is a place again", || {
        let answer = Stage::send(&url, request.as_bytes()).ok()?;
        let mut begin = [0; 12];
        (&answer).read_exact(&mut begin).ok()?;
        begin.ends_with(b"200").then_some(())
    })?;
    Ok(counted(statuses))
}

fn uploads(stage: &Stage) -> Result<String> {
    let url = stage.master("");
    let rows = "sku,name\n".to_owned() + &"only,One\n".repeat(100_000);
    let statuses = at_once(300, |number| {
        let name = format!("/api/v1/uploads?filename=u{}.csv&replace=1", number % 10);
        let head = format!(
            "POST {name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            rows.len()
        );
        Ok(exchange(&url, (head + &rows).as_bytes())?.0)
    })?;
    ensure!(statuses.contains(&202), "{}", counted(statuses));
    let unknown = statuses.iter().find(|status| ![0, 202, 409, 503].contains(*status));
    ensure!(unknown.is_none(), "{}", counted(statuses));
    Ok(counted(statuses))
}

fn readers(stage: &Stage) -> Result<String> {
    let url = stage.master("");
    let formats = ["csv&raw=1", "json", "xlsx", "csv"];
    let answers = at_once(100, |number| {
        let limit = if number % 4 == 1 { "&limit=10000" } else { "" };
        get(&url, &format!("/api/v1/products?format={}{limit}", formats[number % 4]), "")
    })?;
    let cut = answers.iter().find(|(status, bytes)| *status == 200 && *bytes < 1 << 20);
    ensure!(cut.is_none(), "an answer was cut: {cut:?}");
    ensure!(answers.iter().any(|(status, _)| *status == 200), "nobody was served");
    Ok(counted(answers.into_iter().map(|(status, _)| status)))
}

fn wide_lists(stage: &Stage) -> Result<String> {
    let rows: String = (0..100).map(|row| format!("wide{row:03},Wide,{}\n", "w".repeat(1_000_000))).collect();
    std::fs::write(stage.folder().join("wide.csv"), format!("sku,name,description\n{rows}"))?;
    stage.until("they are applied", || stage.shows("wide099")?.then_some(()))?;
    let url = stage.master("");
    let paths = [
        "/api/v1/products?q=wide&limit=100",
        "/products?q=wide",
        "/api/v1/products?q=wide&format=xlsx",
        "/api/v1/products?q=wide&format=csv",
    ];
    let answers = at_once(32, |number| get(&url, paths[number % paths.len()], ""))?;
    std::fs::remove_file(stage.folder().join("wide.csv"))?;
    stage.until("they are gone", || (!stage.shows("wide099")?).then_some(()))?;
    Ok(counted(answers.into_iter().map(|(status, _)| status)))
}

fn source_readers(stage: &Stage) -> Result<String> {
    let url = stage.source("");
    let kinds = [
        ("/read", ""),
        ("/read/feed.csv", ""),
        ("/read/feed.csv", "Accept-Encoding: zstd\r\n"),
        ("/read", "Accept-Encoding: gzip\r\n"),
    ];
    let answers = at_once(100, |number| get(&url, kinds[number % 4].0, kinds[number % 4].1))?;
    let failed = answers.iter().find(|(status, _)| ![200, 503].contains(status));
    ensure!(failed.is_none(), "{failed:?}");
    Ok(counted(answers.into_iter().map(|(status, _)| status)))
}

/// Sends a file as it is written, and waits until it is applied or refused.
fn upload(
    stage: &Stage,
    name: &str,
    length: u64,
    write: impl FnOnce(&mut TcpStream) -> std::io::Result<()>,
) -> Result<String> {
    let head = format!(
        "POST /api/v1/uploads?filename={name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut stream = Stage::send(&stage.master(""), head.as_bytes())?;
    write(&mut stream)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    stage.until("the upload ends", || {
        let uploads = stage.json("/api/v1/uploads").ok()?;
        let upload = uploads["items"].as_array()?.iter().find(|upload| upload["filename"] == name)?.clone();
        ["applied", "rejected", "failed"].contains(&upload["state"].as_str()?).then(|| {
            let error: String = upload["error"].as_str().unwrap_or_default().chars().take(120).collect();
            format!("{}: {error}", upload["state"].as_str().unwrap_or_default())
        })
    })
}

fn bomb(stage: &Stage) -> Result<String> {
    let packed = packed_zeros(2 << 30)?;
    upload(stage, "bomb.csv.gz", packed.len() as u64, |out| out.write_all(&packed))
}

/// Packs a text of one letter, by the program `gzip`.
fn packed_zeros(length: u64) -> Result<Vec<u8>> {
    let script = format!("(printf 'sku,name\\n'; head -c {length} /dev/zero | tr '\\0' 'x') | gzip -1");
    Ok(std::process::Command::new("sh").args(["-c", &script]).output()?.stdout)
}

fn lines(stage: &Stage) -> Result<String> {
    let length = 1 << 30;
    let long = upload(stage, "long.csv", length, |out| {
        out.write_all(b"sku,name\n")?;
        let piece = vec![b'x'; 1 << 20];
        (0..1023).try_for_each(|_| out.write_all(&piece))?;
        out.write_all(&piece[9..])
    })?;
    let wide = "c,".repeat(1_000_000) + "\n";
    let columns = upload(stage, "columns.csv", wide.len() as u64, |out| out.write_all(wide.as_bytes()))?;
    Ok(format!("{long}; {columns}"))
}

fn broken_rows(stage: &Stage) -> Result<String> {
    let text = "sku,name\n".to_owned() + &"x\n".repeat(3_000_000);
    upload(stage, "broken.csv", text.len() as u64, |out| out.write_all(text.as_bytes()))
}
