//! `GET /api/v1/exports`: the files that are written to S3 or a folder, and links to them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tributary_engine::ExportStatus;
use tributary_object_storage::ObjectStorage;
use utoipa::ToSchema;

use crate::http::{
    api::{export::ListQuery, views::Items},
    server::{App, error::ApiError},
};

/// A file in S3 or in a folder.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportedFile {
    /// Its key below the place, such as `products.csv` or `reports/NAME.parquet`.
    pub(crate) key: String,
    /// Its place, as `s3://…` or `file:///…`.
    pub(crate) url: String,
    /// `current`, `waiting` until it is written, or `failed` if it could not be, which is tried again.
    pub(crate) state: &'static str,
    /// When it was last written, RFC 3339; null if it never was.
    pub(crate) written_at: Option<String>,
    /// A link with which anyone can read it for 12 hours; null in a folder, and until it was written.
    pub(crate) result_url: Option<String>,
    /// Why it could not be written.
    pub(crate) error: Option<String>,
    /// Since when it could not, RFC 3339.
    pub(crate) failing_since: Option<String>,
}

/// The files that results are written to.
///
/// In S3 or a folder, as `[results]` says; none without it.
#[utoipa::path(get, path = "/api/v1/exports", operation_id = "list_exports", tag = "reports",
    params(ListQuery), responses(
    (status = 200, content((Items<ExportedFile> = "application/json"), (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")), description = "Every file"),
    (status = 400, description = "The query cannot be understood"),
    (status = 422, description = "No Excel file holds the rows"),
))]
pub(crate) async fn list(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let mut files = Vec::new();
    for export in app.engine.exports().iter() {
        files.extend(exported(&app, export).await);
    }
    ListQuery::answer(&request, "exports", files).await
}

/// The files of what is written under a name, such as `reports/NAME`.
pub(crate) async fn of(app: &App, name: &str) -> Vec<ExportedFile> {
    let exports = app.engine.exports();
    match exports.iter().find(|export| export.name == name) {
        Some(export) => exported(app, export).await,
        None => Vec::new(),
    }
}

/// The link to the CSV file of a report.
pub(crate) async fn result_url(app: &App, report: &str) -> Option<String> {
    let exports = app.engine.exports();
    let export = exports.iter().find(|export| export.name.strip_prefix("reports/") == Some(report))?;
    link(app.storage.as_deref()?, export, export.keys.first()?).await
}

async fn exported(app: &App, export: &ExportStatus) -> Vec<ExportedFile> {
    let mut files = Vec::new();
    for (key, url) in export.keys.iter().zip(&export.urls) {
        let result_url = match &app.storage {
            Some(storage) => link(storage, export, key).await,
            None => None,
        };
        files.push(ExportedFile {
            key: key.clone(),
            url: url.clone(),
            state: export.state.as_str(),
            written_at: export.written_at.clone(),
            result_url,
            error: export.error.clone(),
            failing_since: export.failing_since.clone(),
        });
    }
    files
}

/// A link to what was written. Without one an answer is still of use, so a failure is only logged.
async fn link(storage: &ObjectStorage, export: &ExportStatus, key: &str) -> Option<String> {
    export.written_at.as_ref()?;
    match storage.link(key).await {
        Ok(link) => link.map(String::from),
        Err(error) => {
            tracing::warn!("failed to sign a link: {error}");
            None
        }
    }
}
