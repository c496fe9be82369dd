//! `starter demo`: the whole system in one process. Two generated feeds that overlap, a data-source for each, a master with
//! the form, and a task that keeps changing a few rows so that there is something to see.

mod activity;
mod changes;

use std::{
    fs,
    io::{self, BufWriter, Write},
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_cli_common::stop_on_signals;
use tributary_config::{CatalogConfig, ColumnConfig, Config, SourceConfig};
use tributary_format_rules::{FormatRules, Selection};
use tributary_generate::products::{OwnColumns, Products};
use tributary_http_common::bind;
use tributary_store::{DatabaseUrl, SourceView};

use crate::cli::DemoArgs;

/// Time for which a changed file must be quiet. The demo replaces files as a whole, so it may be short.
const SETTLE: Duration = Duration::from_millis(50);

/// Names of the two sources, and half-feeds before their first product: south's first half is north's second half.
const SOURCES: [(&str, u64); 2] = [("north", 0), ("south", 1)];

/// Marks a folder that a demo created, so that no other folder is written to.
const MARKER: &str = ".tributary-demo";

pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let listener = bind(&args.listen, &args.access)?;
    let temporary = tempfile::tempdir().context("failed to create a temporary folder")?;
    let folder = args.dir.as_deref().unwrap_or(temporary.path());
    claim(folder)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let shown = runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to install the signal handlers")?;
        let (feeds, rows, stop) = (folder.to_owned(), args.rows, shutdown.clone());
        tokio::task::spawn_blocking(move || generate(&feeds, rows, &stop))
            .await
            .context("the task that writes the feeds failed")??;
        if shutdown.is_cancelled() { Ok(()) } else { show(folder, args, listener, shutdown).await }
    });
    runtime.shutdown_background();
    print_line("Stopped.");
    shown
}

/// Claims the folder for the demo. It must be new, empty, or from an earlier demo.
fn claim(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let marker = folder.join(MARKER);
    let is_empty =
        fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?.next().is_none();
    ensure!(
        is_empty || marker.exists(),
        "{} contains other files, which the demo could overwrite; choose an empty folder",
        folder.display()
    );
    fs::write(&marker, "").with_context(|| format!("failed to write {}", marker.display()))
}

/// Writes the feed of each folder. The same number of rows gives the same bytes, which a database of an earlier demo already has.
fn generate(folder: &Path, rows: u64, stop: &CancellationToken) -> Result<()> {
    for (source, half) in SOURCES {
        let folder = folder.join(source);
        fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        let path = folder.join("products.csv");
        let part = tributary_formats::unfinished(&path);
        let started = Instant::now();
        let file = fs::File::create(&part).context("failed to write a feed")?;
        let mut out = BufWriter::with_capacity(1 << 20, StoppableFile { file, stop });
        let feed = Products::new(rows, half * rows / 2, half + 1).with_columns(&own_columns()?);
        let written = tributary_generate::write(&mut { feed }, rows, &mut out, |_, _| {}).and_then(|()| out.flush());
        if stop.is_cancelled() {
            return fs::remove_file(&part).context("failed to delete an incomplete feed");
        }
        written
            .and_then(|()| fs::rename(&part, &path))
            .with_context(|| format!("failed to write {}", path.display()))?;
        let (size, took) = (fs::metadata(&path)?.len() as f64 / 1e6, started.elapsed().as_secs_f64());
        print_line(&format!("Wrote {} with {rows} rows, {size:.1} MB, in {took:.1} s", path.display()));
    }
    Ok(())
}

/// The columns of the demo's products beside those that every catalog has.
const COLUMNS: [&str; 3] = ["price", "stock", "brand"];

/// The same, as the feeds are written.
fn own_columns() -> Result<OwnColumns> {
    COLUMNS.join(",").parse().map_err(|why| anyhow!("{why}"))
}

/// The same, as the master reads them.
fn catalog() -> CatalogConfig {
    let column = |name: &str| ColumnConfig { name: name.to_owned(), label: name[..1].to_uppercase() + &name[1..] };
    CatalogConfig { columns: COLUMNS.map(column).into(), index: vec!["brand".to_owned()], ..CatalogConfig::default() }
}

/// A file whose writes fail once the demo is to stop.
struct StoppableFile<'a> {
    file: fs::File,
    stop: &'a CancellationToken,
}

impl Write for StoppableFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() { Err(io::Error::other("stopped")) } else { self.file.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

async fn show(folder: &Path, args: &DemoArgs, listener: TcpListener, shutdown: CancellationToken) -> Result<()> {
    let address = listener.local_addr().context("failed to get the address of the form")?;
    let database = folder.join("database.db");
    let url: DatabaseUrl = database.to_string_lossy().parse().context("failed to name the database")?;
    let (north, north_url) = source(folder, "north", &shutdown)?;
    let (south, south_url) = source(folder, "south", &shutdown)?;
    let config = Config {
        database: url.clone(),
        listen: address.to_string(),
        access: args.access.clone(),
        catalog: catalog(),
        sources: vec![SourceConfig::new("north", &north_url)?, SourceConfig::new("south", &south_url)?],
        ..Config::default()
    };
    print_line(&format!("The data-sources listen on {north_url} and {south_url}"));
    let master = tributary_master::run(config, None, listener, false, shutdown.clone());
    let changes = changes::keep_changing(folder.to_owned(), args.rows, url.clone(), shutdown.clone());
    let activity = activity::report(url, address, database, shutdown.clone());
    // The first part that ends stops the others.
    let ended = |part: Result<()>| {
        shutdown.cancel();
        part
    };
    let (north, south, master, changes, activity) = tokio::join!(
        async { ended(north.await) },
        async { ended(south.await) },
        async { ended(master.await) },
        async { ended(changes.await) },
        async { ended(activity.await) },
    );
    north.and(south).and(master).and(changes).and(activity)
}

/// Prepares a data-source of one folder on a free port. Returns its future and its URL.
fn source(
    folder: &Path,
    name: &str,
    shutdown: &CancellationToken,
) -> Result<(impl Future<Output = Result<()>> + use<>, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    let url = format!("http://{}", listener.local_addr().context("failed to get the address of a source")?);
    let config = tributary_data_source::Config {
        dir: folder.join(name),
        name: name.to_owned(),
        settle: SETTLE,
        max_settle: Duration::from_secs(10),
        rescan: Duration::from_secs(30),
        selection: Selection::default(),
        formats: FormatRules::default(),
        admission: Admission::default(),
        announce: false,
    };
    Ok((tributary_data_source::run(config, listener, shutdown.clone()), url))
}

/// Whether both feeds are applied.
fn is_loaded(sources: &[SourceView]) -> bool {
    !sources.is_empty() && sources.iter().all(|source| source.version.is_some())
}

/// Prints a line on stdout. A reader that went away is no error.
fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
