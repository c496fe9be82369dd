//! The daemon: a loop a source, the one writer, and the server, from the start to a clean stop.

use std::{net::TcpListener, time::Duration};

use actix_web::{HttpServer, dev::Server, web::Data};
use anyhow::{Context as _, Result, anyhow};
use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_http_common::{STOP_SECONDS, announce, prepare_connection};

use crate::{
    app::App,
    config::{Config, UploadsConfig},
    poll::{Context, PollManager, Statuses},
    progress::Progress,
    readers::Readers,
    start::{Started, StartedUploads, start},
    uploads::{UploadSource, Uploads, track},
    web::router,
    writer::WriterThread,
};

/// Threads that answer requests; the database is read on others.
const WORKERS: usize = 2;
/// How long a stop waits for the writer once all else has ended. A large version that is being applied then is broken off
/// with the process, which costs nothing but time.
const LAST_WRITE: Duration = Duration::from_millis(1_200);

/// Polls all sources and serves the form and the API until `shutdown` is cancelled. `announces`: print the ready line.
///
/// # Errors
/// Another master holds the database; the database, the spool or the listener fails; the writer has broken off.
pub async fn run(config: Config, listener: TcpListener, announces: bool, shutdown: CancellationToken) -> Result<()> {
    let token = config.access.token()?;
    let address = listener.local_addr().context("failed to ask where the server listens")?;
    let progress = Progress::hidden();
    let started = tokio::select! {
        started = start(&config, "master", &progress) => started?,
        // Nothing was begun that the next start would not begin anew.
        () = shutdown.cancelled() => return Ok(()),
    };
    let Started { context, writer_thread, polls, uploads } = started;
    let (writer, statuses) = (context.writer.clone(), Statuses::new(polls.iter().map(|poll| poll.name())));
    let (readers, loops) =
        (Readers::new(config.database.clone()), PollManager::new(config.poll_interval, &statuses, &shutdown));
    let uploads = take_up(uploads, &config.uploads, &readers, context, (&loops, &shutdown));
    let shared = (readers, writer.clone(), statuses, uploads.clone());
    let admission = Admission::new(token, config.allowed_hosts).listening_on(&config.listen);
    let app = Data::new(App::new(shared, config.reports, admission, shutdown.clone()));
    let server = serve(app, listener)?;
    let handle = server.handle();
    polls.into_iter().for_each(|poll| loops.add(poll));
    loops.spawn(track(uploads));
    tracing::info!(%address, sources = config.sources.len(), "the form and the API are on http://{address}");
    if announces {
        announce(address);
    }
    let stop = async {
        shutdown.cancelled().await;
        handle.stop(true).await;
    };
    let served = tokio::select! {
        served = server => served.context("the server failed"),
        () = stop => Ok(()),
        // A master that cannot write is better started anew than looked at.
        () = writer.broken() => Err(anyhow!("the writer has broken off; this is a defect, and the log says where")),
    };
    shutdown.cancel();
    drop(writer);
    loops.stopped().await;
    finish(writer_thread).await;
    served
}

/// The uploads, of which those go on that an earlier process has received.
fn take_up(
    StartedUploads { shelf, source, local, is_polled, queued }: StartedUploads,
    config: &UploadsConfig,
    readers: &Readers,
    context: Context,
    (loops, shutdown): (&PollManager, &CancellationToken),
) -> Uploads {
    let connections = (readers.clone(), context.writer.clone());
    let source = UploadSource::new((source, local), context, loops.clone(), is_polled);
    Uploads::new((shelf, config), connections, source, queued, shutdown.clone())
}

fn serve(app: Data<App>, listener: TcpListener) -> Result<Server> {
    let server = HttpServer::new(move || router::app(app.clone()))
        .workers(WORKERS)
        .on_connect(prepare_connection)
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals()
        .listen(listener)
        .context("failed to use the listener")?;
    Ok(server.run())
}

/// Waits for the last write, but not long.
async fn finish(writer_thread: WriterThread) {
    let joined = tokio::task::spawn_blocking(|| writer_thread.join());
    match tokio::time::timeout(LAST_WRITE, joined).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::error!("{error:#}"),
        Ok(Err(error)) => tracing::error!("the stop failed: {error}"),
        Err(_) => tracing::warn!("stopped while a large version was being applied; the next start applies it"),
    }
}
