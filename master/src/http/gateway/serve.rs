//! The gateway from its port to its routes.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, Error, Resource, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{HttpServiceFactory, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::{Next, from_fn},
    web::{self, Data},
};
use anyhow::{Context, Result};
use tokio::{runtime::Handle, time::timeout};
use tokio_util::task::TaskTracker;
use tributary_admission::Admission;
use tributary_config::{Config, Origins};
use tributary_engine::{Engine, OnlyReads};
use tributary_http_common::{Answering, catch_panic, complete, paced};
use tributary_tls::PairInForce;

use super::{
    admit::{cors, guard},
    download,
    jobs::Jobs,
    refusal::Refusal,
    status, upload,
};
use crate::sales::Streams;

/// Time that totals have to be written in when the master stops.
const FINISH_TIME: Duration = Duration::from_secs(1);

/// State that all requests share.
pub(super) struct Gateway {
    pub(super) streams: Arc<Streams>,
    pub(super) jobs: Jobs,
    pub(super) admission: Admission,
    /// Sites whose pages may ask.
    pub(super) origins: Origins,
    /// The time over which a client must keep the least speed on average.
    pub(super) patience: Duration,
    /// Jobs whose clients know of them, and whose totals are not written yet.
    pub(super) finishing: TaskTracker,
    /// Threads for these: those that answer end with the server.
    pub(super) runtime: Handle,
}

/// Takes the port; `None` if there is no gateway.
///
/// # Errors
/// The address cannot be listened on, or would let in everybody.
pub(crate) fn bind(config: &Config) -> Result<Option<TcpListener>> {
    let Some(listen) = &config.sales_gateway.listen else { return Ok(None) };
    tributary_http_common::bind(listen, &config.access).context("--sales-gateway").map(Some)
}

/// Serves requests until the engine stops. Without streams every request is refused.
///
/// # Errors
/// The certificate or the listener cannot be used; the server fails.
pub(crate) async fn serve(
    (engine, streams): (Engine, Option<Arc<Streams>>),
    config: &Config,
    listener: TcpListener,
    admission: Admission,
    pair: Option<PairInForce>,
) -> Result<()> {
    let Some(streams) = streams else { return refuse(&engine, config, listener, pair).await };
    let address = listener.local_addr().context("failed to ask where the sales gateway listens")?;
    let shutdown = engine.shutdown().clone();
    let origins = config.sales_gateway.origins.clone();
    let gateway = Data::new(Gateway {
        streams,
        jobs: Jobs::default(),
        admission,
        origins,
        patience: config.patience,
        finishing: TaskTracker::new(),
        runtime: Handle::current(),
    });
    let finishing = gateway.finishing.clone();
    let build = move || {
        App::new()
            .app_data(gateway.clone())
            .configure(routes)
            .default_service(web::to(async || Refusal::new(StatusCode::NOT_FOUND, "Not Found").error_response()))
            .wrap(from_fn(guard))
            .wrap(cors(&gateway.origins))
            .wrap(from_fn(around))
    };
    let server = tributary_http_common::serve(build, listener, pair.as_ref(), config.patience)?;
    let handle = server.handle();
    tracing::info!(%address, "the sales gateway is on {address}");
    let served = tokio::select! {
        served = server => served.context("the server of the sales gateway failed"),
        () = async { shutdown.cancelled().await; tributary_http_common::stop(&handle).await } => Ok(()),
    };
    finishing.close();
    // What takes longer is as if the master had been killed.
    let _ = timeout(FINISH_TIME, finishing.wait()).await;
    served
}

/// Refuses every request until the engine stops: the master is a standby, and takes over at this very port.
async fn refuse(engine: &Engine, config: &Config, listener: TcpListener, pair: Option<PairInForce>) -> Result<()> {
    let shutdown = engine.shutdown().clone();
    let origins = config.sales_gateway.origins.clone();
    let build = move || {
        let refusal = async || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, OnlyReads.to_string()).error_response();
        App::new().default_service(web::to(refusal)).wrap(cors(&origins)).wrap(from_fn(around))
    };
    let server = tributary_http_common::serve(build, listener, pair.as_ref(), config.patience)?;
    let handle = server.handle();
    tokio::select! {
        served = server => served.context("the server of the sales gateway failed"),
        () = async { shutdown.cancelled().await; tributary_http_common::stop(&handle).await } => Ok(()),
    }
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("GET", web::resource("/").route(web::get().to(status::root))))
        .service(resource("POST", web::resource("/upload").route(web::post().to(upload::post))))
        .service(resource("GET", web::resource("/status/{job_id}").route(web::get().to(status::get))))
        .service(resource("GET", web::resource("/download/{file}").route(web::get().to(download::get))));
}

/// Completes a path with its routes. Other methods get 405 with `allowed` in `Allow`.
fn resource(allowed: &'static str, routes: Resource) -> impl HttpServiceFactory + 'static {
    routes
        .default_service(web::to(move || async move { Refusal::method(allowed).error_response() }))
        .wrap(from_fn(without_panic))
}

async fn without_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let failed = || Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error").into();
    catch_panic(request, next, failed).await
}

/// Reads and answers at the client's pace.
async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answering = Answering::begin(&mut request);
    let response = next.call(request).await?.map_into_boxed_body();
    let busy = |request| {
        let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many clients take an answer; try again later");
        ServiceResponse::from_err(refusal, request)
    };
    let mut response = paced(response, answering).unwrap_or_else(busy);
    complete(&mut response);
    Ok(response)
}
