//! `GET /status/{job_id}` and `GET /`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde_json::json;

use super::{refusal::Refusal, serve::Gateway};

/// Answers with the job as it is now.
pub(super) async fn get(request: HttpRequest, gateway: web::Data<Gateway>) -> Result<HttpResponse, Refusal> {
    let id = last(&request)?;
    let job = gateway.jobs.get(&id);
    let job = job.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, format!("Job ID {id} not found.")))?;
    Ok(HttpResponse::Ok().json(job))
}

/// Says that the gateway is there, in the words of the one that it stands for.
pub(super) async fn root() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "message": "gRPC CSV Processor Gateway is running." }))
}

/// The last part of the path, as it was meant.
pub(super) fn last(request: &HttpRequest) -> Result<String, Refusal> {
    let part = request.uri().path().rsplit('/').next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(part).decode_utf8();
    decoded.map(Into::into).map_err(|_| Refusal::bad("The path is not UTF-8."))
}
