//! `/healthz`, `/readyz` and `/metrics`: whether the master lives, whether it has begun its work, and what it has done, as
//! Prometheus text (format 0.0.4).

use std::fmt::Write;

use actix_web::{HttpResponse, Responder, http::header::ContentType, web};
use tributary_engine::{SourceState, SourceStatus};

use crate::http::server::{App, error::ApiError};

/// These two need no token, so that whoever starts the server can ask.
pub(crate) const HEALTHZ: &str = "/healthz";
/// See [`HEALTHZ`].
pub(crate) const READYZ: &str = "/readyz";

/// Answers as long as there is anyone to answer.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It lives")))]
pub(crate) async fn healthz() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// Whether every source was tried once.
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

/// Counts since the master began, and what the database holds now.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content((String = "text/plain")), description = "Prometheus text")))]
pub(crate) async fn metrics(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let tally = app.engine.tally().await?;
    let mut out = String::new();
    gauge(&mut out, "tributary_products", "Rows of products.", tally.products as f64);
    gauge(&mut out, "tributary_names", "Rows of aggr.", tally.names as f64);
    let busy = app.engine.writing().map_or(0.0, |(_, since)| since.as_secs_f64());
    gauge(&mut out, "tributary_writer_busy_seconds", "How long the job that is being written has taken.", busy);
    sources(&mut out, &app);
    head(&mut out, "tributary_http_requests_total", "counter", "Requests answered.");
    for ((route, method, status), count) in app.requests() {
        let route = label(&route);
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        line(&mut out, "tributary_http_requests_total", &labels, count as f64);
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(out))
}

fn sources(out: &mut String, app: &App) {
    let all = app.engine.health();
    let each = |out: &mut String, name: &str, value: fn(&SourceStatus) -> f64| {
        for (source, status) in &all {
            line(out, name, &format!("source=\"{}\"", label(source)), value(status));
        }
    };
    head(out, "tributary_source_up", "gauge", "1 if the last pass over the source succeeded.");
    each(out, "tributary_source_up", |status| f64::from(status.state.is_some_and(|state| state != SourceState::Down)));
    head(out, "tributary_source_answers_total", "counter", "Answers of the source, with changes or without.");
    each(out, "tributary_source_answers_total", |status| status.good as f64);
    head(out, "tributary_source_failures_total", "counter", "Passes over the source that failed.");
    each(out, "tributary_source_failures_total", |status| status.failed as f64);
    head(out, "tributary_source_pass_seconds", "gauge", "How long the last pass over the source took.");
    each(out, "tributary_source_pass_seconds", |status| status.took.as_secs_f64());
}

// Writing to a string cannot fail, so the results are let go of below.

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(out: &mut String, name: &str, labels: &str, value: f64) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

fn gauge(out: &mut String, name: &str, help: &str, value: f64) {
    head(out, name, "gauge", help);
    let _ = writeln!(out, "{name} {value}");
}

/// A label's value, escaped as the format asks.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
