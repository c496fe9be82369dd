//! A source that really serves very many files, of one row each: what was read is applied before the next files are asked for.

use std::{
    fs,
    io::{self, BufRead, BufReader, BufWriter, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tributary_testkit::{
    http,
    process::{self, Daemon},
    wait,
};

use super::{Attack, How};
use crate::processes;

pub(super) const ATTACKS: &[Attack] =
    &[Attack("3", "a source really serves 200,000 files of one row", How::Alone(|| serves(200_000)))];

/// Memory that they may cost the master, those included that it knows from then on.
const MAX_ABOVE_IDLE: u64 = 160 << 20;
/// Longest wait until all are applied.
const MAX_WAIT: Duration = Duration::from_secs(600);

fn serves(files: u64) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a port")?;
    let url = format!("http://{}", listener.local_addr()?);
    // The thread ends with this program.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Whoever is attacked may hang up.
            thread::spawn(move || drop(serve(stream, files)));
        }
    });
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    fs::write(home.path().join("tributary.toml"), format!("[[source]]\nname = \"many\"\nurl = \"{url}\"\n"))?;
    let mut master = process::command("master", home.path());
    master.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "warn");
    let master = Daemon::start(master);
    // The list alone takes longer to arrive than the master takes to start.
    let idle = processes::memory(master.id())?;
    let begun = Instant::now();
    let is_applied = || {
        let (_, body) = http::get(&format!("{}/api/v1/sources", master.url)).ok()?;
        let source: Value = serde_json::from_slice(&body).ok()?;
        let source = &source["items"][0];
        (source["offers"] == files && source["version"].is_string()).then_some(())
    };
    wait::within(MAX_WAIT, Duration::from_millis(200), is_applied).context("not all of them were applied")?;
    let above = processes::peak_memory(master.id())?.saturating_sub(idle) >> 20;
    let stays = processes::memory(master.id())?.saturating_sub(idle) >> 20;
    ensure!(above <= MAX_ABOVE_IDLE >> 20, "the master took {above} MiB above idle, of which {stays} stay");
    let seconds = begun.elapsed().as_secs();
    Ok(format!("{files} files in {seconds} s; the master took {above} MiB above idle, of which {stays} stay"))
}

/// Answers one request after the other, until the connection is closed.
fn serve(stream: TcpStream, files: u64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut out = BufWriter::new(stream);
    while let Some(request) = lines.next().transpose()? {
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let path = request.split(' ').nth(1).unwrap_or_default();
        match path.split('?').next().unwrap_or_default() {
            "/sense" => reply(&mut out, b"{\"status\":1,\"version\":\"v1\"}")?,
            "/sense/files" => {
                let list: Vec<String> = (0..files).map(entry).collect();
                reply(&mut out, format!("{{\"version\":\"v1\",\"files\":[{}]}}", list.join(",")).as_bytes())?;
            }
            path => reply(&mut out, content(number(path)).as_bytes())?,
        }
        out.flush()?;
    }
    Ok(())
}

fn reply(out: &mut impl Write, body: &[u8]) -> io::Result<()> {
    write!(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len())?;
    out.write_all(body)
}

/// The number of the file at `/read/FOLDER/NUMBER.csv`.
fn number(path: &str) -> u64 {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.trim_end_matches(".csv").parse().unwrap_or_default()
}

fn content(number: u64) -> String {
    // Skus of neighbours are far from each other, as they are in no order of files.
    let sku = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("sku,name,description\n{sku:016x},Name {},A text of file {number}\n", number % 5_000)
}

fn entry(number: u64) -> String {
    let body = content(number);
    format!(
        "{{\"path\":\"folder/{:03}/{number:07}.csv\",\"size\":{},\"modified\":\"2026-11-22T00:00:00Z\",\"hash\":\"blake3:{}\"}}",
        number / 1_000,
        body.len(),
        blake3::hash(body.as_bytes()).to_hex()
    )
}
