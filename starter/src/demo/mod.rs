//! `starter demo`: the whole system in one process. Two generated feeds that overlap, a data-source for each, a master with
//! the form, and hands that keep changing a few rows so that there is something to see.

mod hands;
mod news;

use std::{
    fs,
    io::{self, BufWriter, Write},
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_cli_common::stop_on_signals;
use tributary_generate::products;
use tributary_http_common::bind;
use tributary_master::config::{Config, SourceConfig, UploadsConfig};
use tributary_store::{DatabaseUrl, SourceView};

use crate::cli::DemoArgs;

/// How long a changed file must be quiet. Our own hands put whole files in place, so it may be short.
const SETTLE: Duration = Duration::from_millis(50);

/// The two sources, by the number of their first product: south's first half is north's second half.
const SOURCES: [(&str, u64); 2] = [("north", 0), ("south", 1)];

/// Stands in a folder that a demo has made, so that no other one is written to.
const MARKER: &str = ".tributary-demo";

pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let listener = bind(&args.listen, &args.access)?;
    let temporary = tempfile::tempdir().context("failed to make a temporary folder")?;
    let folder = args.dir.as_deref().unwrap_or(temporary.path());
    claim(folder)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let shown = runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to wait for signals")?;
        let (feeds, rows, stop) = (folder.to_owned(), args.rows, shutdown.clone());
        tokio::task::spawn_blocking(move || generate(&feeds, rows, &stop)).await.context("no feeds were written")??;
        if shutdown.is_cancelled() { Ok(()) } else { show(folder, args, listener, shutdown).await }
    });
    runtime.shutdown_background();
    say("Stopped.");
    shown
}

/// Makes the folder the demo's own: it must be new, or empty, or an earlier demo's.
fn claim(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let marker = folder.join(MARKER);
    let is_empty =
        fs::read_dir(folder).with_context(|| format!("failed to look into {}", folder.display()))?.next().is_none();
    ensure!(
        is_empty || marker.exists(),
        "{} holds other files, which the demo would write over: name an empty folder",
        folder.display()
    );
    fs::write(&marker, "").with_context(|| format!("failed to write {}", marker.display()))
}

/// Writes each folder's feed. As many rows are the same bytes again, which a database of an earlier demo knows already.
fn generate(folder: &Path, rows: u64, stop: &CancellationToken) -> Result<()> {
    for (source, half) in SOURCES {
        let folder = folder.join(source);
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let path = folder.join("products.csv");
        let unfinished = tributary_formats::unfinished(&path);
        let started = Instant::now();
        let file = fs::File::create(&unfinished).context("failed to write a feed")?;
        let mut out = BufWriter::with_capacity(1 << 20, Until { file, stop });
        let written = products::write(&mut out, rows, half * rows / 2, half + 1).and_then(|()| out.flush());
        if stop.is_cancelled() {
            // What is half written is left behind by nobody who was asked to stop.
            return fs::remove_file(&unfinished).context("failed to take a half written feed away");
        }
        written
            .and_then(|()| fs::rename(&unfinished, &path))
            .with_context(|| format!("failed to write {}", path.display()))?;
        let (size, took) = (fs::metadata(&path)?.len() as f64 / 1e6, started.elapsed().as_secs_f64());
        say(&format!("Wrote {} with {rows} rows, {size:.1} MB, in {took:.1} s", path.display()));
    }
    Ok(())
}

/// A file that takes no more once it is time to stop.
struct Until<'a> {
    file: fs::File,
    stop: &'a CancellationToken,
}

impl Write for Until<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() { Err(io::Error::other("stopped")) } else { self.file.write(bytes) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

async fn show(folder: &Path, args: &DemoArgs, listener: TcpListener, shutdown: CancellationToken) -> Result<()> {
    let address = listener.local_addr().context("failed to ask where the form listens")?;
    let database = folder.join("database.db");
    let url: DatabaseUrl = database.to_string_lossy().parse().context("failed to name the database")?;
    let (north, north_url) = source(folder, "north", &shutdown)?;
    let (south, south_url) = source(folder, "south", &shutdown)?;
    let config = Config {
        database: url.clone(),
        listen: address.to_string(),
        access: args.access.clone(),
        allowed_hosts: Vec::new(),
        poll_interval: Duration::from_secs(1),
        sources: vec![SourceConfig::new("north", &north_url)?, SourceConfig::new("south", &south_url)?],
        reports: Vec::new(),
        uploads: UploadsConfig::default(),
    };
    say(&format!("The sources serve their folders on {north_url} and {south_url}"));
    let master = tributary_master::run(config, listener, false, shutdown.clone());
    let hands = hands::keep_changing(folder.to_owned(), args.rows, url.clone(), shutdown.clone());
    let news = news::tell(url, address, database, shutdown.clone());
    // Whichever of them ends first, the others are told to.
    let ended = |part: Result<()>| {
        shutdown.cancel();
        part
    };
    let (north, south, master, hands, news) = tokio::join!(
        async { ended(north.await) },
        async { ended(south.await) },
        async { ended(master.await) },
        async { ended(hands.await) },
        async { ended(news.await) },
    );
    north.and(south).and(master).and(hands).and(news)
}

/// A data-source of one folder, on a free port, and where that is.
fn source(
    folder: &Path,
    name: &str,
    shutdown: &CancellationToken,
) -> Result<(impl Future<Output = Result<()>> + use<>, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    let url = format!("http://{}", listener.local_addr().context("failed to ask where a source listens")?);
    let config = tributary_data_source::Config {
        dir: folder.join(name),
        name: name.to_owned(),
        settle: SETTLE,
        rescan: Duration::from_secs(30),
        admission: Admission::default(),
        announce: false,
    };
    Ok((tributary_data_source::run(config, listener, shutdown.clone()), url))
}

/// Whether all of both feeds is in.
fn is_loaded(sources: &[SourceView]) -> bool {
    !sources.is_empty() && sources.iter().all(|source| source.version.is_some())
}

/// One line for whoever watches. That nobody does is no error.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
