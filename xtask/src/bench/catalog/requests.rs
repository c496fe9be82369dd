//! Waiting times of people and programs on a large database: many readers of products at once, and edits through the form while sources
//! change.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use tributary_testkit::process::Daemon;

use super::{
    lines::{Line, wants_any},
    stage::{FEEDS, Stage},
};
use crate::bench::{
    client::Connection,
    feed::Feed,
    figures::{Latencies, mebibytes, seconds, thousands},
    running::{Served, database, master, write_back},
    shell::Shell,
    table::Row,
    usage,
};

const CONNECTIONS: usize = 32;
/// The times of the two measurements.
const READING: Duration = Duration::from_secs(10);
const EDITING: Duration = Duration::from_secs(20);
/// The small source, and the time between two of its changes.
const SMALL_ROWS: u64 = 1_000;
const CHANGE_INTERVAL: Duration = Duration::from_millis(100);
/// The 99th percentiles of reads and edits.
const MAX_READ: Duration = Duration::from_millis(20);
const MAX_EDIT: Duration = Duration::from_millis(100);

/// A master with the database of the ten feeds.
struct Scene<'a> {
    master: &'a Daemon,
    /// Skus of the ten feeds, in random order.
    skus: &'a [String],
    /// Rows of the database, as text.
    size: String,
}

/// Measures the lines `get`, `list`, `edit` and `edit-apply`.
pub(super) fn measure(stage: &mut Stage) -> Result<Vec<Row>> {
    stage.loaded_ten()?;
    let (folder, small) = (stage.ten_folder(), stage.small(SMALL_ROWS)?);
    let chosen = stage.chosen;
    let (home, rows) = (stage.home, stage.rows);
    let ten = stage.ten()?;
    let master = master(&folder, &[ten, &small])?;
    let mut shell = Shell::open(&database(&folder))?;
    let skus = sample(&mut shell, rows)?;
    let scene = Scene { master: &master, skus: &skus, size: thousands(FEEDS * rows) };
    write_back()?;
    let mut table = Vec::new();
    if chosen.contains(&Line::Get) {
        let path = |number: usize| format!("/api/v1/products/{}", skus[number % skus.len()]);
        table.push(read(&scene, "get: `GET /api/v1/products/{sku}`", path)?);
    }
    if chosen.contains(&Line::List) {
        table.push(read(&scene, "list: the first page of `/api/v1/products`", |_| "/api/v1/products".to_owned())?);
    }
    if chosen.contains(&Line::Edit) {
        table.push(edited(&scene, &small)?);
    }
    if wants_any(chosen, &[Line::EditApply]) {
        let original = home.join("other-content.csv");
        // Other content in every row, but mostly the same skus, so that every row changes.
        let other = Feed::generate(ten.feeds[0].path.clone(), original, rows, 0, u64::MAX)?;
        table.push(edited_during_apply(&scene, &mut shell, &other)?);
    }
    Ok(table)
}

/// Takes some ten thousand skus from all over the table.
fn sample(shell: &mut Shell, rows: u64) -> Result<Vec<String>> {
    let step = (FEEDS * rows / 20_000).max(1);
    let list = shell.ask(&format!(
        "select group_concat(sku, ' ') from (select sku from products where sku not like 'changing-%' and abs(random()) % {step} = 0)"
    ))?;
    let mut skus: Vec<String> = list.split(' ').map(str::to_owned).collect();
    ensure!(skus.len() > 100, "the database holds too little");
    // A step that shares no factor with most lengths, so that neighbours in the table are not read together.
    let length = skus.len();
    for place in 0..length {
        skus.swap(place, (place * 7_919 + 13) % length);
    }
    Ok(skus)
}

/// Reads over many connections, each of which asks again as soon as it is answered.
fn read(scene: &Scene, what: &str, path: impl Fn(usize) -> String + Sync) -> Result<Row> {
    eprintln!("{what}, {CONNECTIONS} connections for {READING:?}");
    let cpu = usage::cpu_so_far(scene.master.id())?;
    let begun = Instant::now();
    let ask = |connection: usize| {
        let mut client = Connection::open(&scene.master.url)?;
        let mut times = Vec::new();
        while begun.elapsed() < READING {
            let path = path(connection * 611 + times.len());
            let asked_at = Instant::now();
            let (status, _) = client.get(&path)?;
            times.push(asked_at.elapsed());
            ensure!(status == 200, "`GET {path}` is answered with {status}");
        }
        Ok(times)
    };
    let times = thread::scope(|scope| {
        let ask = &ask;
        let asking: Vec<_> = (0..CONNECTIONS).map(|connection| scope.spawn(move || ask(connection))).collect();
        let ended = asking.into_iter().map(|asking| asking.join().map_err(|_| anyhow!("a client panicked"))?);
        ended.collect::<Result<Vec<Vec<Duration>>>>()
    })?;
    let (latencies, took) = (Latencies::of(times.concat()), begun.elapsed());
    let speed = latencies.count() as f64 / took.as_secs_f64();
    let row = Row {
        what: format!("{what}, {} rows, {CONNECTIONS} connections", scene.size),
        wall: format!("{}; {} per second", latencies.summary(), thousands(speed as u64)),
        ..cost(scene.master, cpu)?
    };
    Ok(row.target("p99 <= 20 ms", latencies.within(0.99) <= MAX_READ))
}

