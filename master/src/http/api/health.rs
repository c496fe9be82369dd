//! `/healthz`, `/readyz` and `/metrics`: liveness, readiness, and Prometheus text (format 0.0.4).

use std::{sync::atomic::AtomicU64, time::UNIX_EPOCH};

use actix_web::{HttpResponse, Responder, http::header::ContentType, web};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tributary_config::ReportConfig;
use tributary_engine::{
    ActiveMaster, Engine, ExportState, ExportStatus, MasterRole, QueueRole, QueueRow, ReportState, ReportSummary,
    SourceState, SourceStatus, WriteOutage,
};
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

/// Answers 200 once every source was tried, as long as the database can be written. A broker that is away is named, but is no reason for another answer.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "The database is set up and every source was tried once; or `standby` or `reader`, and which master is active"),
    (status = 503, description = "Not yet, or the database cannot be written: its disk is full or fails, or it is read-only or locked"),
))]
pub(crate) async fn readyz(app: web::Data<App>) -> impl Responder {
    if !app.engine.is_active() {
        return reading(&app.engine);
    }
    let (mut response, text) = match (app.engine.unwritable(), app.engine.is_ready()) {
        (Some(WriteOutage { since, reason, .. }), _) => {
            (HttpResponse::ServiceUnavailable(), format!("the database cannot be written: {reason} (since {since})\n"))
        }
        (None, true) => (HttpResponse::Ok(), "ready\n".to_owned()),
        (None, false) => (HttpResponse::ServiceUnavailable(), untried(&app.engine.health())),
    };
    let queues = app.engine.queues();
    let broker = queues.iter().find_map(|queue| Some((queue, queue.error.as_ref()?))).map(|(queue, why)| {
        let kind = if queue.role == QueueRole::Operations.as_str() { "messages" } else { queue.role.as_str() };
        format!("no {kind}: {why}\n")
    });
    response.content_type(ContentType::plaintext()).body(text + &broker.unwrap_or_default())
}

/// The readiness of a master that only reads, and which one is active.
fn reading(engine: &Engine) -> HttpResponse {
    let role = engine.role().as_str();
    let (mut response, text) = match engine.unreadable() {
        Some(why) => (HttpResponse::ServiceUnavailable(), format!("{role}: waiting for the database, {why}\n")),
        None => (HttpResponse::Ok(), format!("{role}\n")),
    };
    let active = match engine.active_master() {
        Some(ActiveMaster { public_url: Some(url), .. }) => format!("active: {url}\n"),
        Some(ActiveMaster { holder: Some(holder), .. }) => format!("active: {holder}\n"),
        _ => "active: none\n".to_owned(),
    };
    response.content_type(ContentType::plaintext()).body(text + &active)
}

/// Words for sources that were not tried yet, without their names: this is told without a token.
fn untried(all: &[(String, SourceStatus)]) -> String {
    let waits: Vec<&SourceStatus> =
        all.iter().map(|(_, status)| status).filter(|status| status.state.is_none()).collect();
    let passes = waits.iter().filter_map(|status| status.running());
    let first = passes.min_by_key(|pass| std::cmp::Reverse(pass.elapsed()));
    let busy = first.map(|pass| format!("; {} one of them since {}", pass.phase, pass.since)).unwrap_or_default();
    format!("not every source was tried yet: {} of {} are left{busy}\n", waits.len(), all.len())
}

/// Counts since the start, and the current size of the database.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content((String = "text/plain")), description = "Prometheus text")))]
pub(crate) async fn metrics(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let tally = app.engine.tally().await?;
    let mut registry = Registry::default();
    add_gauge(&mut registry, "tributary_products", "Rows of products", tally.products);
    add_gauge(&mut registry, "tributary_names", "Rows of aggr", tally.names);
    role(&mut registry, app.engine.role());
    let busy = app.engine.writing().map_or(0.0, |(_, since)| since.as_secs_f64());
    add_gauge(&mut registry, "tributary_writer_busy_seconds", "How long the job being written has taken", busy);
    add_gauge(&mut registry, "tributary_socketio_clients", "Clients of Socket.IO", app.socketio.clients() as f64);
    let writable = f64::from(u8::from(app.engine.unwritable().is_none()));
    if app.engine.is_active() {
        add_gauge(
            &mut registry,
            "tributary_writable",
            "1 if the database can be written, as far as is known",
            writable,
        );
    }
    sources(&mut registry, &app.engine.health());
    reports(&mut registry, &app.engine.report_summaries().await?);
    queues(&mut registry, &app.engine.queues());
    exports(&mut registry, &app.engine.exports());
    app.engine.register_metrics(&mut registry);
    app.requests.register(&mut registry);
    Ok(exposition(registry))
}

