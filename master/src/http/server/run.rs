//! The HTTP entrance, from a bound listener to its end.

use std::net::TcpListener;

use actix_web::{HttpServer, rt::net::TcpStream, web::Data};
use anyhow::{Context, Result};
use tributary_config::Config;
use tributary_engine::Engine;
use tributary_http_common::STOP_SECONDS;

use super::App;
use crate::http::server::router;

/// Threads that answer requests; the database is read on others.
const WORKERS: usize = 2;

/// Serves the form and the API until the engine stops.
///
/// # Errors
/// The token file or the listener cannot be used; the server fails.
pub(crate) async fn serve(engine: Engine, config: &Config, listener: TcpListener) -> Result<()> {
    let token = config.access.token()?;
    let address = listener.local_addr().context("failed to ask where the server listens")?;
    let mut hosts = config.allowed_hosts.clone();
    // The host name that it was asked to listen on is one of its own.
    hosts.extend(config.listen.rsplit_once(':').map(|(host, _)| host.to_owned()));
    let shutdown = engine.shutdown().clone();
    let app = Data::new(App::new(engine, address, token, hosts));
    let server = HttpServer::new(move || router::app(app.clone()))
        .workers(WORKERS)
        // Where the server listens on every address, this is the one that the client has asked.
        .on_connect(|connection, data| {
            if let Some(address) = connection.downcast_ref::<TcpStream>().and_then(|tcp| tcp.local_addr().ok()) {
                data.insert(address);
            }
        })
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals()
        .listen(listener)
        .context("failed to use the listener")?
        .run();
    let handle = server.handle();
    let stop = async {
        shutdown.cancelled().await;
        handle.stop(true).await;
    };
    tokio::select! {
        served = server => served.context("the server failed"),
        () = stop => Ok(()),
    }
}
