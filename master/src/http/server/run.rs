//! The HTTP entrance, from a bound listener to its end.

use std::net::TcpListener;

use actix_web::{HttpServer, web::Data};
use anyhow::{Context, Result};
use tributary_admission::Admission;
use tributary_config::Config;
use tributary_engine::Engine;
use tributary_http_common::{Renewal, STOP_SECONDS, keep_free, prepare_connection};
use tributary_tls::PairInForce;

use super::{App, input::limit_bodies};
use crate::http::server::router;

/// Threads that answer requests; the database is read on others.
const WORKERS: usize = 2;

/// Serves the form and the API until the engine stops.
///
/// # Errors
/// The token file, the certificate or the listener cannot be used; the server fails.
pub(crate) async fn serve(engine: Engine, config: &Config, listener: TcpListener) -> Result<()> {
    let admission = Admission::new(config.access.tokens()?, config.allowed_hosts.clone()).listening_on(&config.listen);
    let pair = PairInForce::read(&config.tls)?;
    let admission = if pair.is_some() { admission.over_https() } else { admission };
    let renewal = Renewal::new(config.access.clone(), admission.tokens(), pair.clone());
    let shutdown = engine.shutdown().clone();
    let app =
        App { is_demo: config.is_demo, ..App::new(engine, admission, config.compat.clone(), config.limits.followers) };
    limit_bodies(config.limits.bodies);
    keep_free(config.keep_free);
    let app = Data::new(app);
    let (shared, patience) = (app.clone(), config.patience);
    let server = HttpServer::new(move || router::app(app.clone()))
        .workers(WORKERS)
        .on_connect(prepare_connection(patience))
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals();
    let server = match pair {
        Some(pair) => server.listen_rustls_0_23(listener, pair.server()?),
        None => server.listen(listener),
    };
    let server = server.context("failed to use the listener")?.run();
    let handle = server.handle();
    let stop = async {
        shutdown.cancelled().await;
        handle.stop(true).await;
    };
    tokio::select! {
        served = server => served.context("the server failed"),
        () = stop => Ok(()),
        renewed = renewal.follow() => renewed,
        () = shared.socketio.run(&shared.engine) => Ok(()),
    }
}
