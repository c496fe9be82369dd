//! Serves one folder of CSV files over HTTP: what it holds (`/sense`), its bytes and rows (`/read`), as section 4 of the
//! contract says, and what reports make of them (`/aggregate`). It changes nothing in the folder and keeps nothing on disk.
#![warn(missing_docs)]

mod aggregate;
mod app;
pub mod cli;
mod conditions;
mod error;
mod handlers;
pub mod inspect;
mod partials;
mod router;

use std::{net::TcpListener, path::PathBuf, time::Duration};

use actix_web::{HttpServer, dev::Server, web};
use anyhow::{Context, anyhow};
use tokio_util::sync::CancellationToken;
use tracing::info;
use tributary_admission::Admission;
use tributary_folder_watch::{Folder, Options, State};
use tributary_http_common::{STOP_SECONDS, announce, prepare_connection};

use crate::app::App;

/// Threads that answer requests; files are read on others.
const WORKERS: usize = 2;

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder to serve.
    pub dir: PathBuf,
    /// The name that `/sense` gives.
    pub name: String,
    /// See [`Options::settle`].
    pub settle: Duration,
    /// See [`Options::rescan`].
    pub rescan: Duration,
    /// The rules that every request must pass; `/healthz` needs no token.
    pub admission: Admission,
    /// Whether to print `listening on http://ADDR:PORT` on stdout once the first scan is over; a program that runs the server
    /// inside itself wants its own words.
    pub announce: bool,
}

/// Serves until `shutdown` is cancelled; held requests are answered then, and
/// files under way get three seconds.
///
/// # Errors
/// When the folder is not there or no folder, or the listener cannot be used.
pub async fn run(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = listener.local_addr().context("failed to ask where the server listens")?;
    let options = Options { settle: config.settle, rescan: config.rescan };
    let folder = Folder::watch(&config.dir, options)?;
    let (mut watched, mut state) = (folder.state(), folder.state());
    let app = web::Data::new(App::new(folder, config.name, config.admission, shutdown.clone()));
    let ready = app.clone();
    let server = start(app, listener)?;
    info!(%address, "serving `{}` on http://{address}", config.dir.display());
    let handle = server.handle();
    let stop = async {
        tokio::select! {
            _ = state.wait_for(|state| matches!(state, State::Ready(_))) => {
                ready.first_scan_is_over();
                if config.announce {
                    announce(address);
                }
            }
            () = shutdown.cancelled() => {}
        }
        shutdown.cancelled().await;
        handle.stop(true).await;
    };
    tokio::select! {
        served = server => served.context("the server failed"),
        () = stop => Ok(()),
        // Rather no answers than answers about a folder that nobody watches.
        () = async { while watched.changed().await.is_ok() {} } => Err(anyhow!("the folder is no longer watched")),
    }
}

fn start(app: web::Data<App>, listener: TcpListener) -> anyhow::Result<Server> {
    let server = HttpServer::new(move || router::app(app.clone()))
        .workers(WORKERS)
        .on_connect(prepare_connection)
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals()
        .listen(listener)
        .context("failed to use the listener")?;
    Ok(server.run())
}
