//! Lists of products over HTTP, filtered and sorted by own columns, with an index and without one.

use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};
use tributary_testkit::{feed, process::Daemon};

use super::{
    lines::Line,
    stage::{Stage, configure},
};
use crate::bench::{
    client::Connection,
    figures::{Latencies, mebibytes, seconds, thousands},
    running::{database, master, write_back},
    shell::Shell,
    table::Row,
    usage,
};

/// Requests that an index serves, and requests that read all products.
const INDEXED: usize = 2_000;
const UNINDEXED: usize = 20;
/// Connections of the line that asks over many.
const CONNECTIONS: usize = 32;
/// The step from one brand to the next. It shares no factor with their number, so all have their turn.
const BRAND_STEP: u64 = 19;
/// The 99th percentile of requests that an index serves.
const MAX_TIME: Duration = Duration::from_millis(20);

/// Measures the lines `brand` and `sort`.
pub(super) fn measure(stage: &Stage, chosen: &[Line]) -> Result<Vec<Row>> {
    let folder = stage.empty(Some("\"brand\""))?;
    eprintln!("loading {} rows", thousands(stage.rows));
    let loaded = stage.served.pass(&folder)?;
    let what = format!("load: {} rows with `index = [\"brand\"]` into an empty database, once", thousands(stage.rows));
    let rows = vec![Row::of_passes(what, &[loaded])];
    let mut scene = Scene { stage, folder: &folder, products: products(&folder)?, rows };
    if chosen.contains(&Line::Brand) {
        let master = scene.master("\"brand\"")?;
        scene.brands(&master, "with an index", INDEXED, 1)?;
        scene.brands(&master, "with an index", INDEXED, CONNECTIONS)?;
    }
    let master = scene.master("")?;
    if chosen.contains(&Line::Brand) {
        scene.brands(&master, "without an index", UNINDEXED, 1)?;
    }
    if chosen.contains(&Line::Sort) {
        scene.greatest(&master, "without an index", UNINDEXED)?;
        drop(master);
        let begun = Instant::now();
        let master = scene.master("\"price\"")?;
        scene.indexed(&master, begun.elapsed())?;
        scene.greatest(&master, "with an index", INDEXED)?;
    }
    Ok(scene.rows)
}

/// The number of products in a database.
fn products(folder: &Path) -> Result<u64> {
    Ok(Shell::open(&database(folder))?.ask("select count(*) from products")?.parse()?)
}

/// A loaded database, and the rows of the table so far.
struct Scene<'a> {
    stage: &'a Stage<'a>,
    folder: &'a Path,
    products: u64,
    rows: Vec<Row>,
}

/// Requests of one kind.
struct Requests {
    times: Latencies,
    cpu: Duration,
}

impl Scene<'_> {
    /// Starts a master with these indexes, which it makes before it is ready.
    fn master(&self, index: &str) -> Result<Daemon> {
        configure(self.folder, index)?;
        write_back()?;
        master(self.folder, &[&self.stage.served])
    }

    /// Adds the row of a master that has made an index since it was started.
    fn indexed(&mut self, master: &Daemon, took: Duration) -> Result<()> {
        self.rows.push(Row {
            what: format!(
                "index: a start with the new `index = [\"price\"]`, {} products, once",
                thousands(self.products)
            ),
            wall: seconds(took),
            cpu: seconds(usage::cpu_so_far(master.id())?),
            memory: mebibytes(usage::peak_so_far(master.id())?),
            ..Row::default()
        });
        Ok(())
    }

    /// Asks for the first products of each brand in turn: few requests for frequent brands and rare ones alike.
    fn brands(&mut self, master: &Daemon, how: &str, count: usize, connections: usize) -> Result<()> {
        let what = match connections {
            1 => format!("brand: `?brand=…` {how}"),
            _ => format!("brand: the same over {connections} connections"),
        };
        let request = |number: usize| {
            let brand = feed::brand(number as u64 * BRAND_STEP % feed::BRANDS);
            let path = format!("/api/v1/products?brand={}", brand.replace(' ', "%20").replace('&', "%26"));
            (path, format!("\"brand\":\"{brand}\""))
        };
        self.add(master, what, count, connections, request)
    }

    /// Asks for the products of the greatest price.
    fn greatest(&mut self, master: &Daemon, how: &str, count: usize) -> Result<()> {
        let request = |_| ("/api/v1/products?sort=-price&limit=50".to_owned(), "\"price\":\"1310.99\"".to_owned());
        self.add(master, format!("sort: `?sort=-price&limit=50` {how}"), count, 1, request)
    }

    /// Measures requests and adds their row, with a target if an index serves them over one connection.
    fn add(
        &mut self,
        master: &Daemon,
        what: String,
        count: usize,
        connections: usize,
        request: impl Fn(usize) -> (String, String) + Sync,
    ) -> Result<()> {
        eprintln!("{what}, {count} requests");
        let Requests { times, cpu } = ask(master, count, connections, request)?;
        let row = Row {
            what: format!("{what}, {} products, {} requests", thousands(self.products), thousands(count as u64)),
            wall: times.summary(),
            cpu: seconds(cpu),
            memory: mebibytes(usage::peak_so_far(master.id())?),
            ..Row::default()
        };
        let has_target = count == INDEXED && connections == 1;
        self.rows.push(match has_target {
            true => row.target("p99 <= 20 ms", times.within(0.99) <= MAX_TIME),
            false => row,
        });
        Ok(())
    }
}

/// Sends requests over some connections, each of which asks again as soon as it is answered. A request is a path, and what its answer
/// contains.
fn ask(
    master: &Daemon,
    count: usize,
    connections: usize,
    request: impl Fn(usize) -> (String, String) + Sync,
) -> Result<Requests> {
    let (next, before) = (AtomicUsize::new(0), usage::cpu_so_far(master.id())?);
    let ask = || {
        let mut client = Connection::open(&master.url)?;
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(times);
            }
            let (path, contains) = request(number);
            let asked_at = Instant::now();
            let (status, body) = client.get(&path)?;
            times.push(asked_at.elapsed());
            ensure!(status == 200, "`GET {path}` is answered with {status}");
            let has = String::from_utf8_lossy(&body).contains(&contains);
            ensure!(has, "the answer to `GET {path}` has no {contains}");
        }
    };
    let times = thread::scope(|scope| {
        let asking: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
        let ended = asking.into_iter().map(|asking| asking.join().map_err(|_| anyhow!("a client panicked"))?);
        ended.collect::<Result<Vec<Vec<Duration>>>>()
    })?;
    Ok(Requests { times: Latencies::of(times.concat()), cpu: usage::cpu_so_far(master.id())? - before })
}
