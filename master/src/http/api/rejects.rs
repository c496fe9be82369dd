//! `GET /api/v1/rejects`: the rows that could not be used.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::{
    api::views::{Items, Reject},
    server::{App, error::ApiError, input},
};

/// Selection of rejects.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RejectsQuery {
    /// Of this source.
    source: Option<String>,
    /// Of this report.
    report: Option<String>,
    /// Of files with this path.
    file: Option<String>,
    /// Maximum rows.
    #[param(minimum = 1, maximum = 10_000, default = 10_000)]
    limit: Option<i64>,
}

/// The rejects.
///
/// The newest first; at most 1,000 per file are kept.
#[utoipa::path(get, path = "/api/v1/rejects", operation_id = "list_rejects", tag = "sources", params(RejectsQuery), responses(
    (status = 200, body = Items<Reject>, description = "Rows that could not be used"),
    (status = 400, description = "The query cannot be understood"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let query: RejectsQuery = input::query(&request)?;
    let limit = input::limit(query.limit.or(Some(10_000)))?;
    let [report, source, file] = [query.report, query.source, query.file].map(input::unless_blank);
    let (rows, _) = app.engine.rejects(report, source, file, limit).await?;
    Ok(HttpResponse::Ok().json(Items { items: rows.into_iter().map(Reject::from).collect() }))
}
