//! `/healthz` and `/metrics`: liveness, and Prometheus text (format 0.0.4).

use std::time::Instant;

use actix_web::{HttpResponse, Responder, http::header::ContentType, web};
use prometheus_client::registry::Registry;
use tributary_http_common::{add_counter, add_gauge, exposition};

use crate::http::app::App;

/// Needs no token, so that any supervisor can check liveness.
pub(crate) const HEALTHZ: &str = "/healthz";

/// Answers as long as the server runs.
pub(crate) async fn healthz() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// Counters since the start, and the current size of the folder.
pub(crate) async fn metrics(app: web::Data<App>) -> impl Responder {
    let mut registry = Registry::default();
    let (add, snapshot) = (&mut registry, app.snapshot().ok());
    add_gauge(add, "tributary_source_readable", "1 if the folder can be read", u64::from(snapshot.is_some()));
    if let Some(snapshot) = snapshot {
        add_gauge(add, "tributary_source_files", "Files in the manifest", snapshot.entries.len());
        let unreadable = snapshot.unreadable.len();
        add_gauge(add, "tributary_source_unreadable", "Files and folders that cannot be read", unreadable);
        let partial = snapshot.entries.partial();
        let help = "Files that never rest and are offered up to their last complete record";
        add_gauge(add, "tributary_source_partial_files", help, partial);
        add_gauge(add, "tributary_source_bytes", "Bytes of the files in the manifest", snapshot.entries.bytes());
    }
    let (counts, partials) = (app.folder.counts(), &app.computations);
    add_counter(add, "tributary_source_scans", "Scans of the whole folder", counts.scans);
    add_counter(add, "tributary_source_hashed_bytes", "Bytes hashed", counts.hashed_bytes);
    let help = "Files that have long been changing and are not offered as they are";
    add_gauge(add, "tributary_source_waiting_files", help, counts.waiting_files);
    add_counter(add, "tributary_source_partials", "Partials computed from a file", partials.computed());
    let help = "Partials sent again without computing them";
    add_counter(add, "tributary_source_partials_kept", help, partials.sent_again());
    let valid = app.capabilities.count(Instant::now());
    add_gauge(add, "tributary_source_capabilities", "Capabilities that are valid", valid);
    app.requests.register(add);
    exposition(registry)
}
