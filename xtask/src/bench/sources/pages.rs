//! Pages and lists of a master with all these sources: their sizes and times.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::stage::Stage;
use crate::bench::{
    client::Connection,
    figures::{Spread, thousands},
    table::Row,
};

/// Requests of each.
const REQUESTS: usize = 10;

/// Pages that people open, and lists that programs ask for again and again.
const PATHS: [&str; 10] = [
    "/",
    "/sources",
    "/sources?state=down",
    "/sources/s00042",
    "/files",
    "/rejects",
    "/api/v1/sources",
    "/api/v1/files?source=s00042",
    "/metrics",
    "/readyz",
];

/// Measures each of them.
pub(super) fn measure(stage: &Stage) -> Result<Vec<Row>> {
    PATHS.iter().map(|path| page(stage, path)).collect()
}

fn page(stage: &Stage, path: &str) -> Result<Row> {
    let master = stage.master()?;
    let mut client = Connection::open(&master.url)?;
    let cost = stage.cost()?;
    let (mut times, mut bytes, mut packed) = (Vec::<Duration>::new(), 0, 0);
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        let (status, body) = client.get(path)?;
        times.push(begun.elapsed());
        ensure!(status == 200, "{path} is answered with {status}");
        bytes = body.len();
    }
    let (cpu, _) = stage.cpu(&cost)?;
    if let Ok((200, body)) = client.page(path) {
        packed = body.len();
    }
    Ok(Row {
        what: format!("page: `{path}`, {} bytes, packed {}", thousands(bytes as u64), thousands(packed as u64)),
        wall: Spread::of_times(times).seconds(),
        cpu: format!("{:.1} ms", cpu.as_secs_f64() * 1000.0 / REQUESTS as f64),
        memory: stage.memory_text()?,
        ..Row::default()
    })
}
