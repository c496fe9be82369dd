//! `starter demo`: the whole system in one process. A data-source for each of three folders, a master, and tasks that see to it that
//! there is something to see: changes, an upload, an outage, a version that is held.

mod activity;
mod changes;
mod feeds;
mod outlet;
mod source;
mod stage;
mod upload;

use std::{
    fs,
    io::{self, Write},
    net::TcpListener,
    path::Path,
};

use anyhow::{Context, Result};
use tokio_util::sync::CancellationToken;
use tributary_cli_common::stop_on_signals;
use tributary_config::{Config, ConfigArgs};
use tributary_http_common::bind;
use tributary_master::Start;
use tributary_store::DatabaseUrl;

use self::{source::Source, stage::Stage};
use crate::cli::DemoArgs;

/// Address of the pages, unless another program has it or `--listen` names another one.
const LISTEN: &str = "127.0.0.1:5000";
const ANY_PORT: &str = "127.0.0.1:0";
/// Columns and reports of the demo.
const SETTINGS: &str = include_str!("tributary.toml");

pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let listener = listen(args)?;
    let temporary = tempfile::tempdir().context("failed to create a temporary folder")?;
    let folder = args.dir.as_deref().unwrap_or(temporary.path());
    feeds::claim(folder)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let shown = runtime.block_on(async {
        let shutdown = stop_on_signals().context("failed to install the signal handlers")?;
        stop_with_terminal(&shutdown)?;
        let (feeds, rows, stop) = (folder.to_owned(), args.rows, shutdown.clone());
        tokio::task::spawn_blocking(move || feeds::write_all(&feeds, rows, &stop))
            .await
            .context("the task that writes the feeds failed")??;
        if shutdown.is_cancelled() { Ok(()) } else { show(folder, args, listener, shutdown).await }
    });
    runtime.shutdown_background();
    let removed = temporary.close().context("failed to delete the temporary folder");
    print_line("Stopped.");
    shown.and(removed)
}

/// Binds what `--listen` names. Without it, a port that another program has is no obstacle.
fn listen(args: &DemoArgs) -> Result<TcpListener> {
    let is_taken = |error: &anyhow::Error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    };
    match &args.listen {
        Some(address) => bind(address, &args.access).map_err(|error| match is_taken(&error) {
            true => error.context("choose another port, or leave --listen out and any free one is taken"),
            false => error,
        }),
        None => bind(LISTEN, &args.access).or_else(|error| {
            if !is_taken(&error) {
                return Err(error);
            }
            print_line(&format!("Another program listens on {LISTEN}, so the demo takes another port"));
            bind(ANY_PORT, &args.access)
        }),
    }
}

/// Stops the demo when its terminal is closed: else its temporary folder would stay.
fn stop_with_terminal(shutdown: &CancellationToken) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup()).context("failed to install the signal handlers")?;
    let stop = shutdown.clone();
    tokio::spawn(async move {
        hangup.recv().await;
        stop.cancel();
    });
    Ok(())
}

async fn show(folder: &Path, args: &DemoArgs, listener: TcpListener, shutdown: CancellationToken) -> Result<()> {
    let address = listener.local_addr().context("failed to get the address of the pages")?;
    let database = folder.join("database.db").to_string_lossy().into_owned();
    let url: DatabaseUrl = database.parse().context("failed to name the database")?;
    let stage = Stage {
        folder: folder.to_owned(),
        database: url,
        loaded: CancellationToken::new(),
        shutdown: shutdown.clone(),
    };
    let [north, south, outlet] = ["north", "south", feeds::OUTLET].map(|name| Source::bind(&stage, name));
    let (north, south, outlet) = (north?, south?, outlet?);
    print_line(&format!("The data-sources listen on {}, {} and {}", north.url, south.url, outlet.url));
    let config = config(args, &stage, [&north, &south, &outlet], address.to_string())?;
    let master_url = format!("http://{address}");
    // The first part that ends stops the others.
    let ended = |part: Result<()>| {
        shutdown.cancel();
        part
    };
    let (north, south, outlet, master, changes, list, upload, activity) = tokio::join!(
        async { ended(north.serve(stage.clone()).await) },
        async { ended(south.serve_with_outages(stage.clone()).await) },
        async { ended(outlet.serve(stage.clone()).await) },
        async { ended(tributary_master::run(config, None, listener, Start::default(), shutdown.clone()).await) },
        async { ended(changes::keep_changing(stage.clone(), args.rows).await) },
        async { ended(outlet::shrink_and_grow(stage.clone()).await) },
        async { ended(upload::upload(stage.clone(), args, &master_url).await) },
        async { ended(activity::report(stage.clone(), address).await) },
    );
    north.and(south).and(outlet).and(master).and(changes).and(list).and(upload).and(activity)
}

/// Writes the settings to the folder, where they can be read, and loads them. Only the environment's own settings are left out: flags
/// beat them.
fn config(args: &DemoArgs, stage: &Stage, sources: [&Source; 3], listen: String) -> Result<Config> {
    let file = stage.folder.join("tributary.toml");
    fs::write(&file, SETTINGS).with_context(|| format!("failed to write {}", file.display()))?;
    let given = ConfigArgs {
        config: Some(file),
        database_url: Some(stage.database.to_string()),
        sources: sources.iter().map(|source| format!("{}={}", source.name(), source.url)).collect(),
        listen: Some(listen),
        access: args.access.clone(),
        ..ConfigArgs::default()
    };
    Ok(Config { is_demo: true, ..Config::load(&given)? })
}

/// Prints a line on stdout. A reader that went away is no error.
fn print_line(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
