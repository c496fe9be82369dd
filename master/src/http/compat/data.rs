//! `GET /health` and `GET /data`.

use actix_web::{HttpResponse, http::header::ContentType, web};
use serde_json::json;

use super::rows::{self, RowList};
use crate::http::server::{App, error::ApiError};

/// Says that the server runs.
pub(crate) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "healthy" }))
}

/// Answers with the rows.
pub(crate) async fn data(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let RowList { json, is_cut: _ } = rows::read(&app.engine, &app.compat.clone().unwrap_or_default()).await?;
    Ok(HttpResponse::Ok().insert_header(ContentType::json()).body(json))
}
