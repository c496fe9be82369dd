//! The HTTP entrance, from a bound listener to its end.

use std::{net::TcpListener, sync::Arc};

use actix_web::web::Data;
use anyhow::{Context, Result};
use tributary_admission::Admission;
use tributary_config::Config;
use tributary_engine::Engine;
use tributary_http_common::{Renewal, keep_free};
use tributary_object_storage::ObjectStorage;
use tributary_tls::PairInForce;

use super::{App, input::limit_bodies};
use crate::http::server::router;

/// Serves the form and the API until the engine stops, and renews tokens and certificate for all entrances.
///
/// # Errors
/// The certificate or the listener cannot be used; the server fails.
pub(crate) async fn serve(
    engine: Engine,
    config: &Config,
    listener: TcpListener,
    admission: Admission,
    pair: Option<PairInForce>,
    storage: Option<Arc<ObjectStorage>>,
) -> Result<()> {
    let renewal = Renewal::new(config.access.clone(), admission.tokens(), pair.clone());
    let shutdown = engine.shutdown().clone();
    let app = App::new(engine, admission, config.compat.clone(), config.limits.followers);
    let app = App { is_demo: config.is_demo, storage, public_url: config.public_url.clone(), ..app };
    limit_bodies(config.limits.bodies, config.patience);
    keep_free(config.keep_free);
    let app = Data::new(app);
    let shared = app.clone();
    let build = move || router::app(app.clone());
    let server = tributary_http_common::serve(build, listener, pair.as_ref(), config.patience)?;
    let handle = server.handle();
    let stop = async {
        shutdown.cancelled().await;
        tributary_http_common::stop(&handle).await;
    };
    tokio::select! {
        served = server => served.context("the server failed"),
        () = stop => Ok(()),
        renewed = renewal.follow() => renewed,
        () = shared.socketio.run(&shared.engine) => Ok(()),
    }
}
