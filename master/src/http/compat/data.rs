//! `GET /health` and `GET /data`.

use actix_web::{HttpResponse, http::header::ContentType, web};
use serde_json::json;
use tributary_engine::WriteOutage;

use super::rows::{self, RowList};
use crate::http::server::{App, error::ApiError};

/// Says whether what is sent can be stored.
pub(crate) async fn health(app: web::Data<App>) -> HttpResponse {
    match app.engine.unwritable() {
        None => HttpResponse::Ok().json(json!({ "status": "healthy" })),
        Some(WriteOutage { since, reason, .. }) => {
            HttpResponse::ServiceUnavailable().json(json!({ "status": "unhealthy", "error": reason, "since": since }))
        }
    }
}

/// Answers with the rows.
pub(crate) async fn data(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let RowList { json, is_cut: _ } = rows::read(&app.engine, &app.compat.clone().unwrap_or_default()).await?;
    Ok(HttpResponse::Ok().insert_header(ContentType::json()).body(json))
}
