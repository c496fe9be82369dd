//! `/healthz` and `/metrics`: liveness, and counters as Prometheus text (format 0.0.4).

use std::fmt::Write;

use actix_web::{HttpResponse, Responder, http::header::ContentType, web};

use crate::http::app::App;

/// Needs no token, so that any supervisor can check liveness.
pub(crate) const HEALTHZ: &str = "/healthz";

/// Answers as long as the server runs.
pub(crate) async fn healthz() -> impl Responder {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("ok\n")
}

/// Counters since the start, and the current size of the folder.
pub(crate) async fn metrics(app: web::Data<App>) -> impl Responder {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text(&app))
}

fn text(app: &App) -> String {
    let mut out = String::new();
    let snapshot = app.snapshot().ok();
    let mut add = |name: &str, kind: &str, help: &str, value: u64| {
        // Writing to a string cannot fail.
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    };
    add("tributary_source_readable", "gauge", "1 if the folder can be read.", snapshot.is_some().into());
    if let Some(snapshot) = snapshot {
        add("tributary_source_files", "gauge", "Files in the manifest.", snapshot.entries.len() as u64);
        let unreadable = snapshot.unreadable.len() as u64;
        add("tributary_source_unreadable", "gauge", "Files and folders that cannot be read.", unreadable);
        add("tributary_source_bytes", "gauge", "Bytes of the files in the manifest.", snapshot.bytes());
    }
    let counts = app.folder.counts();
    add("tributary_source_scans_total", "counter", "Scans of the whole folder.", counts.scans);
    add("tributary_source_hashed_bytes_total", "counter", "Bytes hashed.", counts.hashed_bytes);
    let computations = &app.computations;
    add("tributary_source_partials_total", "counter", "Partials computed from a file.", computations.computed());
    add(
        "tributary_source_partials_kept_total",
        "counter",
        "Partials sent again without computing them.",
        computations.sent_again(),
    );
    let name = "tributary_http_requests_total";
    let _ = write!(out, "# HELP {name} Responses sent.\n# TYPE {name} counter\n");
    for ((route, status), count) in app.requests() {
        let _ = writeln!(out, "{name}{{route=\"{route}\",status=\"{status}\"}} {count}");
    }
    out
}
