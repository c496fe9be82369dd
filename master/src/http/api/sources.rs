//! `GET /api/v1/sources`: all sources and their health. `POST /api/v1/sources/{name}/accept`: accepts what one of them holds.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::http::{
    api::{export::ListQuery, source_views::Source, views::Items},
    server::{App, error::ApiError, input, sender},
};

/// The sources.
///
/// By name, with counts of their files and the result of each last pass.
#[utoipa::path(get, path = "/api/v1/sources", operation_id = "list_sources", tag = "sources",
    params(ListQuery), responses(
    (status = 200, content((Items<Source> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Every configured source"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sources = app.engine.sources().await?;
    ListQuery::answer(&request, "sources", sources.into_iter().map(Source::from).collect()).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptQuery {
    digest: Option<String>,
}

/// Accept what a source holds.
///
/// A held version is applied by a pass that begins at once. A source that is no longer configured goes with all its rows.
#[utoipa::path(post, path = "/api/v1/sources/{name}/accept", operation_id = "accept_held", tag = "sources",
    params(
        ("name" = String, Path, description = "The source"),
        ("digest" = Option<String>, Query, description = "What is accepted; without it whatever is held"),
    ),
    responses(
        (status = 202, description = "It was accepted"),
        (status = 400, description = "The query cannot be understood"),
        (status = 404, description = "There is no such source"),
        (status = 409, description = "It holds nothing, or another version by now"),
    ))]
pub(crate) async fn accept(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let AcceptQuery { digest } = input::query(&request)?;
    let name = input::path_source(&request)?;
    app.engine.accept_held(&name, digest, sender::acceptor(&request)).await?;
    Ok(HttpResponse::Accepted().finish())
}
