//! The memory of a data-source with one large file, sent plain and packed.

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tributary_testkit::process::{self, Daemon};

use crate::{
    bench::{
        client::Connection,
        figures::{mebibytes, seconds},
        running::{fresh, write_back},
        table::Row,
        usage,
    },
    generate,
};

const BYTES: u64 = 2_000_000_000;
/// The most memory of the data-source, in bytes.
const MAX_MEMORY: u64 = 100 << 20;

/// Measures the line `serve`.
pub(super) fn measure(home: &Path) -> Result<Vec<Row>> {
    eprintln!("serving a file of {BYTES} bytes, as it is and packed");
    let folder = home.join("large");
    fresh(&folder)?;
    fill(&folder.join("large.csv"), &home.join("block.csv"))?;
    let mut command = process::command("data-source", &folder);
    command.args(["--listen", "127.0.0.1:0", "--dir", "."]).env("RUST_LOG", "error");
    let started = Instant::now();
    let source = Daemon::start(command);
    let ready = started.elapsed();
    let (plain, bytes) = download(&source, "identity")?;
    ensure!(bytes == fs::metadata(folder.join("large.csv"))?.len(), "{bytes} bytes arrived, which is not the file");
    let (packed, packed_bytes) = download(&source, "zstd")?;
    ensure!(packed_bytes < bytes, "the file was not packed");
    let peak = usage::peak_so_far(source.id())?;
    let row = Row {
        what: "serve: a data-source with a file of 2 GB, hashed, and sent plain and packed".to_owned(),
        wall: format!("start {}, plain {}, zstd {}", seconds(ready), seconds(plain), seconds(packed)),
        cpu: seconds(usage::cpu_so_far(source.id())?),
        memory: mebibytes(peak),
        ..Row::default()
    };
    drop(source);
    fs::remove_dir_all(&folder)?;
    Ok(vec![row.target("<= 100 MiB", peak <= MAX_MEMORY)])
}

fn download(source: &Daemon, coding: &str) -> Result<(Duration, u64)> {
    let started = Instant::now();
    let bytes = Connection::open(&source.url)?.download("/read/large.csv", coding)?;
    Ok((started.elapsed(), bytes))
}

/// Fills a file with one generated block over and over. Its content does not matter here.
fn fill(large: &Path, block: &Path) -> Result<()> {
    generate::write(block, 50_000, 0, 1)?;
    let (mut out, mut bytes) = (File::create(large)?, 0);
    while bytes < BYTES {
        bytes += io::copy(&mut File::open(block)?, &mut out)?;
    }
    write_back()
}
