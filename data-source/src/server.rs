//! Runs the server, from the first scan to a clean stop.

use std::net::TcpListener;

use actix_web::web;
use anyhow::{Context, anyhow};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use tributary_folder_watch::{Filter, Folder, Options, State};
use tributary_http_common::{Renewal, announce, scheme};

use crate::{
    config::Config,
    http::{app::App, router},
    left_out::sentence,
};

/// Serves until `shutdown` is cancelled. Held requests are answered then, and transfers under way get three seconds.
///
/// # Errors
/// The folder does not exist or is not a folder, or the listener cannot be used.
pub async fn run(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = listener.local_addr().context("failed to get the listening address")?;
    let (selection, formats) = (config.selection, config.formats.clone());
    let options = Options {
        settle: config.settle,
        max_settle: config.max_settle,
        rescan: config.rescan,
        skip_notes: true,
        filter: Filter::new(move |path| selection.contains(path)),
        workbooks: Filter::new(move |path| formats.reads_sheet(path)),
        formats: config.formats.specs().cloned().collect(),
    };
    let renewal = Renewal::new(config.access, config.admission.tokens(), config.pair.clone());
    let is_encrypted = config.pair.is_some();
    let folder = Folder::watch(&config.dir, options)?;
    let (patience, report_memory) = (config.patience, config.report_memory);
    let (mut watched, mut state) = (folder.state(), folder.state());
    let app = App::new(folder, config.name, config.formats, config.admission, shutdown.clone());
    let app = web::Data::new(app.with_report_memory(report_memory).with_patience(patience));
    let shared = app.clone();
    let server =
        tributary_http_common::serve(move || router::app(shared.clone()), listener, config.pair.as_ref(), patience)?;
    info!(%address, "serving `{}` on {}://{address}", config.dir.display(), scheme(is_encrypted));
    let handle = server.handle();
    let stop = async {
        tokio::select! {
            _ = state.wait_for(|state| matches!(state, State::Ready(_))) => {
                app.set_scanned();
                warn_of_no_files(&app);
                if config.announce {
                    announce(address, is_encrypted);
                }
            }
            () = shutdown.cancelled() => {}
        }
        shutdown.cancelled().await;
        tributary_http_common::stop(&handle).await;
    };
    tokio::select! {
        served = server => served.context("the server failed"),
        () = stop => Ok(()),
        renewed = renewal.follow() => renewed,
        // No answer is better than an answer about a folder that nobody watches.
        () = async { while watched.changed().await.is_ok() {} } => Err(anyhow!("the folder is no longer watched")),
    }
}

/// A folder that offers nothing is most often a wrong folder, or one of names that nobody expects.
fn warn_of_no_files(app: &App) {
    let Ok(snapshot) = app.snapshot() else { return };
    if snapshot.entries.is_empty() && snapshot.unreadable.is_empty() {
        warn!("no file is offered: {}", sentence(&snapshot.left_out));
    }
}
