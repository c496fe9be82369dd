//! From the rename of a changed file on a source to open pages and clients of Socket.IO, and what these cost while nothing changes.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use tributary_testkit::process::Daemon;

use super::{
    Args,
    clients::{Clients, Seen},
    sheet::{Sheet, met},
};
use crate::bench::{
    figures::{Spread, mebibytes, thousands},
    running::{Served, fresh, master, write_back},
    usage,
};

const ROWS: u64 = 10_000;
/// The default of `data-source`.
const SETTLE: &str = "250ms";
/// The pause between two changes: late looks at one must not count for the next.
const REST: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(30);
const MAX_ONE: f64 = 1.0;
const MAX_ALL: f64 = 2.0;
const MAX_CORE: f64 = 0.10;

/// A file whose rows change one after the other.
struct Rows {
    folder: PathBuf,
    outside: PathBuf,
    /// Rows that have changed.
    changed: u64,
}

/// Adds the table.
pub(super) fn measure(home: &Path, modules: &OsStr, args: &Args, sheet: &mut Sheet) -> Result<()> {
    let place = home.join("change");
    fresh(&place)?;
    fresh(&place.join("north"))?;
    let mut rows = Rows { folder: place.join("north"), outside: place.join("next.csv"), changed: 0 };
    rows.replace()?;
    let served = Served::serve(&place, "north", Vec::new(), SETTLE)?;
    let folder = place.join("ours");
    fresh(&folder)?;
    let master = master(&folder, &[&served])?;
    let caption = format!(
        "From the rename of a changed file of {} rows until clients have it, the settle time of {SETTLE} and the page's wait of 300 ms included; \
         {} changes:",
        thousands(ROWS),
        args.changes
    );
    sheet.begin(&caption, &["what", "median", "max", "seen by", "target", ""]);
    let mut stage = Stage { place: &place, modules, master: &master, rows: &mut rows };
    let one = stage.follow(&mut stage.clients(&[[1, 0]])?, args.changes)?;
    add(sheet, "one open page", &one.pages, [args.changes, 1], MAX_ONE);
    let clients = args.clients;
    // Each client of Socket.IO reads all rows of each change, which must not hold the pages up: both would be on machines of their own.
    let mut all = stage.clients(&[[clients, 0], [0, clients / 2], [0, clients / 2]])?;
    let seen = stage.follow(&mut all, args.changes)?;
    let what = format!("{clients} open pages, with {clients} Socket.IO clients");
    add(sheet, &what, &seen.pages, [args.changes, clients], MAX_ALL);
    let what = format!("{clients} Socket.IO clients, with {clients} open pages");
    add(sheet, &what, &seen.sockets, [args.changes, clients], MAX_ALL);
    let part = idle(&master)?;
    let memory = mebibytes(usage::peak_so_far(master.id())?);
    sheet.add([
        format!("the master with all of them while nothing changes, for {} s (peak memory {memory})", IDLE.as_secs()),
        format!("{:.1} % of a core", part * 100.0),
        String::new(),
        String::new(),
        "<= 10 % of a core".to_owned(),
        met(part <= MAX_CORE),
    ]);
    Ok(())
}

/// Adds the row of clients that must see all changes within `most` seconds.
fn add(sheet: &mut Sheet, what: &str, seconds: &[f64], [changes, clients]: [u64; 2], most: f64) {
    let expected = changes * clients;
    let is_complete = seconds.len() as u64 == expected;
    let times = Spread::of(seconds.iter().copied().chain(seconds.is_empty().then_some(f64::INFINITY)));
    sheet.add([
        what.to_owned(),
        format!("{:.0} ms", times.median * 1000.0),
        format!("{:.0} ms", times.most * 1000.0),
        format!("{} of {}", thousands(seconds.len() as u64), thousands(expected)),
        format!("<= {most:.0} s"),
        met(is_complete && times.most <= most),
    ]);
}

/// The part of a core that the master takes.
fn idle(master: &Daemon) -> Result<f64> {
    thread::sleep(REST);
    let (begun, before) = (Instant::now(), usage::cpu_so_far(master.id())?);
    thread::sleep(IDLE);
    Ok((usage::cpu_so_far(master.id())? - before).as_secs_f64() / begun.elapsed().as_secs_f64())
}

struct Stage<'a> {
    place: &'a Path,
    modules: &'a OsStr,
    master: &'a Daemon,
    rows: &'a mut Rows,
}

/// Seconds from the rename, of all changes and clients.
struct Followed {
    pages: Vec<f64>,
    sockets: Vec<f64>,
}

impl Stage<'_> {
    /// Connects clients: so many pages and so many clients of Socket.IO in each process.
    fn clients(&self, processes: &[[u64; 2]]) -> Result<Vec<Clients>> {
        eprintln!("connecting clients, {processes:?} per process");
        let start =
            |[pages, sockets]: &[u64; 2]| Clients::start(self.place, self.modules, &self.master.url, *pages, *sockets);
        let mut all = processes.iter().map(start).collect::<Result<Vec<_>>>()?;
        all.iter_mut().try_for_each(Clients::is_ready)?;
        Ok(all)
    }

    /// Changes rows one after the other, after one change that warms up.
    fn follow(&mut self, clients: &mut [Clients], changes: u64) -> Result<Followed> {
        let mut followed = Followed { pages: Vec::new(), sockets: Vec::new() };
        for number in 0..=changes {
            thread::sleep(REST);
            write_back()?;
            let (sku, name) = (sku(self.rows.changed), changed_name(self.rows.changed));
            clients.iter_mut().try_for_each(|clients| clients.watch(&sku, &name))?;
            self.rows.changed += 1;
            let renamed_at = self.rows.replace()?;
            let mut seen = Seen::default();
            clients.iter_mut().try_for_each(|clients| clients.add_to(&mut seen))?;
            if number > 0 {
                let since = |at: u64| at.saturating_sub(renamed_at) as f64 / 1000.0;
                followed.pages.extend(seen.pages.into_iter().map(since));
                followed.sockets.extend(seen.sockets.into_iter().map(since));
            }
        }
        Ok(followed)
    }
}

impl Rows {
    /// Writes the file beside the folder and renames it into it. Returns when, in milliseconds since 1970.
    fn replace(&self) -> Result<u64> {
        let mut text = "sku,name,description\n".to_owned();
        for row in 0..ROWS {
            let name = if row < self.changed { changed_name(row) } else { format!("Name {}", row % 500) };
            writeln!(text, "{},{name},A description of it {row}", sku(row))?;
        }
        fs::write(&self.outside, text)?;
        let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64;
        fs::rename(&self.outside, self.folder.join("feed.csv")).context("failed to rename the changed file")?;
        Ok(at)
    }
}

fn sku(row: u64) -> String {
    format!("s{row:06}")
}

fn changed_name(row: u64) -> String {
    format!("Changed-{row}")
}
