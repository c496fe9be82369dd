//! `cargo xtask bench documents`: small documents from many clients at once, each waiting until its document is applied; and the memory of
//! documents that wait.

use std::{
    fmt::Write as _,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tributary_testkit::process::Daemon;

use super::{
    Binaries,
    client::Connection,
    figures::{Latencies, mebibytes, thousands},
    running::{fresh, master},
    usage,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Documents to send, in one run after the other
    #[arg(long, num_args = 1.., default_values_t = [10_000, 20_000])]
    documents: Vec<u64>,
    /// Rows of a document
    #[arg(long, default_value_t = 20)]
    rows: u64,
    /// Clients that send at the same time
    #[arg(long, default_value_t = 8)]
    clients: u64,
    #[command(flatten)]
    binaries: Binaries,
}

pub(super) fn run(args: &Args) -> Result<()> {
    args.binaries.prepare()?;
    // Kept until the end: for some seconds ext4 searches for a new inode past each that was just deleted, which a next run would pay for.
    let home = tempfile::tempdir().context("failed to make a temporary folder")?;
    println!("| documents | each answered when it is | time | CPU of the master | requests | peak memory above idle |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for documents in &args.documents {
        for (query, what) in [("?wait=applied", "applied"), ("", "stored")] {
            let Sent { wall, cpu, latencies, above } =
                send_all(args, *documents, query, &home.path().join(format!("{documents}-{what}")))?;
            println!(
                "| {} | {what} | {:.2} s | {:.2} s | {} | {} |",
                thousands(*documents),
                wall.as_secs_f64(),
                cpu.as_secs_f64(),
                latencies.summary(),
                mebibytes(above)
            );
        }
    }
    Ok(())
}

struct Sent {
    /// From the first byte to the last answer.
    wall: Duration,
    /// Until all are applied.
    cpu: Duration,
    latencies: Latencies,
    /// The peak memory of the master, above that of the idle one.
    above: u64,
}

/// Sends documents to a fresh master with this folder, and checks the products.
fn send_all(args: &Args, documents: u64, query: &str, folder: &Path) -> Result<Sent> {
    fresh(folder)?;
    let master = master(folder, &[])?;
    let idle = usage::peak_so_far(master.id())?;
    let next = AtomicU64::new(0);
    let started = Instant::now();
    let times: Vec<Vec<Duration>> = std::thread::scope(|scope| {
        let client = || scope.spawn(|| send(&master, args.rows, query, &next, documents));
        let clients: Vec<_> = (0..args.clients).map(|_| client()).collect();
        clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect::<Result<_>>()
    })?;
    let wall = started.elapsed();
    wait_for_products(&master, documents * args.rows)?;
    let cpu = usage::cpu_so_far(master.id())?;
    let above = usage::peak_so_far(master.id())? - idle;
    Ok(Sent { wall, cpu, latencies: Latencies::of(times.concat()), above })
}

fn send(master: &Daemon, rows: u64, query: &str, next: &AtomicU64, documents: u64) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(&master.url)?;
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= documents {
            return Ok(times);
        }
        let mut body = String::from("sku,name,description\n");
        for row in 0..rows {
            writeln!(body, "d{number:06}r{row:02},Name {},A description of {row} in {number}", row % 7)?;
        }
        let started = Instant::now();
        let status = connection.put(&format!("/api/v1/documents/{}/{number}.csv{query}", number / 1_000), &body)?;
        times.push(started.elapsed());
        // One that nobody waits for may be applied already.
        ensure!(status == 200 || (status == 202 && query.is_empty()), "a document is answered with {status}");
    }
}

fn wait_for_products(master: &Daemon, expect: u64) -> Result<()> {
    let mut connection = Connection::open(&master.url)?;
    super::waiting::until("all documents are applied", Duration::from_millis(100), || {
        let (_, body) = connection.get("/metrics")?;
        let line = format!("tributary_products {expect}");
        Ok(String::from_utf8_lossy(&body).lines().any(|found| found == line).then_some(()))
    })
}