/// Makes one edit after the other while the small source changes a row every now and then.
fn edited(scene: &Scene, small: &Served) -> Result<Row> {
    eprintln!("editing for {EDITING:?} while a source changes a row every {CHANGE_INTERVAL:?}");
    let cpu = usage::cpu_so_far(scene.master.id())?;
    let is_over = AtomicBool::new(false);
    let (edits, changes) = thread::scope(|scope| {
        let changing = scope.spawn(|| keep_changing(&small.feeds[0], &is_over));
        let begun = Instant::now();
        let edits = Edits::make(scene, scene.skus, || Ok(begun.elapsed() < EDITING));
        is_over.store(true, Ordering::Relaxed);
        let changes = changing.join().map_err(|_| anyhow!("the thread that changes rows panicked"))??;
        anyhow::Ok((edits?, changes))
    })?;
    let row = Row {
        what: format!("edit: `POST /update`, {} rows, a source changes one row every 100 ms", scene.size),
        wall: format!(
            "{}; {} edits, {} failed; {changes} changes",
            edits.times.summary(),
            edits.times.count(),
            edits.failed
        ),
        ..cost(scene.master, cpu)?
    };
    Ok(row.target("p99 <= 100 ms", edits.times.within(0.99) <= MAX_EDIT && edits.failed == 0))
}

/// Makes one edit after the other while a file with entirely new content is applied.
fn edited_during_apply(scene: &Scene, shell: &mut Shell, other: &Feed) -> Result<Row> {
    let skus = elsewhere(scene, other)?;
    eprintln!("editing while the content of {} is replaced", other.path.display());
    let cpu = usage::cpu_so_far(scene.master.id())?;
    let begun = Instant::now();
    other.write("Replaced")?;
    let edits = Edits::make(scene, &skus, || Ok(shell.name_of(&other.sku)? != "Replaced"))?;
    let applied = begun.elapsed();
    let row = Row {
        what: "edit-apply: the same while one of the files is replaced by other content".to_owned(),
        wall: format!(
            "longest {}; {} edits, {} failed; applied after {}",
            seconds(edits.times.within(1.0)),
            edits.times.count(),
            edits.failed,
            seconds(applied)
        ),
        ..cost(scene.master, cpu)?
    };
    Ok(row.target("none fails", edits.failed == 0))
}

/// The edits of a measurement.
struct Edits {
    times: Latencies,
    /// Edits that were not answered with a redirect.
    failed: usize,
}

impl Edits {
    /// Makes edits while `go_on` returns true, and at least one.
    fn make(scene: &Scene, skus: &[String], mut go_on: impl FnMut() -> Result<bool>) -> Result<Self> {
        let mut client = Connection::open(&scene.master.url)?;
        let (mut times, mut failed) = (Vec::new(), 0);
        for number in 0.. {
            let form = format!("sku={}&name=Edited+{number}&description=", skus[number % skus.len()]);
            let asked_at = Instant::now();
            let answered = client.post("/update", &form);
            times.push(asked_at.elapsed());
            match answered {
                Ok(303) => {}
                // A broken connection cannot be used again.
                Err(_) => (failed, client) = (failed + 1, Connection::open(&scene.master.url)?),
                Ok(_) => failed += 1,
            }
            if !go_on()? {
                break;
            }
        }
        Ok(Self { times: Latencies::of(times), failed })
    }
}

/// Changes the row until `is_over`. Returns the number of changes.
fn keep_changing(feed: &Feed, is_over: &AtomicBool) -> Result<usize> {
    let mut changes = 0;
    let begun = Instant::now();
    while !is_over.load(Ordering::Relaxed) {
        feed.write(&format!("Changing {changes}"))?;
        changes += 1;
        thread::sleep((begun + CHANGE_INTERVAL * changes as u32).saturating_duration_since(Instant::now()));
    }
    Ok(changes)
}

/// Skus of products from other files, which stay when this one is replaced.
fn elsewhere(scene: &Scene, replaced: &Feed) -> Result<Vec<String>> {
    let name = replaced.path.file_name().context("a feed has a name")?.to_string_lossy();
    let here = format!("\"file\":\"{name}\"");
    let mut client = Connection::open(&scene.master.url)?;
    let mut skus = Vec::new();
    for sku in scene.skus.iter().take(2_000) {
        let (status, body) = client.get(&format!("/api/v1/products/{sku}"))?;
        ensure!(status == 200, "the product {sku} is answered with {status}");
        if !String::from_utf8_lossy(&body).contains(&here) {
            skus.push(sku.clone());
        }
    }
    ensure!(!skus.is_empty(), "there are no products of other files");
    Ok(skus)
}

/// The processor time of the master since `before`, and its peak memory so far.
fn cost(master: &Daemon, before: Duration) -> Result<Row> {
    let cpu = seconds(usage::cpu_so_far(master.id())? - before);
    Ok(Row { cpu, memory: mebibytes(usage::peak_so_far(master.id())?), ..Row::default() })
}
