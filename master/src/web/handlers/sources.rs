//! `GET /api/v1/sources`: every source and how it is.

use actix_web::{HttpResponse, web};

use crate::{
    app::App,
    web::{
        error::ApiError,
        views::{Items, Source},
    },
};

/// The sources.
///
/// By name, with what their files give and how the last pass over each ended.
#[utoipa::path(get, path = "/api/v1/sources", operation_id = "list_sources", tag = "sources",
    responses((status = 200, body = Items<Source>, description = "Every configured source")))]
pub(crate) async fn list(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let stored = app.readers.run(|store| Ok(store.sources_view()?)).await?;
    Ok(HttpResponse::Ok().json(Items { items: Source::all(stored, &app.statuses) }))
}
