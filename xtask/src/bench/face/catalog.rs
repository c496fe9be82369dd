//! The large catalog: many running data-sources, some of which are then stopped, and a master that has followed them for a year.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use tributary_testkit::{
    http,
    process::{self, Daemon},
};

use super::files;
use crate::bench::{
    client::Connection,
    figures::thousands,
    running::{self, database, fresh, write_back},
    shell::Shell,
    usage,
    waiting::until,
};

/// Of so many sources one is stopped, and of so many products one is corrected.
const SOURCES_PER_DOWN: u64 = 20;
const PRODUCTS_PER_EDIT: u64 = 250;
/// Passes of which one must be complete.
const MAX_PASSES: u32 = 5;
/// Connections over which corrections are sent.
const CONNECTIONS: usize = 8;
/// Uploaded files of sales, and their rows.
const UPLOADS: u64 = 50;
const SALES: u64 = 1_000;

/// A running master and what it has.
pub(super) struct Catalog {
    pub(super) master: Daemon,
    /// The size of the catalog in words.
    pub(super) words: String,
    /// Names of a source that runs and of one that does not.
    pub(super) sources: [String; 2],
    /// A corrected product, and one far behind in the list.
    pub(super) skus: [String; 2],
    /// Those that are still up.
    _running: Vec<Daemon>,
}

impl Catalog {
    /// Makes it. Everything stops when it is dropped.
    pub(super) fn start(home: &Path, products: u64, sources: u64) -> Result<Self> {
        let clock = Clock(Instant::now());
        let place = home.join("catalog");
        fresh(&place)?;
        let files = files::write(&place, products, sources)?;
        clock.say(&format!("wrote {} rows in {files} files", thousands(products)));
        let mut running: Vec<Daemon> = (0..sources).map(|number| serve(&place, number)).collect();
        clock.say(&format!("started {sources} data-sources"));
        let folder = place.join("master");
        fs::create_dir(&folder)?;
        configure(&folder, &running, "")?;
        write_back()?;
        load(&folder)?;
        clock.say("loaded");
        fill_history(&folder)?;
        clock.say("filled the history");
        configure(&folder, &running, "\"brand\"")?;
        let master = running::master(&folder, &[])?;
        clock.say("made the index, and started the master");
        upload(&master)?;
        let edits = products / PRODUCTS_PER_EDIT;
        let corrected = correct(&master, &folder, edits)?;
        clock.say(&format!("sent {} corrections", thousands(edits)));
        let down = (sources / SOURCES_PER_DOWN).max(1);
        running.truncate((sources - down) as usize);
        let stopped = files::source(sources - 1);
        settled(&master, down)?;
        clock.say(&format!("{down} sources are down"));
        write_back()?;
        let mut shell = Shell::open(&database(&folder))?;
        let far = shell.ask("select max(sku) from products")?;
        let words = words(&mut shell)?;
        Ok(Self { master, words, sources: [files::source(0), stopped], skus: [corrected, far], _running: running })
    }
}

/// Says on stderr what was done, and when.
struct Clock(Instant);

impl Clock {
    fn say(&self, what: &str) {
        eprintln!("{:4} s: {what}", self.0.elapsed().as_secs());
    }
}

fn serve(place: &Path, number: u64) -> Daemon {
    let mut source = process::command("data-source", place);
    source.args(["--listen", "127.0.0.1:0", "--dir", &files::source(number)]).env("RUST_LOG", "off");
    Daemon::start(source)
}

fn configure(folder: &Path, running: &[Daemon], index: &str) -> Result<()> {
    let columns: Vec<String> = files::COLUMNS.split(',').map(|column| format!("\"{column}\"")).collect();
    let mut config = format!("[catalog]\ncolumns = [{}]\nindex = [{index}]\n", columns.join(", "));
    for (source, number) in running.iter().zip(0..) {
        writeln!(config, "[[source]]\nname = \"{}\"\nurl = \"{}\"", files::source(number), source.url)?;
    }
    config.push_str(
        "[[report]]\nname = \"sales\"\ntitle = \"Sales of the shops\"\nfiles = \"sales*.csv\"\n\
         group_by = [{ column = \"Date\", by = \"day\" }, \"Shop\"]\n\
         metrics = { units = \"sum(Units)\", days = \"count()\" }\n",
    );
    fs::write(folder.join("tributary.toml"), config).context("failed to write the configuration")
}

