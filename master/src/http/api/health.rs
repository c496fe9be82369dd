//! `/healthz`, `/readyz` and `/metrics`: liveness, readiness, and Prometheus text (format 0.0.4).

use std::sync::atomic::AtomicU64;

use actix_web::{HttpResponse, Responder, http::header::ContentType, web};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tributary_engine::{SourceState, SourceStatus};
use tributary_http_common::{add_gauge, exposition};

use crate::http::server::{App, error::ApiError};

/// Needs no token, like [`READYZ`], so that any supervisor can check the server.
pub(crate) const HEALTHZ: &str = "/healthz";
/// See [`HEALTHZ`].
pub(crate) const READYZ: &str = "/readyz";

/// Answers as long as the server runs.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "The server runs")))]
pub(crate) async fn healthz() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// Answers 200 once every source was tried.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "The database is set up and every source was tried once"),
    (status = 503, description = "Not yet"),
))]
pub(crate) async fn readyz(app: web::Data<App>) -> impl Responder {
    let (mut response, text) = match app.engine.is_ready() {
        true => (HttpResponse::Ok(), "ready\n"),
        false => (HttpResponse::ServiceUnavailable(), "not every source was tried yet\n"),
    };
    response.content_type(ContentType::plaintext()).body(text)
}

/// Counts since the start, and the current size of the database.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content((String = "text/plain")), description = "Prometheus text")))]
pub(crate) async fn metrics(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let tally = app.engine.tally().await?;
    let mut registry = Registry::default();
    add_gauge(&mut registry, "tributary_products", "Rows of products", tally.products);
    add_gauge(&mut registry, "tributary_names", "Rows of aggr", tally.names);
    let busy = app.engine.writing().map_or(0.0, |(_, since)| since.as_secs_f64());
    add_gauge(&mut registry, "tributary_writer_busy_seconds", "How long the job being written has taken", busy);
    sources(&mut registry, &app.engine.health());
    app.engine.register_metrics(&mut registry);
    app.requests.register(&mut registry);
    Ok(exposition(registry))
}

fn sources(registry: &mut Registry, all: &[(String, SourceStatus)]) {
    let up = family(all, |gauge: &Gauge, status| {
        gauge.set(status.state.is_some_and(|state| state != SourceState::Down).into());
    });
    registry.register("tributary_source_up", "1 if the last pass over the source succeeded", up);
    let held = family(all, |gauge: &Gauge, status| {
        gauge.set(i64::from(status.state == Some(SourceState::Held)));
    });
    registry.register("tributary_source_held", "1 if a version of the source waits for a person", held);
    let rejected = family(all, |gauge: &Gauge, status| {
        gauge.set(i64::from(status.state == Some(SourceState::Rejected)));
    });
    let help = "1 if a file of the source is rejected, or more of its rows are than are not";
    registry.register("tributary_source_rejected", help, rejected);
    let good = family(all, |counter: &Counter, status| {
        counter.inc_by(status.good);
    });
    registry.register("tributary_source_answers", "Answers of the source, with or without changes", good);
    let failed = family(all, |counter: &Counter, status| {
        counter.inc_by(status.failed);
    });
    registry.register("tributary_source_failures", "Passes over the source that failed", failed);
    let took = family(all, |gauge: &Gauge<f64, AtomicU64>, status| {
        gauge.set(status.took.as_secs_f64());
    });
    registry.register("tributary_source_pass_seconds", "How long the last pass over the source took", took);
}

/// One metric per source, set from its status.
fn family<M: Clone + Default>(
    all: &[(String, SourceStatus)],
    set: impl Fn(&M, &SourceStatus),
) -> Family<[(&'static str, String); 1], M> {
    let family = Family::default();
    for (source, status) in all {
        set(&family.get_or_create(&[("source", source.clone())]), status);
    }
    family
}
