//! `GET /api/v1/sources`: all sources and their health.

use actix_web::{HttpResponse, web};

use crate::http::{
    api::views::{Items, Source},
    server::{App, error::ApiError},
};

/// The sources.
///
/// By name, with counts of their files and the result of each last pass.
#[utoipa::path(get, path = "/api/v1/sources", operation_id = "list_sources", tag = "sources",
    responses((status = 200, body = Items<Source>, description = "Every configured source")))]
pub(crate) async fn list(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sources = app.engine.sources().await?;
    Ok(HttpResponse::Ok().json(Items { items: sources.into_iter().map(Source::from).collect() }))
}
