//! `POST /aggregate`: the partial result of a report for one file, as lines of JSON.

use std::io;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web,
};
use tributary_format_rules::{bounded, file_format};
use tributary_http_common::{TempFile, plain};
use tributary_protocol::{Aggregate, BodyDigest, CONTENT_DIGEST};
use tributary_report::{ReportPlan, Room, SpillFile};

use crate::{
    http::{app::App, body::read_body, error::ApiError},
    partials::PartialJob,
};

/// Longest body of a request.
const MAX_REQUEST_BYTES: usize = 256 << 10;

/// Computes the partial of one file of the manifest, or sends the one that is kept.
pub(crate) async fn aggregate(
    request: HttpRequest,
    app: web::Data<App>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let body = read_body(body, MAX_REQUEST_BYTES).await?;
    let announced = request.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
    if announced.is_some_and(|announced| !BodyDigest::of(&body).is(announced)) {
        return Err(ApiError::BadRequest(
            "the body changed on the way: it does not match its Content-Digest".to_owned(),
        ));
    }
    let asked: Aggregate = serde_json::from_slice(&body).map_err(|why| {
        ApiError::BadRequest(format!("the body is not a request for a partial: {}", plain(&why.to_string())))
    })?;
    if asked.format != tributary_report::partial_format() {
        return Err(ApiError::OtherFormat { ours: tributary_report::partial_format() });
    }
    let plan = ReportPlan::compile(&asked.report)?.within(Room::new(app.computations.room(), spill_file));
    let entry = app.entry(&asked.path)?;
    if entry.hash != asked.hash {
        return Err(ApiError::Changed { path: asked.path });
    }
    let own = app.formats.spec(&asked.path);
    let spec = asked.settings.map_or_else(|| own.clone(), |settings| bounded(settings, &own));
    let format = file_format(&spec).map_err(|why| ApiError::BadRequest(format!("the settings cannot work: {why}")))?;
    let job = PartialJob {
        computations: app.computations.clone(),
        folder: app.folder.clone(),
        entry,
        plan,
        spec,
        format,
        // Callers who do not ask may know no such line.
        adds_digest: request.query_string().split('&').any(|parameter| parameter == "digest=1"),
        shutdown: app.shutdown.clone(),
    };
    let answer = match job.found() {
        Some(answer) => answer,
        None => {
            let place = job.computations.admit().ok_or_else(too_many)?;
            // A caller that waits for long could not tell this source from one that only pretends to compute.
            let turn = job.computations.turn().await.ok_or_else(too_many)?;
            job.begin([place, turn])
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, "application/x-ndjson")).insert_header((CACHE_CONTROL, "no-store"));
    // A slow caller holds neither a thread nor a place.
    Ok(response.streaming(answer.stream()))
}

fn spill_file() -> io::Result<Box<dyn SpillFile>> {
    Ok(Box::new(TempFile::new()))
}

fn too_many() -> ApiError {
    ApiError::Unavailable("too many partials are being computed; ask again in a moment".to_owned())
}