/// Loads everything without the index, which is made faster afterwards. A source may break a connection on a busy machine; what it has
/// is read by the next pass, as a master that runs would do.
fn load(folder: &Path) -> Result<()> {
    for attempt in 1.. {
        let mut once = process::command("master", folder);
        once.arg("--once").env("RUST_LOG", "error");
        match usage::run(once, Stdio::null()) {
            Err(error) if attempt < MAX_PASSES => eprintln!("pass {attempt} is incomplete: {error:.300}"),
            ended => return ended.map(drop),
        }
    }
    Ok(())
}

/// Writes a year into the table `history`. No master may run.
fn fill_history(folder: &Path) -> Result<()> {
    let script = folder.join("history.sql");
    fs::write(&script, include_str!("history.sql"))?;
    let mut shell = Command::new("sqlite3");
    shell.args(["-init", "/dev/null", "-batch", "-bail"]).arg(database(folder));
    usage::run(shell, File::open(&script)?.into()).context("`apt-get install sqlite3`")?;
    Ok(())
}

/// Uploads files for the report, one that fits nothing, and waits for both.
fn upload(master: &Daemon) -> Result<()> {
    for number in 0..UPLOADS {
        let mut sales = "Date,Shop,Units\n".to_owned();
        for row in 0..SALES {
            let day = (number * SALES + row) % 365;
            writeln!(sales, "2026-{:02}-{:02},Shop {},{}", 1 + day % 12, 1 + day / 12 % 28, row % 20, row % 97)?;
        }
        send(master, &format!("sales-{number:02}.csv"), &sales)?;
    }
    send(master, "odd.csv", "a,b,c\n1,2,3\n")?;
    let mut client = Connection::open(&master.url)?;
    until("the report has all uploads", Duration::from_millis(100), || {
        let reports: serde_json::Value = serde_json::from_slice(&client.get("/api/v1/reports")?.1)?;
        let report = &reports["items"][0];
        Ok((report["files"] == UPLOADS && report["state"] == "current").then_some(()))
    })
}

fn send(master: &Daemon, name: &str, body: &str) -> Result<()> {
    let url = format!("{}/api/v1/uploads?filename={name}", master.url);
    let status = http::request("POST", &url, &[], body.as_bytes())?.status;
    ensure!(status == 202, "the upload of {name} is answered with {status}");
    Ok(())
}

/// Corrects products from all over the table through the form. Returns one of them.
fn correct(master: &Daemon, folder: &Path, count: u64) -> Result<String> {
    let list = Shell::open(&database(folder))?.ask(&format!(
        "select group_concat(sku, ' ') from (select sku from products where abs(random()) % {PRODUCTS_PER_EDIT} = 0 limit {count})"
    ))?;
    let skus: Vec<&str> = list.split(' ').collect();
    ensure!(!skus[0].is_empty(), "the database has no products");
    thread::scope(|scope| {
        let parts = skus.chunks(skus.len().div_ceil(CONNECTIONS));
        let sending: Vec<_> = parts.map(|skus| scope.spawn(move || correct_all(&master.url, skus))).collect();
        let ended = sending.into_iter().map(|sending| sending.join().map_err(|_| anyhow!("a client panicked"))?);
        ended.collect::<Result<Vec<()>>>()
    })?;
    Ok(skus[skus.len() / 2].to_owned())
}

fn correct_all(url: &str, skus: &[&str]) -> Result<()> {
    let mut client = Connection::open(url)?;
    for (number, sku) in skus.iter().enumerate() {
        let status = client.post("/update", &format!("sku={sku}&name=By+hand+{}", number % 100))?;
        ensure!(status == 303, "the correction of {sku} is answered with {status}");
    }
    Ok(())
}

/// Waits until the master says of exactly so many sources that they are down.
fn settled(master: &Daemon, down: u64) -> Result<()> {
    let mut client = Connection::open(&master.url)?;
    until("the stopped sources are down", Duration::from_millis(200), || {
        let (_, page) = client.get("/api/v1/sources")?;
        Ok((String::from_utf8_lossy(&page).matches("\"state\":\"down\"").count() as u64 == down).then_some(()))
    })
}

/// Counts what a page could be slow for.
fn words(shell: &mut Shell) -> Result<String> {
    let mut count = |query: &str| anyhow::Ok(thousands(shell.ask(query)?.parse()?));
    Ok(format!(
        "{} products with {} names, of {} sources ({} down) with {} files; {} rows set aside, {} corrections, {} rows of history",
        count("select products from tally")?,
        count("select names from tally")?,
        count("select count(*) from sources where name <> 'uploads'")?,
        count("select count(*) from sources where state = 'down'")?,
        count("select count(*) from files")?,
        count("select sum(rejects) from files")?,
        count("select count(*) from edits")?,
        count("select count(*) from history")?,
    ))
}
