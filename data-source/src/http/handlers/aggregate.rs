//! `POST /aggregate` and `POST /plain`: the partial result of a report for one file, and whether any CSV reader reads it alike, as lines of JSON.

use std::io;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web,
};
use serde::de::DeserializeOwned;
use tributary_format_rules::{bounded, file_format};
use tributary_http_common::TempFile;
use tributary_protocol::{Aggregate, AskPlain, BodyDigest, CONTENT_DIGEST, FormatSpec};
use tributary_report::{ReportPlan, Room, SpillFile};

use crate::{
    http::{app::App, body::object, error::ApiError},
    partials::{PartialJob, Question},
};

/// Longest body of a request.
const MAX_REQUEST_BYTES: usize = 256 << 10;

/// Computes the partial of one file of the manifest, or sends the one that is kept.
pub(crate) async fn aggregate(
    request: HttpRequest,
    app: web::Data<App>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let asked: Aggregate = asked(&request, &app, body, "a partial").await?;
    let plan =
        || ReportPlan::compile(&asked.report).map(|plan| plan.within(Room::new(app.computations.room(), spill_file)));
    check_format(&asked.format)?;
    let question = Question::Partial(Box::new(plan()?));
    // Callers who do not ask may know no such line.
    let adds_digest = request.query_string().split('&').any(|parameter| parameter == "digest=1");
    answer(&app, (&asked.path, &asked.hash), asked.settings, question, adds_digest).await
}

/// Tells whether any CSV reader reads one file of the manifest alike.
pub(crate) async fn plain(
    request: HttpRequest,
    app: web::Data<App>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let asked: AskPlain = asked(&request, &app, body, "what is known of a file").await?;
    check_format(&asked.format)?;
    answer(&app, (&asked.path, &asked.hash), asked.settings, Question::IsPlain, false).await
}

/// Reads the body of a request for something.
async fn asked<T: DeserializeOwned>(
    request: &HttpRequest,
    app: &App,
    body: web::Payload,
    what: &str,
) -> Result<T, ApiError> {
    let body = app.bodies.receive(body, MAX_REQUEST_BYTES).await?;
    let announced = request.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok());
    if announced.is_some_and(|announced| !BodyDigest::of(&body).is(announced)) {
        return Err(ApiError::BadRequest(
            "the body changed on the way: it does not match its Content-Digest".to_owned(),
        ));
    }
    object(&body, what)
}

fn check_format(asked: &str) -> Result<(), ApiError> {
    match tributary_report::partial_format() {
        ours if ours == asked => Ok(()),
        ours => Err(ApiError::OtherFormat { ours }),
    }
}

/// Answers a question about a file of the manifest, with what is kept if there is anything.
async fn answer(
    app: &App,
    (path, hash): (&str, &str),
    settings: Option<FormatSpec>,
    question: Question,
    adds_digest: bool,
) -> Result<HttpResponse, ApiError> {
    let entry = app.entry(path)?;
    if entry.hash != hash {
        return Err(ApiError::Changed { path: path.to_owned() });
    }
    let own = app.formats.spec(path);
    let spec = settings.map_or_else(|| own.clone(), |settings| bounded(settings, &own));
    let format = file_format(&spec).map_err(|why| ApiError::BadRequest(format!("the settings cannot work: {why}")))?;
    let job = PartialJob {
        computations: app.computations.clone(),
        folder: app.folder.clone(),
        entry,
        question,
        spec,
        format,
        adds_digest,
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
