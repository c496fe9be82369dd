//! An upload of many gigabytes over HTTP, beside `cp` of the same file. Both end when the file is on disk.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

use super::rounds::Stage;
use crate::{
    bench::{
        figures::{Spread, mebibytes},
        running::{fresh, write_back},
        sales_file::{NAME, Sales},
        table::Row,
        usage::{self, Usage},
    },
    workspace,
};

/// Few, because each takes long.
const REPEATS: usize = 3;
/// The least speed of an upload, as a part of that of `cp`, and the most memory of the master beyond that of an idle one.
const MIN_SPEED: f64 = 0.60;
const MAX_MEMORY: u64 = 150 << 20;

/// Measures the line `upload` with a file of `rows` rows.
pub(super) fn measure(stage: &Stage<'_>, rows: u64) -> Result<Vec<Row>> {
    let sales = Sales::generate(stage.home, "served", rows, 500)?;
    let (mut ours, mut theirs, mut beyond) = (Vec::new(), Vec::new(), 0);
    // The first upload only warms up.
    for number in 0..=REPEATS {
        let copied = copy(stage.home, &sales)?;
        let (sent, memory) = send(stage.home, &sales)?;
        if number > 0 {
            theirs.push(copied);
            ours.push(sent);
            beyond = beyond.max(memory);
        }
    }
    let what = format!("upload: {}, `POST /api/v1/uploads` until it is on disk", sales.summary());
    let mut row = Row::of_usages(what, ours.iter().copied());
    let speed = |(ours, theirs): (&Usage, &Duration)| theirs.as_secs_f64() / ours.wall.as_secs_f64();
    let speed = Spread::of(ours.iter().zip(&theirs).map(speed));
    row.ratio = format!("speed: {}; {} of memory beyond idle", speed.times("cp"), mebibytes(beyond));
    let target = format!("speed >= {MIN_SPEED:.2} x cp, <= {} beyond idle", mebibytes(MAX_MEMORY));
    let row = row.target(target, speed.median >= MIN_SPEED && beyond <= MAX_MEMORY);
    let wall = Spread::of_times(theirs).seconds();
    let of_peer = Row { what: "the same by cp, and fsync".to_owned(), wall, ..Row::default() };
    Ok(vec![row, of_peer])
}

fn copy(home: &Path, sales: &Sales) -> Result<Duration> {
    let folder = home.join("copied");
    fresh(&folder)?;
    write_back()?;
    let started = Instant::now();
    workspace::run(Command::new("cp").arg(sales.path()).arg(&folder))?;
    File::open(folder.join(NAME))?.sync_all()?;
    let took = started.elapsed();
    fs::remove_dir_all(&folder)?;
    Ok(took)
}

/// Uploads the file. Returns the cost, and the growth of the master's memory.
fn send(home: &Path, sales: &Sales) -> Result<(Usage, u64)> {
    let folder = home.join("uploaded");
    fresh(&folder)?;
    let mut command = process::command("master", &folder);
    command.args(["--listen", "127.0.0.1:0"]).env("RUST_LOG", "error");
    let master = Daemon::start(command);
    let (status, _) = http::get(&format!("{}/readyz", master.url))?;
    ensure!(status == 200, "the master is not ready");
    let (cpu, idle) = (usage::cpu_so_far(master.id())?, usage::peak_so_far(master.id())?);
    write_back()?;
    let started = Instant::now();
    let location = post(&master, sales)?;
    let wall = started.elapsed();
    let peak_bytes = usage::peak_so_far(master.id())?;
    let usage = Usage { wall, cpu: usage::cpu_so_far(master.id())? - cpu, peak_bytes };
    // Its processing is not measured here.
    http::request("DELETE", &format!("{}{location}", master.url), &[], b"")?;
    drop(master);
    fs::remove_dir_all(&folder)?;
    Ok((usage, peak_bytes.saturating_sub(idle)))
}

/// Sends the file. Returns the path of the upload.
fn post(master: &Daemon, sales: &Sales) -> Result<String> {
    let host = master.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    let mut file = File::open(sales.path())?;
    write!(
        stream,
        "POST /api/v1/uploads?filename={NAME} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\
         content-type: text/csv\r\nconnection: close\r\n\r\n",
        sales.bytes
    )?;
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => stream.write_all(&piece[..read])?,
        }
    }
    let head: Vec<String> = BufReader::new(stream)
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|l| !l.is_empty()))
        .collect::<Result<_, _>>()?;
    ensure!(head.first().is_some_and(|line| line.contains(" 202 ")), "the upload is answered with {head:?}");
    let location = head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("location: ").map(str::to_owned));
    location.context("the answer has no Location")
}