/// One series per role, each 0 or 1.
fn role(registry: &mut Registry, own: MasterRole) {
    let family = Family::<[(&'static str, String); 1], Gauge>::default();
    for role in MasterRole::ALL {
        family.get_or_create(&[("role", role.as_str().to_owned())]).set((role == own).into());
    }
    registry.register("tributary_master_role", "1 for the role that this master has", family);
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
    let running = family(all, |gauge: &Gauge<f64, AtomicU64>, status| {
        gauge.set(status.running().map_or(0.0, |pass| pass.elapsed().as_secs_f64()));
    });
    let help = "How long the pass that is under way over the source has taken; 0 if none is";
    registry.register("tributary_source_running_seconds", help, running);
    registry.register("tributary_source_pass_seconds", "How long the last pass over the source took", took);
    let slow = family(all, |gauge: &Gauge<f64, AtomicU64>, status| {
        gauge.set(status.slow().map_or(0.0, |pass| pass.elapsed().as_secs_f64()));
    });
    let help = "tributary_source_running_seconds once it is more than 10, so that the source is slow; else 0";
    registry.register("tributary_source_slow_seconds", help, slow);
}

/// One metric per state of reports, each 0 or 1.
fn reports(registry: &mut Registry, all: &[(ReportConfig, ReportSummary)]) {
    if all.is_empty() {
        return;
    }
    let states = [
        (ReportState::Computing, "tributary_report_computing", "1 if the report was not computed over all sources yet"),
        (ReportState::Failed, "tributary_report_failed", "1 if the report could not be brought up to date"),
        (ReportState::Rejected, "tributary_report_rejected", "1 if a file of the report is rejected"),
    ];
    for (state, name, help) in states {
        let family = Family::<[(&'static str, String); 1], Gauge>::default();
        for (report, summary) in all {
            family.get_or_create(&[("report", report.name.clone())]).set((summary.state == state).into());
        }
        registry.register(name, help, family);
    }
}

fn queues(registry: &mut Registry, all: &[QueueRow]) {
    if all.is_empty() {
        return;
    }
    let gauges = |value: fn(&QueueRow) -> Option<i64>| {
        let family = Family::<[(&'static str, String); 1], Gauge>::default();
        for queue in all {
            if let Some(value) = value(queue) {
                family.get_or_create(&[("queue", queue.name.clone())]).set(value);
            }
        }
        family
    };
    let up = gauges(|queue| Some(i64::from(queue.error.is_none() && queue.ready.is_some())));
    registry.register(
        "tributary_queue_up",
        "1 if the broker has shown the queue at the last look and takes messages",
        up,
    );
    let ready = gauges(|queue| queue.ready);
    registry.register("tributary_queue_messages_ready", "Messages that wait in the queue", ready);
    let in_hand = gauges(|queue| queue.unacknowledged);
    registry.register("tributary_queue_messages_unacknowledged", "Messages that the master has in hand", in_hand);
    let aside = Family::<[(&'static str, String); 1], Counter>::default();
    for queue in all.iter().filter(|queue| queue.unacknowledged.is_some()) {
        aside.get_or_create(&[("queue", queue.name.clone())]).inc_by(queue.set_aside.unsigned_abs());
    }
    registry.register("tributary_queue_dead_letters", "Messages that can never be used, since the start", aside);
}

fn exports(registry: &mut Registry, all: &[ExportStatus]) {
    if all.is_empty() {
        return;
    }
    let failed = Family::<[(&'static str, String); 1], Gauge>::default();
    let written = Family::<[(&'static str, String); 1], Counter>::default();
    let failures = Family::<[(&'static str, String); 1], Counter>::default();
    let written_at = Family::<[(&'static str, String); 1], Gauge<f64, AtomicU64>>::default();
    for export in all {
        let label = [("export", export.name.clone())];
        failed.get_or_create(&label).set((export.state == ExportState::Failed).into());
        written.get_or_create(&label).inc_by(export.written);
        failures.get_or_create(&label).inc_by(export.failed);
        let at = export.written_at.as_deref().and_then(|at| humantime::parse_rfc3339_weak(at).ok());
        if let Some(at) = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
            written_at.get_or_create(&label).set(at.as_secs_f64());
        }
    }
    registry.register("tributary_export_failed", "1 if the export cannot be written to S3 or its folder", failed);
    registry.register("tributary_export_writes", "Times that the export was written since the start", written);
    registry.register("tributary_export_failures", "Times that writing the export failed since the start", failures);
    let help = "When the export was last written, in seconds since 1970";
    registry.register("tributary_export_written_timestamp_seconds", help, written_at);
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
